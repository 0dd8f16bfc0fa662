//! Orders are given once, whoever leads, whatever is lost, and however often agents start.

use std::sync::{Arc, Mutex};

use kube::api::PostParams;
use teal_rollout::document::Phase;
use teal_rollout::policy::{Epoch, Salt, Verdict};
use teal_testkit::kubernetes::{Failure, Fault};
use teal_testkit::until;

use teal_rollout::machine::{Order, Refusal};

use super::*;
use crate::cluster::resource::{BlueGreenSpec, State};
use crate::store::kubernetes::testing::{Cluster, NAME};

fn document(release: u64, verdict: Verdict) -> Document {
    let new = Document::new(["api".to_owned()], Salt::default(), vec!["edge".to_owned()]);
    let phase = if verdict == Verdict::Bad { Phase::RollingBack } else { Phase::Watching };
    Document { revision: 10 * release, phase, epoch: Epoch { release, verdict, step: 0 }, ..new }
}

struct Site {
    cluster: Cluster,
    folder: teal_testkit::Folder,
}

/// An agent whose controller answers as the test says, and what it was given.
struct Agent {
    given: Arc<Mutex<Vec<Order>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Agent {
    fn given(&self) -> usize {
        self.given.lock().unwrap().len()
    }

    async fn end(self) -> Vec<Order> {
        self.stop.cancel();
        self.task.await.unwrap();
        self.given.lock().unwrap().clone()
    }
}

impl Site {
    async fn new() -> Self {
        let cluster = Cluster::new().await;
        let mut made = BlueGreen::new(NAME, BlueGreenSpec::default());
        made.spec.state = Some(State::from(&document(7, Verdict::Open)));
        cluster.api.create(&PostParams::default(), &made).await.unwrap();
        Self { cluster, folder: teal_testkit::folder() }
    }

    async fn sqlite(&self, agent: &str) -> Sqlite {
        Sqlite::open(&self.folder.path().join(format!("{agent}.db"))).await.unwrap()
    }

    /// An agent that leads unless `lease` says otherwise; `answer` is asked with the number of orders before.
    async fn agent(
        &self,
        name: &str,
        lease: Option<Lease>,
        answer: impl Fn(usize) -> Option<Result<u64, Refusal>> + Send + 'static,
    ) -> Agent {
        let (asked, mut orders) = mpsc::channel::<Asked>(4);
        let store = self.sqlite(name).await;
        let parts = Orders { environment: "prod".to_owned(), store, lease, asked };
        let stop = self.cluster.stop();
        let task = spawn(&self.cluster.client, Cluster::settings(name), parts, self.cluster.watched(), stop.clone());
        let given = Arc::new(Mutex::new(Vec::new()));
        let seen = given.clone();
        tokio::spawn(async move {
            while let Some(asked) = orders.recv().await {
                let before = seen.lock().unwrap().len();
                seen.lock().unwrap().push(asked.order);
                if let Some(answer) = answer(before) {
                    let _ = asked.answer.send(answer);
                }
            }
        });
        Agent { given, stop, task }
    }

    async fn deploy(&self, id: &str) {
        self.cluster.order(id, "deploy", json!({"api": "v2"})).await;
    }

    async fn until_answered(&self, id: &str) -> Heard {
        until(&format!("{id} is answered"), async || {
            let status = self.cluster.object().await.status.unwrap_or_default();
            status.order.filter(|_| status.intent.as_deref() == Some(id))
        })
        .await
    }

    /// What an agent leaves that dies between taking an order up and answering.
    async fn take_up(&self, id: &str, release: u64) {
        let status = json!({"order": {"id": id, "agent": "dead", "release": release, "message": ""}});
        apply::status(&self.cluster.api, &Cluster::settings("dead"), MANAGER, None, status).await.unwrap();
    }

