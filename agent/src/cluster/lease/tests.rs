//! Two agents and one lease: handed over, lost, lent out by a process that sleeps; never held by both.

use std::sync::atomic::AtomicBool;
use std::time::Instant as Clock;

use k8s_openapi::api::coordination::v1::Lease as Object;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use teal_testkit::kubernetes::{ApiServer, Failure, Fault};
use teal_testkit::until;

use super::*;
use crate::cluster::client;

const NAME: &str = "teal-demo";

/// A third of the lease is a second: nothing here is shorter than what a busy machine may be late by.
fn settings(identity: &str) -> Settings {
    let term = Term::of(Duration::from_secs(3));
    let patience = Patience::of(Duration::from_millis(50));
    Settings { calm: term, brisk: term, patience, ..Settings::new("default", NAME, identity) }
}

fn client(server: &ApiServer, user: &str) -> kube::Client {
    client::with(server.config(user), client::Limits::default()).unwrap().client
}

struct Agent {
    lease: Lease,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Agent {
    /// Known to the server as a user of its own, who may do all.
    async fn start(server: &ApiServer, settings: Settings) -> Self {
        let name = settings.identity.clone();
        let binding = json!({
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "all"},
            "subjects": [{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}],
        });
        let role =
            json!({"metadata": {"name": "all"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
        let api = Api::<k8s_openapi::api::rbac::v1::ClusterRole>::all(server.client());
        // The second agent finds the role there.
        let _ = api.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await;
        let api = Api::<k8s_openapi::api::rbac::v1::ClusterRoleBinding>::all(server.client());
        let _ = api.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await;
        let stop = CancellationToken::new();
        let (lease, task) = spawn(client(server, &name), settings, stop.clone());
        Self { lease, stop, task }
    }

    async fn until_it_leads(&self) {
        until("it leads", async || self.lease.leads().then_some(())).await;
    }

    async fn until_it_follows(&self, holder: &str) {
        let seen = async || (self.standing().holder.as_deref() == Some(holder)).then_some(());
        until(&format!("it sees that {holder} holds it"), seen).await;
        assert!(!self.lease.leads());
    }

    fn standing(&self) -> Standing {
        self.lease.standing.borrow().clone()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Looks all the time whether two lead, from a thread of its own.
struct Referee {
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<bool>,
}

impl Referee {
    fn of(one: &Agent, two: &Agent) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (one, two, end) = (one.lease.clone(), two.lease.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let mut both = false;
            while !end.load(Ordering::Relaxed) {
                // Asked in this order: a lead that ended in between cannot make it two.
                both |= one.leads() && two.leads() && one.leads();
                std::thread::sleep(Duration::from_micros(200));
            }
            both
        });
        Self { over, thread }
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        assert!(!self.thread.join().unwrap(), "two led at once");
    }
}

fn leases(server: &ApiServer) -> Api<Object> {
    Api::default_namespaced(server.client())
}

#[tokio::test]
async fn a_clean_end_hands_over_at_once() {
    let server = ApiServer::start();
    // Longer than this test waits for anything.
    let long = |identity| Settings { calm: Term::of(Duration::from_secs(60)), ..settings(identity) };
    let one = Agent::start(&server, long("one")).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, long("two")).await;
    two.until_it_follows("one").await;
    let referee = Referee::of(&one, &two);
    let (fence, ended) = (one.standing().fence, Clock::now());
    let lease = one.lease.clone();
    one.end().await;
    assert!(!lease.leads());
    two.until_it_leads().await;
    println!("handed over {:?} after the end began", ended.elapsed());
    assert!(two.standing().fence > fence, "a fence that does not rise");
    referee.end();
    two.end().await;
}

#[tokio::test]
async fn who_is_killed_is_succeeded_after_its_lease() {
    let server = ApiServer::start();
    let one = Agent::start(&server, settings("one")).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, settings("two")).await;
    two.until_it_follows("one").await;
    let referee = Referee::of(&one, &two);
    let killed = Clock::now();
    one.task.abort();
    two.until_it_leads().await;
    println!("taken over {:?} after the kill, with a lease of 3 s", killed.elapsed());
    assert!(killed.elapsed() >= Duration::from_secs(1), "before its lead was over");
    referee.end();
}

#[tokio::test]
async fn a_process_that_slept_does_not_believe_that_it_leads() {
    let server = ApiServer::start();
    let (wake, sleep) = std::sync::mpsc::channel::<()>();
    let (told, one) = std::sync::mpsc::channel();
    let config = server.config("admin");
    // One thread is all of its process: while it is blocked, nothing in it runs.
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = client::with(config, client::Limits::default()).unwrap().client;
            let stop = CancellationToken::new();
            let (lease, task) = spawn(client, settings("one"), stop.clone());
            until("it leads", async || lease.leads().then_some(())).await;
            told.send(lease.clone()).unwrap();
            sleep.recv().unwrap();
            let at_once = lease.leads();
            let mut standing = lease.standing();
            let lost = standing.wait_for(|standing| standing.holder.as_deref() == Some("two")).await.is_ok();
            assert!(lost && !lease.leads());
            stop.cancel();
            task.await.unwrap();
            at_once
        })
    });
    let one = tokio::task::spawn_blocking(move || one.recv().unwrap()).await.unwrap();
    let two = Agent::start(&server, settings("two")).await;
    let asleep = Agent { lease: one, stop: CancellationToken::new(), task: tokio::spawn(async {}) };
    let referee = Referee::of(&asleep, &two);
    two.until_it_leads().await;
    wake.send(()).unwrap();
    let at_once = tokio::task::spawn_blocking(move || process.join().unwrap()).await.unwrap();
    assert!(!at_once, "it woke and led");
    assert!(two.lease.leads());
    referee.end();
}

