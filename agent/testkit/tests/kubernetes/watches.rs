//! Watches, raw and through the runtime's watcher.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, watcher};
use serde_json::{Value, json};
use teal_testkit::kubernetes::Cut;

use crate::cluster::{Cluster, config_map, version};

type Events = BoxStream<'static, kube::Result<WatchEvent<ConfigMap>>>;

async fn watch(cluster: &Cluster, params: &WatchParams, version: &str) -> Events {
    cluster.api::<ConfigMap>().watch(params, version).await.unwrap().boxed()
}

async fn patch(cluster: &Cluster, name: &str, patch: Value) -> ConfigMap {
    cluster.api::<ConfigMap>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
}

/// `ADDED a`, as one word.
async fn next(events: &mut Events) -> String {
    match events.next().await.unwrap().unwrap() {
        WatchEvent::Added(object) => format!("ADDED {}", object.name_any()),
        WatchEvent::Modified(object) => format!("MODIFIED {}", object.name_any()),
        WatchEvent::Deleted(object) => format!("DELETED {}", object.name_any()),
        WatchEvent::Bookmark(_) => "BOOKMARK".to_owned(),
        WatchEvent::Error(status) => format!("ERROR {} {}", status.code, status.reason),
    }
}

pub(crate) async fn a_watch_tells_what_happens_after_its_version(cluster: Cluster) {
    let first: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let _: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    let mut events = watch(&cluster, &WatchParams::default(), &first.resource_version().unwrap()).await;
    assert_eq!(next(&mut events).await, "ADDED b");
    let patched = patch(&cluster, "b", json!({"data": {"x": "1"}})).await;
    let WatchEvent::Modified(seen) = events.next().await.unwrap().unwrap() else { panic!("not MODIFIED") };
    assert_eq!(seen, patched);
    cluster.api::<ConfigMap>().delete("a", &DeleteParams::default()).await.unwrap();
    let WatchEvent::Deleted(seen) = events.next().await.unwrap().unwrap() else { panic!("not DELETED") };
    assert!(seen.name_any() == "a" && version(&seen) > version(&patched));
    // From nowhere: what is there, then what happens.
    // A real server may put a bookmark between the two.
    let params = WatchParams::default().fields("metadata.name=b").disable_bookmarks();
    let mut events = watch(&cluster, &params, "0").await;
    assert_eq!(next(&mut events).await, "ADDED b");
    patch(&cluster, "b", json!({"data": {"x": "2"}})).await;
    assert_eq!(next(&mut events).await, "MODIFIED b");
}

pub(crate) async fn a_selector_makes_objects_come_and_go(cluster: Cluster) {
    let made: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let params = WatchParams::default().labels("colour=green");
    let mut events = watch(&cluster, &params, &made.resource_version().unwrap()).await;
    patch(&cluster, "a", json!({"metadata": {"labels": {"colour": "green"}}})).await;
    patch(&cluster, "a", json!({"data": {"x": "1"}})).await;
    let lost = patch(&cluster, "a", json!({"metadata": {"labels": {"colour": "blue"}}, "data": {"x": "2"}})).await;
    patch(&cluster, "a", json!({"metadata": {"labels": {"colour": "green"}}})).await;
    assert_eq!(next(&mut events).await, "ADDED a");
    assert_eq!(next(&mut events).await, "MODIFIED a");
    // As the selector saw it last, at the version by which it was lost.
    let WatchEvent::Deleted(seen) = events.next().await.unwrap().unwrap() else { panic!("not DELETED") };
    assert_eq!((seen.labels()["colour"].as_str(), &seen.data.clone().unwrap()["x"]), ("green", &"1".to_owned()));
    assert_eq!(version(&seen), version(&lost));
    assert_eq!(next(&mut events).await, "ADDED a");
}

pub(crate) async fn bookmarks_come_at_the_end(cluster: Cluster) {
    let made: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    // A real server sends the last one two seconds before the end; the fake when it is told to.
    let mut events = watch(&cluster, &WatchParams::default().timeout(6), &made.resource_version().unwrap()).await;
    let last: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    assert_eq!(next(&mut events).await, "ADDED b");
    if let Some(fake) = &cluster.fake {
        fake.bookmark();
    }
    let mut bookmarks = Vec::new();
    while let Some(event) = events.next().await {
        let WatchEvent::Bookmark(bookmark) = event.unwrap() else { panic!("not a bookmark") };
        bookmarks.push(bookmark.metadata.resource_version.parse::<u64>().unwrap());
        if let Some(fake) = &cluster.fake {
            fake.cut_watches(Cut::Ended);
        }
    }
    assert!(bookmarks.last().is_some_and(|bookmark| *bookmark >= version(&last)), "{bookmarks:?}");
}

/// On the fake alone: when a real server forgets is its own business.
#[tokio::test]
async fn a_version_that_is_forgotten_is_gone() {
    let cluster = Cluster::fake().await;
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    cluster.fake.as_ref().unwrap().compact();
    let mut events = watch(&cluster, &WatchParams::default(), "1").await;
    assert_eq!(next(&mut events).await, "ERROR 410 Expired");
}

pub(crate) async fn a_watcher_sees_it_all(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let config = watcher::Config::default().labels("app");
    let mut stream = watcher(cluster.api::<ConfigMap>(), config).boxed();
    let mut next = async || {
        loop {
            match stream.try_next().await {
                Ok(Some(watcher::Event::Apply(object))) => return format!("apply {}", object.name_any()),
                Ok(Some(watcher::Event::Delete(object))) => return format!("delete {}", object.name_any()),
                Ok(Some(watcher::Event::Init)) => return "init".to_owned(),
                Ok(Some(watcher::Event::InitApply(object))) => return format!("init {}", object.name_any()),
                Ok(Some(watcher::Event::InitDone)) => return "done".to_owned(),
                // A broken watch is said once, and taken up again.
                Err(_) => {}
                Ok(None) => panic!("a watcher never ends"),
            }
        }
    };
    for expected in ["init", "init a", "done"] {
        assert_eq!(next().await, expected);
    }
    let _: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    assert_eq!(next().await, "apply b");
    let Some(fake) = &cluster.fake else { return };
    for cut in [Cut::Ended, Cut::Dropped] {
        fake.cut_watches(cut);
        patch(&cluster, "b", json!({"data": {"x": format!("{cut:?}")}})).await;
        assert_eq!(next().await, "apply b", "after {cut:?}");
    }
    fake.cut_watches(Cut::Expired);
    cluster.api::<ConfigMap>().delete("a", &DeleteParams::default()).await.unwrap();
    // Whether the delete came before the cut is a matter of luck; after the 410 the state is listed afresh.
    let mut seen = next().await;
    if seen == "delete a" {
        seen = next().await;
    }
    assert_eq!(seen, "init");
}

pub(crate) async fn the_first_state_can_be_streamed(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let config = watcher::Config::default().labels("app").streaming_lists();
    let events: Vec<String> = watcher(cluster.api::<ConfigMap>(), config)
        .take(3)
        .map(|event| match event.unwrap() {
            watcher::Event::Init => "init".to_owned(),
            watcher::Event::InitApply(object) => format!("init {}", object.name_any()),
            watcher::Event::InitDone => "done".to_owned(),
            other => format!("{other:?}"),
        })
        .collect()
        .await;
    assert_eq!(events, ["init", "init a", "done"]);
}
