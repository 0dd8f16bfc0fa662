//! What people and other agents read, and how often it is written.

use std::time::Instant as Clock;

use kube::api::PostParams;
use teal_rollout::colour::Colour;
use teal_rollout::policy::Verdict;
use teal_testkit::until;
use time::macros::datetime;

use super::*;
use crate::cluster::resource::BlueGreenSpec;
use crate::store::kubernetes::testing::{Cluster, NAME};

struct Agent {
    shown: watch::Sender<Shown>,
    _task: JoinHandle<()>,
}

async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    cluster.api.create(&PostParams::default(), &BlueGreen::new(NAME, BlueGreenSpec::default())).await.unwrap();
    cluster
}

fn agent(cluster: &Cluster, name: &str, lease: Option<Lease>, shown: Shown) -> Agent {
    let (shown, showing) = watch::channel(shown);
    let task = spawn(&cluster.client, Cluster::settings(name), cluster.watched(), showing, lease, cluster.stop());
    Agent { shown, _task: task }
}

fn entry(name: &str, step: u32) -> SeenByEdge {
    let (saved, watched) = (true, true);
    SeenByEdge {
        name: name.to_owned(),
        release: 7,
        step,
        verdict: Verdict::Open,
        saved,
        watched,
        up: vec![],
        draining: vec![],
        beat: 0,
    }
}

fn shown(edge: &str, message: &str) -> Shown {
    let safe =
        Said { kind: "RollbackSafe", holds: Some(true), reason: "Ready".into(), message: "blue is ready".into() };
    let story = Story {
        serving: "api blue v1".into(),
        message: message.into(),
        deadline: Some(datetime!(2026-01-01 12:00:00 UTC)),
        evidence: vec![Evidence { component: "api".into(), colour: Colour::Green, requests: 5, bad: 0 }],
        conditions: vec![safe],
    };
    Shown { edges: vec![entry(edge, 2)], busy: false, story }
}

async fn status(cluster: &Cluster, what: &str, holds: impl Fn(&BlueGreenStatus) -> bool) -> BlueGreenStatus {
    until(what, async || cluster.object().await.status.filter(|status| holds(status))).await
}

fn writes(cluster: &Cluster) -> usize {
    cluster.server.used().iter().filter(|used| used.resource == "bluegreens/status").count()
}

#[tokio::test]
async fn each_agent_has_its_entry_and_who_leads_tells_the_story() {
    let cluster = cluster().await;
    let (follows, _) = Lease::fixed(false);
    let _one = agent(&cluster, "one", Some(follows), shown("one", "by one"));
    let (leads, _) = Lease::fixed(true);
    let two = agent(&cluster, "two", Some(leads.clone()), shown("two", "by two"));
    let told = status(&cluster, "both have told", |status| status.edges.len() == 2 && status.message.is_some()).await;
    assert_eq!((told.message.as_deref(), told.serving.as_deref()), (Some("by two"), Some("api blue v1")));
    assert_eq!(told.deadline.as_deref(), Some("2026-01-01T12:00:00Z"));
    assert_eq!((told.evidence.len(), told.conditions.len()), (1, 1));
    assert_eq!((told.conditions[0].kind.as_str(), told.conditions[0].status.as_str()), ("RollbackSafe", "True"));
    let began = told.conditions[0].last_transition_time.clone();
    assert!(!began.is_empty() && told.observed_generation.is_some());
    // The reason changes and the answer does not: it holds since when it did.
    two.shown.send_modify(|shown| {
        shown.story.conditions[0].reason = "Idle".into();
        shown.story.deadline = None;
        shown.edges[0].step = 3;
    });
    let told = status(&cluster, "the reason is told", |status| status.conditions[0].reason == "Idle").await;
    assert_eq!((told.conditions[0].last_transition_time.as_str(), told.deadline), (began.as_str(), None));
    let told = status(&cluster, "the step is told", |status| status.edges.iter().any(|edge| edge.step == 3)).await;
    assert_eq!(told.edges.len(), 2, "the other's entry is the other's");
    // Led no more: nothing of the story is its own any more, and its entry is.
    leads.fix(false);
    two.shown.send_modify(|shown| {
        shown.story.message = "by nobody".into();
        shown.edges[0].step = 4;
    });
    let told = status(&cluster, "the step is told", |status| status.edges.iter().any(|edge| edge.step == 4)).await;
    assert_eq!(told.message.as_deref(), Some("by two"));
}

