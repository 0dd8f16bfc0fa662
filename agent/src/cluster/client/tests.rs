//! Kubeconfigs that are right and wrong, tokens that rotate, and answers that do not come.

use std::path::Path;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams};
use teal_testkit::kubernetes::{ApiServer, Failure, Fault};

use super::*;

fn quick() -> Limits {
    Limits { answer: Duration::from_millis(200), ..Limits::default() }
}

fn maps(client: &kube::Client) -> Api<ConfigMap> {
    Api::default_namespaced(client.clone())
}

fn file(folder: &Path, text: &str) -> Settings {
    let path = folder.join("kubeconfig");
    std::fs::write(&path, text).unwrap();
    Settings { kubeconfig: Some(path), context: None }
}

#[tokio::test]
async fn a_kubeconfig_leads_to_the_server() {
    let (server, folder) = (ApiServer::start(), teal_testkit::folder());
    let mut settings = file(folder.path(), &server.kubeconfig("admin"));
    for context in [None, Some("fake".to_owned())] {
        settings.context = context;
        let cluster = connect(&settings).await.unwrap();
        assert_eq!(cluster.namespace, "default");
        maps(&cluster.client).list(&ListParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_mistake_names_the_file_and_the_way_out() {
    let folder = teal_testkit::folder();
    let check = async |settings: Settings, words: &[&str]| {
        let error = connect(&settings).await.unwrap_err().to_string();
        for words in words {
            assert!(error.contains(words), "{words:?} is not in {error:?}");
        }
    };
    let missing = Settings { kubeconfig: Some(folder.path().join("none")), context: None };
    check(missing, &["none", "kubectl --kubeconfig"]).await;
    check(file(folder.path(), "clusters: ["), &["kubeconfig"]).await;
    check(file(folder.path(), "apiVersion: v1\nkind: Config\n"), &["kubeconfig", "current context"]).await;
    let good = ApiServer::start().kubeconfig("admin");
    let other = Settings { context: Some("prod".to_owned()), ..file(folder.path(), &good) };
    check(other, &["no context `prod`", "`fake`"]).await;
    check(Settings { kubeconfig: None, context: Some("prod".to_owned()) }, &["set `kubeconfig`"]).await;
    check(Settings::default(), &["not a Pod", "set `kubeconfig`"]).await;
    let token = good.replace("token: \"admin\"", "tokenFile: gone");
    check(file(folder.path(), &token), &["token file", "gone", "readable"]).await;
    let bad = good.replace("server: \"http", "certificate-authority: lost, server: \"http");
    check(file(folder.path(), &bad), &["certificate", "lost"]).await;
}

#[tokio::test]
async fn a_token_that_rotates_counts_at_once() {
    let (server, folder) = (ApiServer::start(), teal_testkit::folder());
    let token = folder.path().join("token");
    // As `kubectl create token` leaves it.
    std::fs::write(&token, "admin\n").unwrap();
    let kubeconfig = server.kubeconfig("admin").replace("token: \"admin\"", "tokenFile: token");
    let cluster = connect(&file(folder.path(), &kubeconfig)).await.unwrap();
    let list = async || maps(&cluster.client).list(&ListParams::default()).await.map(|_| ());
    list().await.unwrap();
    std::fs::write(&token, "stranger").unwrap();
    let refused = list().await.unwrap_err();
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 401), "{refused}");
    std::fs::write(&token, "admin").unwrap();
    list().await.unwrap();
    // While it is replaced, and when it is nonsense, the last one holds.
    std::fs::write(&token, "").unwrap();
    list().await.unwrap();
    std::fs::remove_file(&token).unwrap();
    list().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_an_error_and_the_next_request_works() {
    let server = ApiServer::start();
    let cluster = with(server.config("admin"), quick()).unwrap();
    let api = maps(&cluster.client);
    server.fail(Fault::new(Failure::Hang).times(2));
    for _ in 0..2 {
        let error = api.create(&PostParams::default(), &ConfigMap::default()).await.unwrap_err();
        assert!(brief(&error).contains("did not answer within 200ms"), "{}", brief(&error));
    }
    api.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_tried_again_in_secret() {
    let server = ApiServer::start();
    let cluster = with(server.config("admin"), Limits::default()).unwrap();
    for code in [429, 500, 503, 504] {
        server.forget_used();
        let failure = if code == 429 { Failure::TooManyRequests(1) } else { Failure::Error(code) };
        server.fail(Fault::new(failure).times(1));
        let error = maps(&cluster.client).list(&ListParams::default()).await.unwrap_err();
        assert!(matches!(&error, kube::Error::Api(status) if status.code == code), "{error}");
        assert_eq!(server.used().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn errors_are_told_in_a_line() {
    let server = ApiServer::start();
    let cluster = with(server.config("nobody"), quick()).unwrap();
    let refused = maps(&cluster.client).get("x").await.unwrap_err();
    assert!(brief(&refused).starts_with("configmaps \"x\" is forbidden"), "{}", brief(&refused));
    server.stop().await;
    let away = brief(&maps(&cluster.client).get("x").await.unwrap_err());
    assert!(away.contains("refused") && !away.contains('\n'), "{away}");
    let url = cluster.url;
    assert!(format!("{refused:?}").len() < 2_000 && url.starts_with("http://127.0.0.1"), "{url}");
}