    /// Time in which an agent would have done what it does, had it anything to do.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

const TAKEN: fn(usize) -> Option<Result<u64, Refusal>> = |_| Some(Ok(8));

#[tokio::test]
async fn an_order_is_given_once_and_its_answer_is_there_to_be_read() {
    let site = Site::new().await;
    site.deploy("i-1").await;
    let agent = site.agent("one", None, TAKEN).await;
    let heard = site.until_answered("i-1").await;
    assert_eq!(
        (heard.taken, heard.message.as_str(), heard.agent.as_str(), heard.release),
        (Some(true), "r-8", "one", 7)
    );
    site.settle().await;
    let wanted = Order::Deploy { versions: vec![("api".to_owned(), "v2".to_owned())], by: "ops".to_owned() };
    assert_eq!(agent.end().await, [wanted]);
    // Started again, with what it remembers and without.
    for name in ["one", "fresh"] {
        let again = site.agent(name, None, TAKEN).await;
        site.settle().await;
        assert_eq!(again.end().await, []);
    }
    let agent = site.agent("one", None, |_| Some(Err(Refusal::NothingToDeploy))).await;
    site.deploy("i-2").await;
    let heard = site.until_answered("i-2").await;
    assert_eq!((heard.taken, heard.message), (Some(false), Refusal::NothingToDeploy.to_string()));
    agent.end().await;
}

#[tokio::test]
async fn an_order_that_was_taken_up_and_carried_out_is_answered_and_not_given_again() {
    let site = Site::new().await;
    site.deploy("i-1").await;
    site.take_up("i-1", 7).await;
    // It was carried out, and has failed since.
    site.cluster.patch(json!({"spec": {"state": State::from(&document(8, Verdict::Bad))}})).await;
    let agent = site.agent("two", None, TAKEN).await;
    let heard = site.until_answered("i-1").await;
    assert_eq!((heard.taken, heard.message.as_str(), heard.agent.as_str()), (Some(true), "r-8", "dead"));
    assert_eq!(agent.end().await, []);
}

#[tokio::test]
async fn an_order_that_was_taken_up_and_got_nowhere_is_given() {
    let site = Site::new().await;
    site.deploy("i-1").await;
    site.take_up("i-1", 7).await;
    let agent = site.agent("two", None, TAKEN).await;
    site.until_answered("i-1").await;
    assert_eq!(agent.end().await.len(), 1);
}

#[tokio::test]
async fn an_agent_that_dies_before_its_answer_is_written_remembers_it() {
    let site = Site::new().await;
    let agent = site.agent("one", None, |_| Some(Err(Refusal::NothingToDeploy))).await;
    // The claim goes through, and nothing after it.
    site.cluster
        .server
        .fail(Fault::new(Failure::Slow(Duration::ZERO)).about("bluegreens/status").on(&["patch"]).times(1));
    site.cluster.server.fail(Fault::new(Failure::Error(500)).about("bluegreens/status").on(&["patch"]));
    site.deploy("i-1").await;
    let store = site.sqlite("one").await;
    until("it is remembered", async || store.intent("prod").await.unwrap()).await;
    assert_eq!(agent.end().await.len(), 1);
    site.cluster.server.heal();
    // The machine would take it now.
    let agent = site.agent("one", None, TAKEN).await;
    let heard = site.until_answered("i-1").await;
    assert_eq!(heard.message, Refusal::NothingToDeploy.to_string());
    assert_eq!(agent.end().await, []);
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_changes_nothing() {
    for failure in [Failure::Lost, Failure::Conflict, Failure::Error(503), Failure::Reset] {
        for times in [1, 3] {
            let site = Site::new().await;
            let agent = site.agent("one", None, TAKEN).await;
            site.cluster.server.fail(Fault::new(failure).about("bluegreens/status").on(&["patch"]).times(times));
            site.deploy("i-1").await;
            let heard = site.until_answered("i-1").await;
            assert_eq!(heard.taken, Some(true), "{failure:?}");
            assert_eq!(agent.end().await.len(), 1, "{failure:?} {times} times");
        }
    }
}

#[tokio::test]
async fn only_who_leads_moves_forward() {
    let site = Site::new().await;
    let (lease, standing) = Lease::fixed(false);
    let agent = site.agent("one", Some(lease.clone()), TAKEN).await;
    site.deploy("i-1").await;
    site.settle().await;
    assert_eq!(agent.given(), 0);
    assert_eq!(site.cluster.object().await.status, None);
    lease.fix(true);
    standing.send_modify(|standing| standing.fence += 1);
    site.until_answered("i-1").await;
    assert_eq!(agent.end().await.len(), 1);
}

#[tokio::test]
async fn two_who_believe_that_they_lead_give_it_once() {
    let site = Site::new().await;
    let one = site.agent("one", None, TAKEN).await;
    let two = site.agent("two", None, TAKEN).await;
    for round in 0..5 {
        let id = format!("i-{round}");
        site.deploy(&id).await;
        site.until_answered(&id).await;
    }
    site.settle().await;
    assert_eq!(one.end().await.len() + two.end().await.len(), 5);
}

#[tokio::test]
async fn every_agent_rolls_back_by_itself_and_one_answers() {
    let site = Site::new().await;
    let (follows, _) = Lease::fixed(false);
    let (leads, _) = Lease::fixed(true);
    let follower = site.agent("one", Some(follows), |_| Some(Err(Refusal::NothingToRollBack))).await;
    let leader = site.agent("two", Some(leads), TAKEN).await;
    site.cluster.order("i-1", "rollback", json!({})).await;
    let heard = site.until_answered("i-1").await;
    until("the follower is told too", async || (follower.given() == 1).then_some(())).await;
    assert_eq!((heard.taken, heard.agent.as_str()), (Some(true), "two"));
    site.settle().await;
    let back = [Order::Rollback { by: "ops".to_owned() }];
    assert_eq!((follower.end().await, leader.end().await), (back.to_vec(), back.to_vec()));
    for name in ["one", "two", "fresh"] {
        let (lease, _) = Lease::fixed(false);
        let again = site.agent(name, Some(lease), TAKEN).await;
        site.settle().await;
        assert_eq!(again.end().await, []);
    }
}

#[tokio::test]
async fn an_order_that_comes_too_early_waits() {
    let site = Site::new().await;
    let early = |before| match before {
        0 => Some(Err(Refusal::Starting)),
        1 => None,
        2 => Some(Err(Refusal::NotLeading)),
        _ => Some(Ok(8)),
    };
    let agent = site.agent("one", None, early).await;
    site.deploy("i-1").await;
    let heard = site.until_answered("i-1").await;
    assert_eq!((heard.taken, agent.given()), (Some(true), 4));
    agent.end().await;
}

#[tokio::test]
async fn a_later_order_is_not_answered_by_an_earlier_one() {
    let site = Site::new().await;
    let agent = site.agent("one", None, |before| Some(Ok(8 + before as u64))).await;
    site.cluster
        .server
        .fail(Fault::new(Failure::Slow(Duration::ZERO)).about("bluegreens/status").on(&["patch"]).times(1));
    site.cluster.server.fail(Fault::new(Failure::Error(500)).about("bluegreens/status").on(&["patch"]));
    site.deploy("i-1").await;
    until("it is given", async || (agent.given() == 1).then_some(())).await;
    site.deploy("i-2").await;
    site.cluster.server.heal();
    let heard = site.until_answered("i-2").await;
    assert_eq!((heard.id.as_str(), heard.message.as_str()), ("i-2", "r-9"));
    site.settle().await;
    assert_eq!(site.cluster.object().await.status.unwrap().order, Some(heard));
    assert_eq!(agent.end().await.len(), 2);
}

#[tokio::test]
async fn a_rollback_does_not_wait_behind_an_order_that_is_not_stored_yet() {
    let site = Site::new().await;
    let (asked, mut orders) = mpsc::channel::<Asked>(4);
    let parts = Orders { environment: "prod".to_owned(), store: site.sqlite("one").await, lease: None, asked };
    let (settings, stop) = (Cluster::settings("one"), site.cluster.stop());
    let task = spawn(&site.cluster.client, settings, parts, site.cluster.watched(), stop.clone());
    site.deploy("i-1").await;
    // The controller has it, and says nothing: its store is away.
    let mut deploy = orders.recv().await.unwrap();
    site.cluster.order("i-2", "rollback", json!({"api": null})).await;
    let back = orders.recv().await.unwrap();
    assert!(matches!(back.order, Order::Rollback { .. }), "{:?}", back.order);
    deploy.answer.closed().await;
    back.answer.send(Ok(8)).unwrap();
    assert_eq!(site.until_answered("i-2").await.taken, Some(true));
    stop.cancel();
    task.await.unwrap();
}
