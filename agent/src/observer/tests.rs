//! What arrives at an edge, and what becomes of one that is away.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use teal_rollout::colour::Colour;
use teal_testkit::until;
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::api::{Observation, PodGroup};

/// An edge's agent, as far as an observer sees one.
#[derive(Clone, Default)]
struct Edge {
    told: Arc<Mutex<Vec<(String, String, Observation)>>>,
    refusals: Arc<AtomicU64>,
}

impl Edge {
    async fn serve(&self, listener: TcpListener) -> AbortOnDropHandle<()> {
        let take = async |State(edge): State<Self>, Path(place): Path<String>, headers: HeaderMap, body: String| {
            let token = headers["authorization"].to_str().unwrap().to_owned();
            edge.told.lock().unwrap().push((place, token, serde_json::from_str(&body).unwrap()));
            let refuses = edge.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if refuses.is_ok() { StatusCode::UNAUTHORIZED } else { StatusCode::NO_CONTENT }
        };
        let router = Router::new().route("/api/v1/environments/{place}/observations", post(take));
        let router = router.with_state(self.clone());
        AbortOnDropHandle::new(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
    }

    fn told(&self) -> Vec<(String, String, Observation)> {
        self.told.lock().unwrap().clone()
    }

    async fn wait<T>(&self, what: &str, wanted: impl Fn(&[(String, String, Observation)]) -> Option<T>) -> T {
        until(what, || async { wanted(&self.told()) }).await
    }
}

/// An observer's way to `edge`, and what it tells there.
struct Rig {
    counted: watch::Sender<Option<Vec<PodGroup>>>,
    token: PathBuf,
    _telling: AbortOnDropHandle<()>,
    _folder: tempfile::TempDir,
}

fn rig(edge: std::net::SocketAddr) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "one\n").unwrap();
    let settings = Settings {
        name: "o".into(),
        node: "n1".into(),
        places: Vec::new(),
        edges: Vec::new(),
        token_file: token.clone(),
        ca_file: None,
    };
    let way = Way::to(&format!("http://{edge}/"), &settings).unwrap();
    let own = report::Own { observer: "o".into(), boot: "b".into(), node: "n1".into() };
    let (counted, counting) = watch::channel(None);
    let telling = tokio::spawn(report::run(Arc::new(own), way, "prod".into(), counting));
    Rig { counted, token, _telling: AbortOnDropHandle::new(telling), _folder: folder }
}

fn ready(ready: u32) -> Option<Vec<PodGroup>> {
    Some(vec![PodGroup {
        workload: "app".into(),
        colour: Colour::Blue,
        templates: Vec::new(),
        pods: 2,
        ready,
        crash_looping: 0,
        restarts: 0,
        reason: None,
        exit_code: None,
    }])
}

#[tokio::test]
async fn each_change_is_told_with_a_higher_number_and_the_same_is_told_again() {
    let (edge, listener) = (Edge::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let rig = rig(listener.local_addr().unwrap());
    let _serving = edge.serve(listener).await;
    edge.wait("that nothing is known is told", |told| told.last().filter(|it| it.2.groups.is_none()).map(|_| ())).await;
    for count in [2, 1, 0] {
        rig.counted.send_replace(ready(count));
        edge.wait("the change is told", |told| told.last().filter(|it| it.2.groups == ready(count)).map(|_| ())).await;
    }
    let before = edge.told().len();
    std::fs::write(&rig.token, "two").unwrap();
    let all = edge
        .wait("it is told again though nothing changes", |told| (told.len() >= before + 2).then(|| told.to_vec()))
        .await;
    assert!(all.iter().zip(1..).all(|((place, _, it), number)| place == "prod" && it.sequence == number), "{all:?}");
    assert_eq!((all[0].1.as_str(), all[before + 1].1.as_str()), ("Bearer one", "Bearer two"));
}

#[tokio::test]
async fn an_edge_that_is_away_is_not_hurried_and_is_told_the_newest_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = rig(listener.local_addr().unwrap());
    // It breaks every connection.
    let began = Instant::now();
    for _ in 0..5 {
        drop(listener.accept().await.unwrap());
    }
    // A connection that breaks before its answer may be tried once more at once; no more than that.
    assert!(began.elapsed() >= Duration::from_millis(2 * 225), "{:?}", began.elapsed());
    rig.counted.send_replace(ready(1));
    let edge = Edge::default();
    let _serving = edge.serve(listener).await;
    let told = edge.wait("it is told", |told| told.first().cloned()).await;
    assert_eq!(told.2.groups, ready(1));
}

#[tokio::test]
async fn who_is_refused_goes_on_trying() {
    let (edge, listener) = (Edge::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    edge.refusals.store(1, Ordering::SeqCst);
    let _rig = rig(listener.local_addr().unwrap());
    let _serving = edge.serve(listener).await;
    edge.wait("it is told after a refusal", |told| (told.len() >= 2).then_some(())).await;
}

#[test]
fn an_authority_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::write(&empty, "").unwrap();
    for path in [missing, empty] {
        let settings = Settings {
            name: String::new(),
            node: String::new(),
            places: Vec::new(),
            edges: Vec::new(),
            token_file: PathBuf::new(),
            ca_file: Some(path.clone()),
        };
        let error = Way::to("https://edge", &settings).unwrap_err().to_string();
        assert!(error.starts_with("agent.ca_file") && error.contains(&path.display().to_string()), "{error}");
    }
}
