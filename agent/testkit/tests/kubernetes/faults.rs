//! What goes wrong on order, as the real client sees it.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use teal_testkit::kubernetes::{ApiServer, Failure, Fault};

use crate::cluster::{config_map, from, is_refused, refused};

fn maps(server: &ApiServer) -> Api<ConfigMap> {
    Api::default_namespaced(server.client())
}

fn map(name: &str) -> ConfigMap {
    from(config_map(name, &json!({"x": "1"})))
}

#[tokio::test]
async fn errors_strike_whom_they_are_meant_for() {
    let server = ApiServer::start();
    let api = maps(&server);
    api.create(&PostParams::default(), &map("a")).await.unwrap();
    server.fail(Fault::new(Failure::Error(503)).on(&["get"]).times(2));
    server.fail(Fault::new(Failure::TooManyRequests(7)).about("configmaps").by("admin").on(&["get"]).times(1));
    is_refused(api.get("a").await, 503, "ServiceUnavailable", "");
    api.create(&PostParams::default(), &map("b")).await.unwrap();
    is_refused(api.get("a").await, 503, "ServiceUnavailable", "");
    let status = refused(api.get("a").await);
    assert_eq!((status.code, status.details.unwrap().retry_after_seconds), (429, 7));
    api.get("a").await.unwrap();
    server.fail(Fault::new(Failure::Conflict).on(&["patch", "update"]));
    for _ in 0..5 {
        let patch = Patch::Merge(json!({"data": {"x": "2"}}));
        is_refused(api.patch("a", &PatchParams::default(), &patch).await, 409, "Conflict", "has been modified");
    }
    server.heal();
    let read = api.get("a").await.unwrap();
    assert_eq!(read.data.clone().unwrap()["x"], "1");
    api.replace("a", &PostParams::default(), &read).await.unwrap();
}

#[tokio::test]
async fn an_answer_may_be_lost_although_it_is_done() {
    let server = ApiServer::start();
    let api = maps(&server);
    server.fail(Fault::new(Failure::Reset).on(&["create"]).times(1));
    server.fail(Fault::new(Failure::Lost).on(&["create"]).times(1));
    assert!(api.create(&PostParams::default(), &map("a")).await.is_err());
    is_refused(api.get("a").await, 404, "NotFound", "");
    assert!(api.create(&PostParams::default(), &map("a")).await.is_err());
    api.get("a").await.unwrap();
}

#[tokio::test]
async fn an_answer_may_be_late() {
    let server = ApiServer::start();
    let api = maps(&server);
    server.fail(Fault::new(Failure::Slow(Duration::from_millis(1))).on(&["create"]).times(1));
    server.fail(Fault::new(Failure::Slow(Duration::from_secs(3600))).on(&["create"]).times(1));
    api.create(&PostParams::default(), &map("a")).await.unwrap();
    let late = tokio::spawn({
        let api = api.clone();
        async move { api.create(&PostParams::default(), &map("b")).await }
    });
    // It is done long before it is answered.
    teal_testkit::until("b is there", async || api.get("b").await.ok()).await;
    assert!(!late.is_finished());
    server.stop().await;
    assert!(late.await.unwrap().is_err());
}

#[tokio::test]
async fn a_request_hangs_until_the_server_goes() {
    let server = ApiServer::start();
    let api = maps(&server);
    server.fail(Fault::new(Failure::Hang).on(&["list"]));
    let hanging = tokio::spawn({
        let api = api.clone();
        async move { api.list(&kube::api::ListParams::default()).await }
    });
    let asked = async || server.used().iter().any(|used| used.verb == "list").then_some(());
    teal_testkit::until("the list is asked for", asked).await;
    api.create(&PostParams::default(), &map("a")).await.unwrap();
    assert!(!hanging.is_finished());
    server.stop().await;
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn objects_outlive_a_restart_of_the_server() {
    let server = ApiServer::start();
    let api = maps(&server);
    let made = api.create(&PostParams::default(), &map("a")).await.unwrap();
    server.stop().await;
    assert!(api.get("a").await.is_err());
    server.start_again();
    assert_eq!(api.get("a").await.unwrap(), made);
}

#[tokio::test]
async fn the_clock_can_be_wrong() {
    let server = ApiServer::start();
    let api = maps(&server);
    let now = api.create(&PostParams::default(), &map("a")).await.unwrap().creation_timestamp().unwrap();
    server.skew(Duration::from_secs(300), Duration::ZERO);
    let ahead = api.create(&PostParams::default(), &map("b")).await.unwrap().creation_timestamp().unwrap();
    assert!(ahead.0.as_second() - now.0.as_second() >= 300);
    server.skew(Duration::ZERO, Duration::from_secs(300));
    let behind = api.create(&PostParams::default(), &map("c")).await.unwrap().creation_timestamp().unwrap();
    assert!(behind.0 < now.0);
}

#[tokio::test]
async fn a_kubeconfig_leads_here() {
    let server = ApiServer::start();
    let config = kube::config::Kubeconfig::from_yaml(&server.kubeconfig("admin")).unwrap();
    let config =
        kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default()).await.unwrap();
    let client = kube::Client::try_from(config).unwrap();
    assert!(client.apiserver_version().await.unwrap().git_version.starts_with("v1."));
    assert!(client.list_api_groups().await.unwrap().groups.iter().any(|group| group.name == "apps"));
    let nobody = kube::Client::try_from(kube::Config::new(server.url().parse().unwrap())).unwrap();
    is_refused(Api::<ConfigMap>::default_namespaced(nobody).get("a").await, 401, "Unauthorized", "");
}
