//! Orders from a machine that has a kubeconfig and nothing else: no agent, no edge, no map.

use std::path::Path;

use k8s_openapi::api::rbac::v1::RoleBinding;
use serde_json::{Value, json};
use teal_rollout::colour::Colour::Green;
use teal_testkit::kubernetes::Fate;
use teal_testkit::until;

use super::cluster::{Cluster, create};
use crate::said::{Said, command};
use crate::site::Site;

/// A person with the role for people, at a desk.
struct Laptop {
    folder: tempfile::TempDir,
}

impl Laptop {
    async fn of(cluster: &Cluster, site: &Site) -> Self {
        let binding = json!({
            "metadata": {"name": "anna"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "teal-operator"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "anna"}],
        });
        create(&cluster.api::<RoleBinding>(), binding).await;
        let folder = teal_testkit::folder();
        // The same file as on the box, but for the way to the API server.
        let toml = std::fs::read_to_string(site.path("teal.toml")).unwrap();
        let kubeconfig = |line: &str| {
            let own = format!("kubeconfig = \"{}\"", cluster.kubeconfig("anna").display());
            if line.starts_with("kubeconfig") { own } else { line.to_owned() }
        };
        let box_folder = site.path("").display().to_string();
        let lines: Vec<String> = toml.lines().map(kubeconfig).collect();
        let toml = lines.join("\n").replace(box_folder.trim_end_matches('/'), &folder.path().display().to_string());
        std::fs::write(folder.path().join("teal.toml"), toml).unwrap();
        Self { folder }
    }

    /// Beside the test's runtime, which the cluster needs meanwhile.
    async fn teal(&self, words: &[&str]) -> Said {
        let mut command = command(self.folder.path(), words);
        tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_ordered_followed_and_taken_back_through_the_api_server() {
    let cluster = Cluster::start(&["app"], "v1", 1).await;
    cluster.settle().await;
    let exchange = ("ready = \"/healthz\"", "ready = \"/healthz\"\nready_timeout = \"8s\"");
    let mut site = cluster.plan().watch(2_500, 5_000).exchange(exchange.0, exchange.1).start().await;
    site.traffic.begin().await;
    let laptop = Laptop::of(&cluster, &site).await;

    laptop
        .teal(&["deploy", "prod", "v2", "--yes"])
        .await
        .expect(0, &["through the API server", "ok  watching", "undo: teal rollback prod"]);
    laptop.teal(&["deploy", "prod", "v2", "--yes"]).await.expect(0, &["these versions run already, since r-"]);
    // Figures and conditions come after the state, at most once a second.
    let status =
        || async { Some(laptop.teal(&["status", "prod"]).await).filter(|it| it.text.contains("way back   yes")) };
    until("the way back is told", status).await.expect(0, &["through the API server", "app green v2"]);
    laptop.teal(&["rollback", "prod"]).await.expect(0, &["rolled back"]);

    cluster.fault("v3", "errors=100%");
    let bad = laptop.teal(&["deploy", "prod", "v3", "--yes", "--json"]).await;
    bad.expect(3, &["\"result\":\"rolled_back\""]);
    let last: Value = serde_json::from_str(bad.text.lines().last().unwrap()).unwrap();
    assert_eq!(last["exit"], 3, "{last}");

    // All Pods crash once they have users.
    let deploy = laptop.teal(&["deploy", "prod", "v4", "--yes"]);
    let crash = async {
        site.wait_running("users are sent to v4", |policy| policy.epoch.release == 3 && policy.epoch.step > 0).await;
        let log = "panic: no database\n".to_owned();
        cluster.fate("app", Green, Fate::CrashLoop { restarts: 5, log }).await;
    };
    let (said, ()) = tokio::join!(deploy, crash);
    said.expect(3, &["rolled back"]);
    cluster.fate("app", Green, Fate::Ready).await;

    let release = laptop.teal(&["deploy", "prod", "v5", "--yes", "--detach"]).await;
    release.expect(0, &["r-"]);
    laptop.teal(&["deploy", "prod", "v6", "--yes"]).await.expect(8, &["is under way"]);
    laptop.teal(&["wait", release.text.trim()]).await.expect(0, &["undo: teal rollback prod"]);
    laptop.teal(&["pause", "prod"]).await.expect(0, &["paused"]);
    laptop.teal(&["deploy", "prod", "v7", "--yes"]).await.expect(7, &["`resume` first"]);
    laptop.teal(&["resume", "prod"]).await.expect(0, &["goes on"]);
    assert!(!laptop.path().join("state").exists(), "a laptop keeps nothing");

    // Nobody who could answer, and then nobody to ask: each says at once what is left.
    site.kill_agent();
    let unanswered = laptop.teal(&["rollback", "prod"]).await;
    unanswered.expect(5, &["no agent has answered the order", "teal edge force prod back"]);
    cluster.lose_api().await;
    let closed = ["the way through the API server is closed", "teal edge force prod back"];
    laptop.teal(&["rollback", "prod"]).await.expect(5, &closed);
    laptop.teal(&["status", "prod"]).await.expect(5, &["the API server cannot be asked"]);
}
