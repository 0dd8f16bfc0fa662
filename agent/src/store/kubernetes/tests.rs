//! The writer on the resource: what is durable, what is void, and what goes on while the API server does not.

use std::time::{Duration, Instant};

use serde_json::json;
use teal_rollout::document::{Document, Phase};
use teal_rollout::machine::Event;
use teal_rollout::policy::{Epoch, Salt, Verdict};
use teal_testkit::kubernetes::{Cut, Failure, Fault};
use teal_testkit::until;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::testing::{Cluster, NAME};
use super::*;
use crate::cluster::resource::State;
use crate::store::{self, Entry, Sqlite, Write, Writer};

fn document(release: u64, verdict: Verdict, step: u32, revision: u64) -> Document {
    let salt = Salt::try_from("demo".to_owned()).unwrap();
    let new = Document::new(["api".to_owned()], salt, vec!["one".to_owned(), "two".to_owned()]);
    let phase = if verdict == Verdict::Bad { Phase::RollingBack } else { Phase::Watching };
    Document { revision, phase, epoch: Epoch { release, verdict, step }, ..new }
}

fn open(step: u32, revision: u64) -> Document {
    document(7, Verdict::Open, step, revision)
}

fn bad(revision: u64) -> Document {
    document(7, Verdict::Bad, 0, revision)
}

struct Agent {
    sqlite: Sqlite,
    writer: Writer,
    events: mpsc::Receiver<Event>,
    /// How many documents of others it was told of.
    heard: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
    started: Option<Document>,
    folder: teal_testkit::Folder,
}

impl Agent {
    async fn start(cluster: &Cluster) -> Self {
        Self::start_in(cluster, teal_testkit::folder()).await
    }

    async fn start_in(cluster: &Cluster, folder: teal_testkit::Folder) -> Self {
        let sqlite = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
        let opened = cluster.opened(sqlite.document("prod").await.unwrap()).await;
        let (sender, events) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let (writer, task) = store::spawn(sqlite.clone(), "prod".into(), opened.resource, sender, stop.clone());
        let started = opened.document;
        if let Some(document) = started.clone().filter(|_| opened.is_unpublished) {
            writer.keep(Write::Document { document: Box::new(document), heard: 0 });
        }
        Self { sqlite, writer, events, heard: 0, stop, task, started, folder }
    }

    fn put(&self, document: &Document) {
        self.writer.keep(Write::Document { document: Box::new(document.clone()), heard: self.heard });
    }

    fn entry(&self, seq: u64) {
        let (at, kind, text) = ("2026-01-01T00:00:00Z".to_owned(), "switched".into(), format!("entry {seq}"));
        self.writer.keep(Write::Entry(Entry { seq, release: 1, at, kind, text, data: serde_json::Value::Null }));
    }

    /// The next event, failures left out.
    async fn event(&mut self) -> Event {
        loop {
            match self.events.recv().await.unwrap() {
                Event::StoreFailed { .. } => {}
                event => {
                    self.heard += u64::from(matches!(event, Event::Document(_)));
                    return event;
                }
            }
        }
    }

    async fn stored(&mut self, revision: u64) {
        assert_eq!(self.event().await, Event::Stored { revision });
    }

    async fn met(&mut self, document: &Document) {
        assert_eq!(self.event().await, Event::Document(Box::new(document.clone())));
    }

    async fn fails(&mut self) {
        let event = self.events.recv().await.unwrap();
        assert!(matches!(event, Event::StoreFailed { .. }), "{event:?}");
    }

    async fn copy(&self) -> Option<Document> {
        self.sqlite.document("prod").await.unwrap()
    }

    async fn until_copied(&self, document: &Document) {
        until("the copy is there", async || (self.copy().await.as_ref() == Some(document)).then_some(())).await;
    }

    fn is_silent(&mut self) -> bool {
        self.events.try_recv().is_err()
    }

    async fn end(self) -> teal_testkit::Folder {
        self.stop.cancel();
        self.task.await.unwrap();
        self.folder
    }
}

async fn there(cluster: &Cluster) -> Option<Document> {
    cluster.api.get_opt(NAME).await.unwrap()?.spec.state.map(Document::from)
}

/// As another agent writes it.
async fn others(cluster: &Cluster, document: &Document) {
    cluster.patch(json!({"spec": {"state": State::from(document)}})).await;
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn the_document_is_durable_when_the_resource_has_it_and_sqlite_has_everything_else() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    assert_eq!(agent.started, None);
    agent.put(&open(1, 1));
    agent.entry(1);
    agent.writer.keep(Write::Checkpoint(Box::default()));
    agent.stored(1).await;
    assert_eq!(there(&cluster).await, Some(open(1, 1)));
    agent.until_copied(&open(1, 1)).await;
    until("the journal", async || (agent.sqlite.last_seq("prod").await.unwrap() == 1).then_some(())).await;
    agent.put(&open(2, 2));
    agent.stored(2).await;
    let folder = agent.end().await;
    let agent = Agent::start_in(&cluster, folder).await;
    assert_eq!(agent.started, Some(open(2, 2)));
    agent.end().await;
}

