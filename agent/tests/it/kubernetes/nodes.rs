//! Agents on the nodes, and an edge's agent that the API server does not answer.

use std::path::Path;
use std::process::{Child, Stdio};

use teal_agent::access::{FirstToken, Token};
use teal_rollout::colour::Colour::{Blue, Green};
use teal_rollout::document::Phase;
use teal_rollout::policy::Verdict;
use teal_testkit::kubernetes::{Cut, Failure, Fate, Fault};
use teal_testkit::{free_port, until};

use super::cluster::{AGENT, Cluster};
use crate::manifests::roles::never_used;
use crate::said;
use crate::site::Site;

/// The nodes' agents, to the API server.
const OBSERVER: &str = "system:serviceaccount:site-prod:teal-observer";

/// Agents on both nodes; they end with the test.
struct Observers {
    agents: Vec<(Child, tempfile::TempDir)>,
}

impl Observers {
    fn start(cluster: &Cluster, edge: u16, token: &Token) -> Self {
        let agents = ["node-1", "node-2"].map(|node| {
            let folder = teal_testkit::folder();
            std::fs::write(folder.path().join("token"), token.reveal()).unwrap();
            let toml = format!(
                r#"app = "site"
state = "state"
[agent]
listen = "127.0.0.1:{}"
roles = ["observer"]
report_to = ["http://127.0.0.1:{edge}"]
token_file = "token"
[platform]
kind = "kubernetes"
kubeconfig = "{}"
[environments.prod]
[components.app]
"#,
                free_port(),
                cluster.kubeconfig(OBSERVER).display(),
            );
            std::fs::write(folder.path().join("teal.toml"), toml).unwrap();
            let log = std::fs::File::create(folder.path().join("agent.log")).unwrap();
            let mut command = said::command(folder.path(), &["agent"]);
            let child = command.env("NODE_NAME", node).stdout(Stdio::null()).stderr(log).spawn().unwrap();
            (child, folder)
        });
        Self { agents: agents.into() }
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        for (child, folder) in &mut self.agents {
            let _ = child.kill();
            let _ = child.wait();
            if std::thread::panicking() {
                let log = std::fs::read_to_string(Path::new(folder.path()).join("agent.log")).unwrap_or_default();
                eprintln!("an observer's words:\n{log}");
            }
        }
    }
}

/// A site without users, so that nothing but its Pods speaks of a release; it listens to observers on this port.
async fn site(cluster: &Cluster, token: &Token) -> (Site, u16) {
    cluster.settle().await;
    let port = free_port();
    let digest = FirstToken::from(token);
    let door = format!("[observers]\nlisten = \"127.0.0.1:{port}\"\ntokens = [\"{digest}\"]\n");
    (cluster.plan().watch(20_000, 60_000).more(&door).start().await, port)
}

/// The edge's agent cannot reach the API server any more; others can.
fn cut_off(cluster: &Cluster) {
    cluster.fake().fail(Fault::new(Failure::Reset).by(AGENT));
    cluster.fake().cut_watches(Cut::Dropped);
}

#[tokio::test]
async fn pods_that_crash_are_heard_of_from_their_nodes_while_the_edges_agent_is_cut_off() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let token = Token::random().unwrap();
    let (site, port) = site(&cluster, &token).await;
    let _observers = Observers::start(&cluster, port, &token);
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    cluster.wait_selects("app", Green).await;
    cut_off(&cluster);
    cluster.fate("app", Green, Fate::CrashLoop { restarts: 5, log: "no more".into() }).await;
    site.wait_running("the edge is back on blue", |policy| policy.epoch.verdict == Verdict::Bad).await;
    let history = site.history(release).await;
    println!("cut off: {history:#?}");
    assert_eq!(cluster.selects("app").await, "green", "the API server does not know yet");
    cluster.fake().heal();
    cluster.wait_selects("app", Blue).await;
    // An observer asked for its Pods and for nothing else.
    let used = cluster.fake().used_by(OBSERVER);
    assert!(used.iter().all(|used| used.resource == "pods" && used.reads()), "{used:?}");
    assert!(never_used("teal-observer", &used, &[]).is_empty(), "{used:?}");
}

#[tokio::test]
async fn one_node_that_is_silent_is_unknown_and_takes_nothing_back() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let token = Token::random().unwrap();
    let (site, port) = site(&cluster, &token).await;
    let mut observers = Observers::start(&cluster, port, &token);
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    // The second node's agent dies before anything happens.
    let (mut silent, _folder) = observers.agents.pop().unwrap();
    silent.kill().unwrap();
    silent.wait().unwrap();
    until("it is not heard of any more", || async { (metric(&site, "unknown").await == Some(1.0)).then_some(()) })
        .await;
    cut_off(&cluster);
    cluster.fate("app", Green, Fate::CrashLoop { restarts: 5, log: "no more".into() }).await;
    cluster.settle().await;
    until("the first node's agent has told", || async { (metric(&site, "known").await == Some(1.0)).then_some(()) })
        .await;
    assert!(site.status().await.phase.is(&Phase::Watching));
    assert_eq!(site.running().await.unwrap().epoch.verdict, Verdict::Open);
}

/// Nodes that are known to the edge's agent, or unknown.
async fn metric(site: &Site, state: &str) -> Option<f64> {
    let page = teal_testkit::get(site.metrics, "/metrics").await.ok()?;
    let line =
        page.body.lines().find(|line| line.starts_with("teal_nodes{") && line.contains(&format!("\"{state}\"")))?;
    line.rsplit(' ').next()?.parse().ok()
}