#[tokio::test]
async fn no_clock_but_our_own_says_when_a_lease_is_over() {
    for (ahead, behind, written) in [(300, 0, "2001-01-01T00:00:00.000000Z"), (0, 300, "2101-01-01T00:00:00.000000Z")] {
        let server = ApiServer::start();
        server.skew(Duration::from_secs(ahead), Duration::from_secs(behind));
        let foreign = json!({"metadata": {"name": NAME}, "spec": {
            "holderIdentity": "other", "leaseDurationSeconds": 1, "leaseTransitions": 7, "renewTime": written,
        }});
        let began = Clock::now();
        leases(&server).create(&PostParams::default(), &serde_json::from_value(foreign).unwrap()).await.unwrap();
        let one = Agent::start(&server, settings("one")).await;
        one.until_it_leads().await;
        assert!(began.elapsed() >= Duration::from_secs(1), "taken before a lease without a renewal was seen");
        assert_eq!(one.standing().fence, 8);
        one.end().await;
    }
}

#[tokio::test]
async fn renewals_that_are_seen_keep_it_whatever_they_say() {
    let server = ApiServer::start();
    let foreign = json!({"metadata": {"name": NAME}, "spec": {"holderIdentity": "other", "leaseDurationSeconds": 1}});
    leases(&server).create(&PostParams::default(), &serde_json::from_value(foreign).unwrap()).await.unwrap();
    let one = Agent::start(&server, settings("one")).await;
    let began = Clock::now();
    while began.elapsed() < Duration::from_secs(3) {
        // A machine that is too slow for this test loses nothing but its point.
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"n": format!("{:?}", began.elapsed())}}}));
        let renewed = Clock::now();
        leases(&server).patch(NAME, &PatchParams::default(), &patch).await.unwrap();
        assert!(!one.lease.leads() || renewed.elapsed() > Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    one.until_it_leads().await;
    one.end().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_cost_the_lead() {
    let server = ApiServer::start();
    server.fail(Fault::new(Failure::Lost).on(&["create"]).about("leases").times(1));
    let one = Agent::start(&server, settings("one")).await;
    one.until_it_leads().await;
    let fence = one.standing().fence;
    let mut standing = one.lease.standing();
    for failure in [Failure::Lost, Failure::Conflict, Failure::Error(500), Failure::Reset] {
        server.fail(Fault::new(failure).on(&["update"]).about("leases").times(1));
        let until = one.standing().until;
        standing.wait_for(|standing| standing.until > until).await.unwrap();
        assert!(one.lease.leads());
        assert_eq!(one.standing().fence, fence, "{failure:?}: it was lost on the way");
    }
    one.end().await;
}

#[tokio::test]
async fn an_outage_ends_the_lead_by_itself_and_is_no_reason_to_take_it_over() {
    let server = ApiServer::start();
    let one = Agent::start(&server, settings("one")).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, settings("two")).await;
    two.until_it_follows("one").await;
    let referee = Referee::of(&one, &two);
    server.stop().await;
    until("the lead is over", async || (!one.lease.leads()).then_some(())).await;
    assert!(!two.lease.leads());
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.start_again();
    until("somebody leads again", async || (one.lease.leads() || two.lease.leads()).then_some(())).await;
    assert!(one.lease.leads(), "the outage was taken for the holder's silence");
    referee.end();
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn a_shorter_lease_counts_from_when_it_was_asked_for() {
    let server = ApiServer::start();
    let long = Settings { calm: Term::of(Duration::from_secs(60)), ..settings("one") };
    let one = Agent::start(&server, long.clone()).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, Settings { identity: "two".to_owned(), ..long }).await;
    two.until_it_follows("one").await;
    let referee = Referee::of(&one, &two);
    // Written, and never answered; nor is anything after it.
    server.fail(Fault::new(Failure::Lost).by("one").on(&["update"]).times(1));
    server.fail(Fault::new(Failure::Reset).by("one"));
    one.lease.hurry(true);
    let over = async || (!one.lease.leads()).then_some(());
    until("the lead is over", over).await;
    two.until_it_leads().await;
    referee.end();
}

#[tokio::test]
async fn a_lease_that_is_deleted_is_made_again_by_its_holder() {
    let server = ApiServer::start();
    let one = Agent::start(&server, settings("one")).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, settings("two")).await;
    two.until_it_follows("one").await;
    let referee = Referee::of(&one, &two);
    leases(&server).delete(NAME, &DeleteParams::default()).await.unwrap();
    until("it is there again", async || leases(&server).get_opt(NAME).await.unwrap()).await;
    one.until_it_leads().await;
    assert!(!two.lease.leads());
    referee.end();
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn at_rest_nothing_is_asked_but_the_renewals() {
    let server = ApiServer::start();
    let one = Agent::start(&server, settings("one")).await;
    one.until_it_leads().await;
    let two = Agent::start(&server, settings("two")).await;
    two.until_it_follows("one").await;
    server.forget_used();
    let mut standing = one.lease.standing();
    for _ in 0..3 {
        let until = one.standing().until;
        standing.wait_for(|standing| standing.until > until).await.unwrap();
    }
    let asked = |user: &str| server.used().iter().filter(|used| used.user == user && used.verb != "watch").count();
    assert_eq!((asked("one"), asked("two")), (3, 0));
    let a_minute = |term: Term| 60.0 / term.renew.as_secs_f64();
    let usual = Settings::new("default", NAME, "one");
    assert!(a_minute(usual.calm) < 5.0 && a_minute(usual.alone().calm) < 1.0);
    one.end().await;
    two.end().await;
}