#[tokio::test]
async fn while_the_api_server_is_away_the_rest_is_written_and_a_verdict_is_not_forgotten() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(1, 1));
    agent.stored(1).await;
    agent.until_copied(&open(1, 1)).await;
    cluster.server.stop().await;
    agent.put(&open(2, 2));
    agent.fails().await;
    agent.entry(1);
    until("the journal goes on", async || (agent.sqlite.last_seq("prod").await.unwrap() == 1).then_some(())).await;
    assert_eq!(agent.copy().await, Some(open(1, 1)), "a step that nobody heard of must not be found at a start");
    agent.put(&bad(3));
    agent.until_copied(&bad(3)).await;
    // The agent is killed, and starts while nothing answers: with what it knew.
    let folder = agent.end().await;
    let mut agent = Agent::start_in(&cluster, folder).await;
    assert_eq!(agent.started, Some(bad(3)));
    agent.fails().await;
    cluster.server.start_again();
    let back = Instant::now();
    agent.stored(3).await;
    println!("published {:?} after the server's return", back.elapsed());
    assert_eq!(there(&cluster).await, Some(bad(3)));
    agent.end().await;
}

#[tokio::test]
async fn what_another_wrote_is_told_once_and_makes_void_what_was_asked_before() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(1, 1));
    agent.stored(1).await;
    others(&cluster, &open(2, 2)).await;
    agent.met(&open(2, 2)).await;
    agent.until_copied(&open(2, 2)).await;
    // Decided before it was heard: void. After it: written over it.
    agent.writer.keep(Write::Document { document: Box::new(open(5, 5)), heard: 0 });
    settle().await;
    assert!(agent.is_silent());
    assert_eq!(there(&cluster).await, Some(open(2, 2)));
    agent.put(&open(3, 3));
    agent.stored(3).await;
    assert_eq!(there(&cluster).await, Some(open(3, 3)));
    // Labels, orders and status are no news, and no obstacle.
    cluster.patch(json!({"metadata": {"labels": {"a": "b"}}})).await;
    cluster.order("i-1", "pause", json!({})).await;
    let status = kube::api::Patch::Merge(json!({"status": {"message": "x"}}));
    cluster.api.patch_status(NAME, &kube::api::PatchParams::default(), &status).await.unwrap();
    agent.put(&open(4, 4));
    agent.stored(4).await;
    let object = cluster.object().await;
    assert!(
        object.spec.intent.is_some() && object.status.unwrap().message.is_some() && object.metadata.labels.is_some()
    );
    settle().await;
    assert!(agent.is_silent());
    agent.end().await;
}

#[tokio::test]
async fn others_are_heard_over_cut_and_expired_watches() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(1, 1));
    agent.stored(1).await;
    for (revision, cut) in [(2, Cut::Ended), (3, Cut::Dropped), (4, Cut::Expired)] {
        cluster.server.cut_watches(cut);
        others(&cluster, &open(1, revision)).await;
        cluster.server.compact();
        agent.met(&open(1, revision)).await;
    }
    settle().await;
    assert!(agent.is_silent());
    agent.end().await;
}

#[tokio::test]
async fn a_document_gets_through_conflicts_errors_and_silence() {
    for (failure, verbs, times) in [
        (Failure::Conflict, &["patch"][..], 12),
        (Failure::Error(500), &["patch", "get"][..], 4),
        (Failure::TooManyRequests(1), &["patch"][..], 3),
        (Failure::Reset, &["patch"][..], 3),
        (Failure::Lost, &["patch"][..], 3),
        (Failure::Hang, &["patch"][..], 1),
    ] {
        let cluster = Cluster::new().await;
        let mut agent = Agent::start(&cluster).await;
        agent.put(&open(1, 1));
        agent.stored(1).await;
        cluster.server.fail(Fault::new(failure).on(verbs).about("bluegreens").times(times));
        agent.put(&open(2, 2));
        agent.stored(2).await;
        assert_eq!(there(&cluster).await, Some(open(2, 2)), "{failure:?}");
        assert!(agent.is_silent(), "{failure:?}");
        agent.end().await;
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_not_sent_over_and_over() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(3, 3));
    agent.stored(3).await;
    // A step that goes down.
    agent.put(&open(2, 4));
    agent.fails().await;
    let before = cluster.asked();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cluster.asked(), before);
    assert!(agent.is_silent());
    // What comes next is tried at once.
    agent.put(&open(4, 5));
    agent.stored(5).await;
    agent.end().await;
}

