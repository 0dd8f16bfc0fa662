//! The watch against a server that cuts, forgets, hangs and goes away.

use std::time::Instant;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use serde_json::json;
use teal_testkit::kubernetes::{ApiServer, Cut, Failure, Fault};
use teal_testkit::until;

use super::*;
use crate::cluster::client;

struct Site {
    server: ApiServer,
    maps: Api<ConfigMap>,
    watched: Watched<ConfigMap>,
    stop: CancellationToken,
}

fn timing() -> Timing {
    let patience = Patience::of(Duration::from_millis(20));
    Timing { server: Duration::from_secs(1), grace: Duration::from_millis(300), patience }
}

fn client(server: &ApiServer) -> kube::Client {
    client::with(server.config("admin"), client::Limits::default()).unwrap().client
}

impl Site {
    async fn with(scope: Scope, timing: Timing) -> Self {
        let server = ApiServer::start();
        let maps = Api::<ConfigMap>::default_namespaced(server.client());
        let stop = CancellationToken::new();
        let watching = Api::default_namespaced(client(&server));
        let (watched, _task) = spawn_with(watching, scope, timing, stop.clone());
        assert!(watched.ready().await);
        let site = Self { server, maps, watched, stop };
        site.until_current().await;
        site
    }

    async fn new() -> Self {
        Self::with(Scope::default(), Timing { server: Duration::from_secs(30), ..timing() }).await
    }

    async fn create(&self, name: &str, label: &str) {
        let map = json!({"metadata": {"name": name, "labels": {"app": label}}, "data": {"x": "1"}});
        let map = serde_json::from_value(map).unwrap();
        self.maps.create(&PostParams::default(), &map).await.unwrap();
    }