#[tokio::test]
async fn changes_are_written_once_a_second_and_at_rest_nothing_is() {
    let cluster = cluster().await;
    let one = agent(&cluster, "one", None, shown("one", "0"));
    status(&cluster, "it is told", |status| status.message.is_some() && status.edges.len() == 1).await;
    let (began, before) = (Clock::now(), writes(&cluster));
    let mut count = 0;
    while began.elapsed() < Duration::from_millis(2_500) {
        count += 1;
        one.shown.send_modify(|shown| shown.story.message = count.to_string());
        sleep(Duration::from_millis(10)).await;
    }
    let (written, most) = (writes(&cluster) - before, began.elapsed().as_secs() + 2);
    assert!(written as u64 <= most, "{written} writes, at most {most} in {:?}", began.elapsed());
    status(&cluster, "the last is told", |status| status.message == Some(count.to_string())).await;
    let before = writes(&cluster);
    // A deadline that is computed anew each time, and the same again.
    for milliseconds in [10, 500, 1_900] {
        one.shown.send_modify(|shown| {
            shown.story.deadline =
                Some(datetime!(2026-01-01 12:00:00 UTC) + time::Duration::milliseconds(milliseconds));
        });
        sleep(Duration::from_millis(700)).await;
    }
    assert_eq!(writes(&cluster), before, "nothing was new");
}

#[tokio::test]
async fn a_sign_of_life_is_given_while_a_release_is_under_way() {
    let cluster = cluster().await;
    let (follows, _) = Lease::fixed(false);
    let one = agent(&cluster, "one", Some(follows), Shown { busy: true, ..shown("one", "") });
    let beat = |status: &BlueGreenStatus| status.edges.first().map_or(0, |edge| edge.beat);
    let first = beat(&status(&cluster, "it beats", |status| beat(status) > 0).await);
    status(&cluster, "it beats again", |status| beat(status) > first + 1).await;
    one.shown.send_modify(|shown| shown.busy = false);
    sleep(Duration::from_millis(500)).await;
    let before = writes(&cluster);
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(writes(&cluster), before);
}

#[tokio::test]
async fn what_somebody_else_overwrites_or_a_restore_loses_is_told_again() {
    let cluster = cluster().await;
    let _one = agent(&cluster, "one", None, shown("one", "here"));
    status(&cluster, "it is told", |status| status.edges.len() == 1).await;
    let gone = kube::api::Patch::Merge(serde_json::json!({"status": null}));
    cluster.api.patch_status(NAME, &kube::api::PatchParams::default(), &gone).await.unwrap();
    status(&cluster, "it is told again", |status| status.edges.len() == 1 && status.message.is_some()).await;
}

#[tokio::test]
async fn a_server_that_keeps_nothing_is_not_written_to_each_second() {
    let (_, showing) = watch::channel(Shown::default());
    let cluster = cluster().await;
    let (api, settings, watched) = (cluster.api.clone(), Cluster::settings("one"), cluster.watched());
    let now = Instant::now();
    let mut task =
        Task { api, settings, watched, shown: showing, lease: None, beat: now, counted: None, written: None };
    let quiet = shown("one", "x");
    let pauses: Vec<u64> = (0..8).map(|_| task.pause(quiet.clone()).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64]);
    assert_eq!(task.pause(shown("one", "y")), EVERY);
}