#[tokio::test]
async fn a_leader_that_slept_hears_what_happened_and_writes_nothing_of_its_own() {
    let cluster = Cluster::new().await;
    let (mut old, mut new) = (Agent::start(&cluster).await, Agent::start(&cluster).await);
    old.put(&open(1, 1));
    old.stored(1).await;
    new.met(&open(1, 1)).await;
    new.put(&open(2, 2));
    new.stored(2).await;
    // It has not heard yet, or would not be writing.
    old.writer.keep(Write::Document { document: Box::new(open(9, 2)), heard: 0 });
    old.met(&open(2, 2)).await;
    settle().await;
    assert_eq!(there(&cluster).await, Some(open(2, 2)));
    // Its verdict is another matter: once it has heard, it is written on top.
    old.put(&bad(3));
    old.stored(3).await;
    new.met(&bad(3)).await;
    assert!(old.is_silent() && new.is_silent());
    old.end().await;
    new.end().await;
}

#[tokio::test]
async fn many_who_write_at_once_lose_nothing_and_agree() {
    let cluster = Cluster::new().await;
    let mut first = Agent::start(&cluster).await;
    first.put(&open(0, 1));
    first.stored(1).await;
    let mut agents = vec![first];
    for _ in 0..3 {
        agents.push(Agent::start(&cluster).await);
    }
    let writing = agents.into_iter().enumerate().map(async |(number, mut agent)| {
        let mut base = open(0, 1);
        for _ in 0..10 {
            loop {
                let mine = Document { revision: base.revision + 1, by: format!("agent {number}"), ..base.clone() };
                agent.put(&mine);
                // What was heard before the answer makes void what was asked.
                match agent.event().await {
                    Event::Stored { revision } if revision == mine.revision => {
                        base = mine;
                        break;
                    }
                    Event::Document(theirs) if theirs.revision > base.revision => base = *theirs,
                    _ => {}
                }
            }
        }
        agent.end().await
    });
    futures_util::future::join_all(writing).await;
    assert_eq!(there(&cluster).await.unwrap().revision, 41, "each write counted once");
}

#[tokio::test]
async fn an_end_does_not_wait_for_an_api_server_that_is_away() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    cluster.server.stop().await;
    agent.put(&open(1, 1));
    agent.entry(1);
    agent.fails().await;
    let folder = agent.end().await;
    let sqlite = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
    assert_eq!(sqlite.last_seq("prod").await.unwrap(), 1);
}

#[tokio::test]
async fn a_cluster_that_was_set_back_gets_the_state_again() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(3, 9));
    agent.stored(9).await;
    agent.until_copied(&open(3, 9)).await;
    // As a backup that was restored: deleted, and made again as it was.
    cluster.api.delete(NAME, &kube::api::DeleteParams::default()).await.unwrap();
    let mut made = BlueGreen::new(NAME, crate::cluster::resource::BlueGreenSpec::default());
    made.spec.state = Some(State::from(&open(1, 2)));
    cluster.api.create(&kube::api::PostParams::default(), &made).await.unwrap();
    agent.put(&open(4, 10));
    agent.stored(10).await;
    assert_eq!(there(&cluster).await, Some(open(4, 10)));
    // The same while no agent looked.
    let folder = agent.end().await;
    cluster.api.delete(NAME, &kube::api::DeleteParams::default()).await.unwrap();
    let mut agent = Agent::start_in(&cluster, folder).await;
    assert_eq!(agent.started, Some(open(4, 10)));
    agent.stored(10).await;
    assert_eq!(there(&cluster).await, Some(open(4, 10)));
    agent.end().await;
}

#[tokio::test]
async fn at_rest_nothing_is_asked() {
    let cluster = Cluster::new().await;
    let mut agent = Agent::start(&cluster).await;
    agent.put(&open(1, 1));
    agent.stored(1).await;
    settle().await;
    cluster.server.forget_used();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(cluster.asked(), 0);
    agent.end().await;
}

#[tokio::test]
async fn events_are_told_one_by_one_and_never_waited_for() {
    let cluster = Cluster::new().await;
    let (teller, _task) = spawn_teller(&cluster.client, Cluster::settings("edge"), cluster.watched(), cluster.stop());
    let told = |reason: &str, note: &str| Told {
        reason: reason.to_owned(),
        action: "Switch".to_owned(),
        note: note.to_owned(),
        is_warning: false,
    };
    teller.tell(told("SwitchedToGreen", "green takes 10 %"));
    teller.tell(told("SwitchedToGreen", "green takes all"));
    let events = Api::<k8s_openapi::api::core::v1::Event>::default_namespaced(cluster.server.client());
    let found = until("both are told", async || {
        Some(events.list(&kube::api::ListParams::default()).await.unwrap().items).filter(|events| events.len() == 2)
    })
    .await;
    let mut notes: Vec<_> = found.iter().map(|event| event.message.clone().unwrap()).collect();
    notes.sort();
    assert_eq!(notes, ["green takes 10 %", "green takes all"]);
    assert!(found.iter().all(|event| event.involved_object.kind.as_deref() == Some("BlueGreen")));
    cluster.server.stop().await;
    for _ in 0..1_000 {
        teller.tell(told("Lost", &"x".repeat(10_000)));
    }
}
