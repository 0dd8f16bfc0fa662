//! Reports of edges that others route.

use serde_json::json;
use teal_rollout::document::Phase;
use teal_rollout::policy::Salt;

use super::*;
use crate::cluster::resource::State;
use crate::store::kubernetes::testing::Cluster;

const SECOND: Duration = Duration::from_secs(1);

fn document(phase: Phase) -> Document {
    let new = Document::new(["api".to_owned()], Salt::default(), vec!["one".to_owned(), "two".to_owned()]);
    Document { revision: 1, phase, epoch: Epoch { release: 7, verdict: Verdict::Open, step: 2 }, ..new }
}

struct Site {
    cluster: Cluster,
    task: Task,
}

impl Site {
    async fn new(phase: Phase) -> Self {
        let cluster = Cluster::new().await;
        let mut made = BlueGreen::new("demo", crate::cluster::resource::BlueGreenSpec::default());
        made.spec.state = Some(State::from(&document(phase)));
        cluster.api.create(&kube::api::PostParams::default(), &made).await.unwrap();
        let watched = cluster.watched();
        let (events, _) = mpsc::channel(1);
        let others = Others { own: vec!["one".to_owned()] };
        let task =
            Task { settings: Cluster::settings("one"), others, watched, events, heard: BTreeMap::new(), busy: None };
        Self { cluster, task }
    }

    async fn told(&mut self, entries: serde_json::Value) {
        let version = self.cluster.object().await.metadata.resource_version;
        let patch = kube::api::Patch::Merge(json!({"status": {"edges": entries}}));
        self.cluster.api.patch_status("demo", &kube::api::PatchParams::default(), &patch).await.unwrap();
        let newer = |view: &crate::cluster::watch::View<BlueGreen>| {
            view.is_current() && view.named("demo").is_some_and(|object| object.metadata.resource_version != version)
        };
        let (watched, wanted) = (self.task.watched.clone(), serde_json::to_string(&entries).unwrap());
        teal_testkit::until(&wanted, async || watched.look(newer).then_some(())).await;
    }
}

fn entry(name: &str, step: u32, verdict: &str, beat: u64) -> serde_json::Value {
    json!({"name": name, "release": 7, "step": step, "verdict": verdict, "saved": true, "watched": true, "beat": beat})
}

/// Neither colour of `api` is up or has requests.
fn nothing() -> Vec<Backend> {
    Colour::BOTH.map(|colour| Backend { component: 0, colour, up: 0, in_flight: 0 }).into()
}

#[tokio::test]
async fn a_colour_is_up_or_draining_where_its_edge_says_so() {
    let mut site = Site::new(Phase::Deploying).await;
    let mut told = entry("two", 2, "open", 1);
    told["up"] = json!(["api-green", "web-blue"]);
    told["draining"] = json!(["api-blue"]);
    site.told(json!([told])).await;
    let backends = site.task.reports(Instant::now()).remove(0).backends;
    let [blue, green] = [Colour::Blue, Colour::Green];
    let wanted = [
        Backend { component: 0, colour: blue, up: 0, in_flight: 1 },
        Backend { component: 0, colour: green, up: 1, in_flight: 0 },
    ];
    assert_eq!(backends, wanted);
}

#[tokio::test]
async fn others_are_told_of_and_own_edges_are_not() {
    let mut site = Site::new(Phase::Watching).await;
    site.told(json!([entry("one", 2, "open", 1), entry("two", 2, "open", 1), entry("three", 2, "open", 1)])).await;
    let reports = site.task.reports(Instant::now());
    let policy = document(Phase::Watching).policy();
    let wanted = EdgeReport {
        edge: 1,
        running: Some(policy.clone()),
        saved: Some(policy.clone()),
        manual: false,
        feed: Feed::Live,
        backends: nothing(),
    };
    assert_eq!(reports, [wanted]);
    site.told(json!([{"name": "two", "release": 7, "step": 1, "verdict": "bad"}])).await;
    let report = site.task.reports(Instant::now()).remove(0);
    assert_eq!(report.running.unwrap().epoch, Epoch { release: 7, verdict: Verdict::Bad, step: 1 });
    assert_eq!((report.saved, report.feed), (None, Feed::Lost), "not said is not so");
    // What cannot be seen is not told of, and the machine counts how long ago that was.
    site.cluster.server.stop().await;
    let watched = site.task.watched.clone();
    teal_testkit::until("it is old", async || watched.look(|view| !view.is_current()).then_some(())).await;
    assert_eq!(site.task.reports(Instant::now()), []);
}

#[tokio::test]
async fn an_agent_without_a_sign_of_life_does_not_watch_while_a_release_is_under_way() {
    for (phase, wanted) in [(Phase::Watching, Feed::Lost), (Phase::Idle, Feed::Live), (Phase::Retaining, Feed::Live)] {
        let mut site = Site::new(phase).await;
        site.told(json!([entry("two", 2, "open", 1)])).await;
        let now = Instant::now();
        let mut feed = |after: u32| site.task.reports(now + after * SECOND)[0].feed;
        assert_eq!(feed(0), Feed::Live, "{phase:?}: its signs begin with the release");
        assert_eq!(feed(3), Feed::Live);
        assert_eq!(feed(7), wanted, "{phase:?}");
        site.told(json!([entry("two", 2, "open", 2)])).await;
        assert_eq!(site.task.reports(now + 8 * SECOND)[0].feed, Feed::Live, "{phase:?}: it is back");
    }
}