    async fn change(&self, name: &str, value: &str) {
        let patch = Patch::Merge(json!({"data": {"x": value}}));
        self.maps.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        self.maps.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// `a=1 b=2`.
    fn seen(&self) -> String {
        let value = |map: &ConfigMap| map.data.as_ref().unwrap()["x"].clone();
        let name = |map: &ConfigMap| map.metadata.name.clone().unwrap();
        let all = |view: &View<_>| view.objects().map(|map| format!("{}={}", name(map), value(map))).collect();
        let all: Vec<String> = self.watched.look(all);
        all.join(" ")
    }

    async fn until_seen(&self, wanted: &str) {
        until(&format!("{wanted:?} is seen"), async || (self.seen() == wanted).then_some(())).await;
    }

    async fn until_current(&self) {
        until("the view is current", async || self.watched.look(View::is_current).then_some(())).await;
    }

    async fn until_old(&self) {
        until("the view is old", async || (!self.watched.look(View::is_current)).then_some(())).await;
    }

    fn asked(&self, verb: &str) -> usize {
        self.server.used().iter().filter(|used| used.verb == verb && used.resource == "configmaps").count()
    }
}

#[tokio::test]
async fn objects_come_change_and_go() {
    let mut site = Site::new().await;
    assert!(site.watched.look_and_note(|view| view.objects().len() == 0));
    site.create("a", "x").await;
    assert!(site.watched.changed().await);
    site.until_seen("a=1").await;
    site.create("b", "x").await;
    site.change("a", "2").await;
    site.until_seen("a=2 b=1").await;
    site.delete("a").await;
    site.until_seen("b=1").await;
    let key = ("default".to_owned(), "b".to_owned());
    assert!(
        site.watched.look(|view| view.named("b").is_some() && view.get(&key).is_some() && view.named("a").is_none())
    );
    assert_eq!((site.asked("list"), site.asked("watch")), (1, 1));
    site.stop.cancel();
    while site.watched.changed().await {}
}

#[tokio::test]
async fn a_selector_chooses_and_metadata_may_be_enough() {
    let site = Site::with(Scope::labelled("app=x"), timing()).await;
    let only = Api::<PartialObjectMeta<ConfigMap>>::default_namespaced(client(&site.server));
    let (only, _task) = spawn_with(only, Scope::named("b"), timing(), site.stop.clone());
    site.create("a", "x").await;
    site.create("b", "y").await;
    site.until_seen("a=1").await;
    until("b is seen", async || only.look(|view| view.named("b").is_some()).then_some(())).await;
    assert!(only.look(|view| view.named("a").is_none()));
}

#[tokio::test]
async fn many_objects_come_in_pages_and_all_at_once() {
    let server = ApiServer::start();
    let maps = Api::<ConfigMap>::default_namespaced(server.client());
    for number in 0..620 {
        let map = serde_json::from_value(json!({"metadata": {"name": format!("m-{number}")}})).unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let stop = CancellationToken::new();
    let (mut watched, _task) =
        spawn::<ConfigMap>(Api::default_namespaced(client(&server)), Scope::default(), stop.clone());
    assert!(watched.look(|view| !view.is_complete() && !view.is_current() && view.objects().len() == 0));
    assert!(watched.changed().await);
    assert_eq!(watched.look(|view| (view.objects().len(), view.is_complete())), (620, true));
    assert_eq!(server.used().iter().filter(|used| used.verb == "list").count(), 2);
    stop.cancel();
}

#[tokio::test]
async fn a_watch_that_ends_in_its_time_goes_on_and_is_current_all_the_time() {
    let mut site = Site::with(Scope::default(), timing()).await;
    site.create("a", "x").await;
    site.until_seen("a=1").await;
    site.watched.look_and_note(|_| ());
    let begun = site.asked("watch");
    until("three more watches", async || (site.asked("watch") >= begun + 3).then_some(())).await;
    let had_news = tokio::time::timeout(Duration::ZERO, site.watched.changed()).await.is_ok();
    assert!(!had_news, "nothing happened, and nothing is told");
    assert_eq!(site.asked("list"), 1);
    site.change("a", "2").await;
    site.until_seen("a=2").await;
}

#[tokio::test]
async fn a_cut_watch_misses_nothing() {
    let site = Site::new().await;
    for (round, cut) in [Cut::Ended, Cut::Dropped, Cut::Expired, Cut::Dropped].into_iter().enumerate() {
        site.server.cut_watches(cut);
        let name = format!("m-{round}");
        site.create(&name, "x").await;
        site.delete(&name).await;
        site.create("last", "x").await;
        site.until_seen("last=1").await;
        site.until_current().await;
        site.delete("last").await;
        site.until_seen("").await;
    }
    assert!(site.asked("list") <= 2, "only the expired one is listed anew");
}

#[tokio::test]
async fn a_forgotten_version_is_listed_anew_with_what_went_meanwhile() {
    let site = Site::new().await;
    site.create("a", "x").await;
    site.create("b", "x").await;
    site.until_seen("a=1 b=1").await;
    site.server.fail(Fault::new(Failure::Error(503)).on(&["watch"]));
    site.server.cut_watches(Cut::Dropped);
    site.until_old().await;
    site.delete("a").await;
    site.change("b", "2").await;
    site.server.compact();
    site.server.heal();
    site.until_seen("b=2").await;
    site.until_current().await;
}

#[tokio::test]
async fn bookmarks_keep_a_quiet_watch_from_being_forgotten() {
    let site = Site::new().await;
    let others = Api::<k8s_openapi::api::core::v1::Service>::default_namespaced(site.server.client());
    let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}});
    others.create(&PostParams::default(), &serde_json::from_value(service).unwrap()).await.unwrap();
    site.server.compact();
    site.server.bookmark();
    site.create("a", "x").await;
    site.until_seen("a=1").await;
    site.delete("a").await;
    site.until_seen("").await;
    site.server.cut_watches(Cut::Ended);
    site.create("b", "x").await;
    site.until_seen("b=1").await;
    assert_eq!(site.asked("list"), 1, "the version after the bookmark was good");
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again_and_the_view_says_since_when_it_was_old() {
    let timing = Timing { patience: Patience::default(), ..Timing::default() };
    let site = Site::with(Scope::default(), timing).await;
    site.create("a", "x").await;
    site.until_seen("a=1").await;
    let before = tokio::time::Instant::now();
    site.server.stop().await;
    site.until_old().await;
    let Freshness::Old { since, why } = site.watched.look(|view| view.freshness().clone()) else { panic!("current") };
    assert!(since <= before + Duration::from_millis(50), "the server was last heard when it spoke last");
    assert_eq!(site.seen(), "a=1", "what was known is still shown: {why}");
    site.server.start_again();
    let back = Instant::now();
    site.create("b", "x").await;
    site.until_seen("a=1 b=1").await;
    println!("seen {:?} after the server's return", back.elapsed());
    site.until_current().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_on() {
    let site = Site::with(Scope::default(), timing()).await;
    // It takes every watch and never ends one: as a connection whose other end is gone.
    site.server.fail(Fault::new(Failure::Hang).on(&["watch"]).times(1));
    site.server.cut_watches(Cut::Ended);
    site.until_old().await;
    site.server.stop().await;
    site.server.start_again();
    site.until_current().await;
}

#[tokio::test]
async fn a_server_that_fails_or_ends_each_watch_is_asked_at_leisure() {
    for failure in [Some(Failure::Error(500)), Some(Failure::Reset), Some(Failure::TooManyRequests(0)), None] {
        let timing = Timing { patience: Patience::of(Duration::from_millis(100)), ..timing() };
        let site = Site::with(Scope::default(), timing).await;
        site.server.forget_used();
        if let Some(failure) = failure {
            site.server.fail(Fault::new(failure));
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            site.server.cut_watches(Cut::Ended);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (asked, most) = (site.server.used().len(), began.elapsed().as_millis() / 75 + 2);
        assert!(asked as u128 <= most, "{failure:?}: {asked} requests at a pause of 100 ms, wanted at most {most}");
    }
}

#[tokio::test]
async fn a_version_from_the_future_is_forgotten_in_the_end() {
    let site = Site::new().await;
    let lists = site.asked("list");
    site.server.fail(Fault::new(Failure::Error(504)).on(&["watch"]).times(REFUSED));
    site.server.cut_watches(Cut::Ended);
    until("it is listed anew", async || (site.asked("list") > lists).then_some(())).await;
    site.until_current().await;
}

const REFUSED: u32 = 3;
