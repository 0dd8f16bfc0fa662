//! A namespace whose own scripts do the deploying by selectors, and Teal looks on.

use std::path::Path;
use std::process::{Child, Stdio};

use teal_agent::api::{ReleaseId, Status};
use teal_agent::client::Client;
use teal_rollout::colour::Colour;
use teal_testkit::until;

use super::cluster::Cluster;
use crate::said;

/// An agent that may only look; it ends with the test.
struct Watcher {
    child: Child,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Watcher {
    async fn start(cluster: &Cluster) -> Self {
        let folder = teal_testkit::folder();
        let [blue, green] = cluster.ports_of("app");
        let toml = format!(
            r#"app = "site"
state = "state"
[agent]
listen = "127.0.0.1:{}"
[platform]
kind = "kubernetes"
kubeconfig = "{}"
[environments.prod]
mode = "observe"
switch = {{ by = "selector" }}
[components.app]
blue = ["127.0.0.1:{blue}"]
green = ["127.0.0.1:{green}"]
[watch]
min = "100ms"
max = "300ms"
"#,
            teal_testkit::free_port(),
            cluster.kubeconfig("watcher").display(),
        );
        std::fs::write(folder.path().join("teal.toml"), toml).unwrap();
        let log = std::fs::File::create(folder.path().join("agent.log")).unwrap();
        let child = said::command(folder.path(), &["agent"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let client = Client::new(folder.path().join("state/agent.sock"));
        Self { child, client, _folder: folder }
    }

    async fn sees(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        until(what, || async { self.client.status("prod").await.ok().filter(&wanted) }).await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(Path::new(self._folder.path()).join("agent.log")).unwrap_or_default()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the agent's words:\n{}", self.log());
        }
    }
}

fn serving(status: &Status) -> Option<Colour> {
    let component = status.components.first()?;
    component.candidate.as_ref().unwrap_or(&component.stable).colour.known().copied()
}

#[tokio::test]
async fn ten_releases_by_a_script_are_seen_and_not_interfered_with() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    cluster.settle().await;
    cluster.may_look("watcher").await;
    let watcher = Watcher::start(&cluster).await;
    let first = watcher.sees("the Service is seen", |status| serving(status) == Some(Colour::Blue)).await;
    let mut release = first.release.map_or(0, |ReleaseId(number)| number);
    let mut serves = Colour::Blue;
    for number in 2..=11 {
        let idle = serves.other();
        cluster.run("app", idle, &format!("v{number}"), 2).await;
        cluster.settle().await;
        cluster.select("app", idle).await;
        let seen = |status: &Status| status.release > Some(ReleaseId(release)) && serving(status) == Some(idle);
        let status = watcher.sees(&format!("release {number} is seen"), seen).await;
        assert_eq!(status.by, "somebody else", "v{number}");
        cluster.run("app", serves, &format!("v{}", number - 1), 0).await;
        (serves, release) = (idle, status.release.unwrap().0);
    }
    cluster.settle().await;
    assert_eq!(cluster.selects("app").await, serves.to_string());
    let writes: Vec<_> = cluster.fake().used_by("watcher").into_iter().filter(|used| !used.reads()).collect();
    assert!(writes.is_empty(), "{writes:?}");
}
