//! Services that are the edge: a site whose agent acts by selectors alone, and what a person does there at night.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde_json::json;
use teal_agent::api::{ReleaseId, Status};
use teal_agent::client::Client;
use teal_rollout::colour::Colour::{self, Blue, Green};
use teal_rollout::document::Outcome;
use teal_testkit::kubernetes::{Failure, Fault};
use teal_testkit::until;

use super::cluster::{AGENT, Cluster, create};
use crate::night::runbook::commands;
use crate::said::{Said, command};
use crate::site::{TEAL, ended};

/// As much of `kubectl --kubeconfig FILE -n NAMESPACE` as the page uses, over plain HTTP: the real one gives no token there.
const KUBECTL: &str = r#"#!/bin/bash
set -e
[ "$1 $3 $6" = "--kubeconfig -n service" ]
server=$(grep -o 'server: "[^"]*' "$2" | cut -d '"' -f 2) token=$(grep -o 'token: "[^"]*' "$2" | cut -d '"' -f 2)
ask() { curl -sSf -H "Authorization: Bearer $token" "${@:2}" "$server/api/v1/namespaces/$NAMESPACE/services/$1"; }
NAMESPACE=$4
case $5 in
patch)
  [ "$8 $9 ${10}" = "--type merge -p" ]
  ask "$7" -X PATCH -H 'Content-Type: application/merge-patch+json' -d "${11}" >/dev/null
  echo "service/$7 patched" ;;
get)
  for name in "$7" "$8"; do echo "$name $(ask "$name" | grep -o '"version":"[a-z]*"')"; done ;;
esac
"#;

/// An agent of two components; it ends with the test.
struct Night<'a> {
    cluster: &'a Cluster,
    child: Option<Child>,
    client: Client,
    folder: tempfile::TempDir,
}

impl<'a> Night<'a> {
    /// With v1 serving from blue. Releases are watched for 300 ms at most, or for `watch`.
    async fn start(cluster: &'a Cluster, watch: &str) -> Self {
        cluster.settle().await;
        let folder = teal_testkit::folder();
        let component = |name: &str| {
            let [blue, green] = cluster.ports_of(name);
            format!(
                "[components.{name}]\nblue = [\"127.0.0.1:{blue}\"]\ngreen = [\"127.0.0.1:{green}\"]\nready = \"/healthz\"\n\
                 paths = [\"/{name}\"]\n"
            )
        };
        let toml = format!(
            "app = \"site\"\nstate = \"state\"\n[agent]\nlisten = \"127.0.0.1:{}\"\n[platform]\nkind = \"kubernetes\"\n\
             kubeconfig = \"{}\"\n[environments.prod]\nmode = \"act\"\nswitch = {{ by = \"selector\" }}\n{}{}[watch]\n\
             min = \"100ms\"\nmax = \"{watch}\"\n",
            teal_testkit::free_port(),
            cluster.kubeconfig(AGENT).display(),
            component("api"),
            component("web"),
        );
        std::fs::write(folder.path().join("teal.toml"), toml).unwrap();
        let client = Client::new(folder.path().join("state/agent.sock"));
        let mut night = Self { cluster, child: None, client, folder };
        night.wake().await;
        until("the agent has seen the Services", || async { (!night.page().is_empty()).then_some(()) }).await;
        night
    }

    /// Starts the agent and waits until it knows what serves.
    async fn wake(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("agent.log")).unwrap();
        let agent = command(self.folder.path(), &["agent"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(agent);
        self.sees("the agent takes orders", |_| Some(())).await;
    }

    /// kill -9.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    async fn sees<T>(&self, what: &str, wanted: impl Fn(&Status) -> Option<T>) -> T {
        until(what, || async { self.client.status("prod").await.ok().and_then(|status| wanted(&status)) }).await
    }

    /// Waits until the release counts as `outcome`: one that was kept may be taken back yet.
    async fn ends(&self, release: u64, outcome: Outcome) {
        let is_so = |status: &Status| {
            (status.release == Some(ReleaseId(release)) && ended(status) == Some(outcome)).then_some(())
        };
        self.sees(&format!("release {release} is {outcome:?}"), is_so).await;
    }

    /// A good release: nobody's requests are seen, so it is kept and not proven.
    async fn release(&self, version: &str, number: u64, to: Colour) {
        self.teal(&["deploy", "prod", version, "--yes"]).await.expect(6, &["ok  switch", "--  kept"]);
        self.ends(number, Outcome::Kept).await;
        self.select(to).await;
    }

    /// Beside the test's runtime, which the cluster needs meanwhile.
    async fn teal(&self, words: &[&str]) -> Said {
        run(command(self.folder.path(), words)).await
    }

    /// As it stands on a page.
    async fn shell(&self, line: &str) -> Said {
        let mut command = Command::new("bash");
        let kubectl = self.folder.path().join("kubectl");
        std::fs::write(&kubectl, KUBECTL).unwrap();
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o700)).unwrap();
        let programs =
            [self.folder.path(), Path::new(TEAL).parent().unwrap()].map(|folder| folder.display().to_string());
        let path = format!("{}:{}", programs.join(":"), std::env::var("PATH").unwrap());
        command.args(["-c", line]).current_dir(self.folder.path()).env("PATH", path).env("HOME", self.folder.path());
        run(command).await
    }

    async fn force(&self, goal: &str, more: &[&str]) -> Said {
        let words = ["edge", "force", "prod", goal, "--reason", "it is bad"];
        self.teal(&[&words[..], more].concat()).await
    }

    async fn select(&self, colour: Colour) {
        for component in ["api", "web"] {
            self.cluster.wait_selects(component, colour).await;
        }
    }

    async fn says(&self, release: u64, words: &str) {
        let says = || async {
            let told = self.client.explain("prod", ReleaseId(release)).await.ok()?;
            told.events.iter().any(|event| event.text.contains(words)).then_some(())
        };
        until(&format!("the history of {release} says `{words}`"), says).await;
    }

    fn page(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("state/break-glass/prod.txt")).unwrap_or_default()
    }
}

impl Drop for Night<'_> {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the agent's words:\n{}", std::fs::read_to_string(self.folder.path().join("agent.log")).unwrap());
        }
    }
}

async fn run(mut command: Command) -> Said {
    command.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
}

/// A kubeconfig of a person with a role of the manifests, and with nothing else.
async fn person(cluster: &Cluster, name: &str, role: &str) -> String {
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
    });
    create(&cluster.api::<RoleBinding>(), binding).await;
    cluster.kubeconfig(name).display().to_string()
}

async fn policy(cluster: &Cluster, component: &str) -> String {
    let service = cluster.api::<Service>().get(&format!("site-{component}")).await.unwrap();
    service.metadata.annotations.unwrap()["teal.trancloud.work/policy"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_agent_dead_edge_force_moves_the_services_and_the_agent_abides_by_it() {
    let cluster = Cluster::start(&["api", "web"], "v1", 1).await;
    let mut night = Night::start(&cluster, "300ms").await;
    night.release("v2", 1, Green).await;
    let ben = person(&cluster, "ben", "teal-hand").await;
    night.kill();
    let commands = commands("services");
    let [rollback, status, force] = commands.lines().collect::<Vec<_>>()[..] else { panic!("{commands}") };
    night.shell(rollback).await.expect(5, &["teal edge force prod back"]);
    night.shell(status).await.expect(0, &["through the API server"]);
    // Somebody else writes at the same time, and the server is busy.
    for failure in [Failure::Conflict, Failure::TooManyRequests(1)] {
        cluster.fake().fail(Fault::new(failure).on(&["patch"]).by("ben").times(1));
    }
    let own = ["--kubeconfig", ben.as_str()];
    night.shell(&format!("{force} {}", own.join(" "))).await.expect(
        0,
        &[
            "through the API server http",
            "was  v1:1.1.open:blue:green:100000:blue:green:100000",
            "now  v1:1.1.bad:blue:green:0:blue:green:0",
            "ok   site-api selects blue; it was green",
            "ok   site-web selects blue; it was green",
            "takes it for a rollback by hand",
        ],
    );
    night.select(Blue).await;
    let used = cluster.fake().used_by("ben");
    let used: BTreeSet<String> = used.iter().map(|used| format!("{} {}", used.verb, used.resource)).collect();
    assert_eq!(
        used,
        ["get deployments", "get services", "patch services"].map(str::to_owned).into(),
        "and nothing else"
    );
    night
        .force("back", &own)
        .await
        .expect(4, &["nothing was moved", "last good colour already, blue", "edge force prod green"]);

    night.wake().await;
    night.ends(1, Outcome::RolledBack).await;
    cluster.settle().await;
    night.select(Blue).await;
    night.says(1, ": the new version fails").await;
    night.teal(&["history", "prod"]).await.expect(0, &["moved by ", ": the new version fails"]);
    night.release("v3", 2, Green).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_living_agent_it_is_a_rollback_and_to_an_unproven_colour_it_takes_a_pause() {
    let cluster = Cluster::start(&["api", "web"], "v1", 1).await;
    let night = Night::start(&cluster, "30s").await;
    night.teal(&["deploy", "prod", "v2", "--yes", "--detach"]).await.expect(0, &["r-0001"]);
    night.select(Green).await;
    night.force("blue", &[]).await.expect(0, &["ok   site-web selects blue"]);
    night.ends(1, Outcome::RolledBack).await;
    night.says(1, ": it is bad").await;
    night.select(Blue).await;

    for component in ["api", "web"] {
        cluster.wait_replicas(component, Green, 0).await;
    }
    cluster.run("api", Green, "v2", 1).await;
    cluster.run("web", Green, "v2", 1).await;
    cluster.settle().await;
    night.teal(&["pause", "prod"]).await.expect(0, &["what is moved by hand is left alone"]);
    night.force("green", &[]).await.expect(0, &["ok   site-api selects green", "`teal pause prod` first"]);
    cluster.settle().await;
    night.select(Green).await;
    night.teal(&["resume", "prod"]).await.expect(0, &["goes on"]);
    night.select(Blue).await;
    night.says(1, "a move by hand to an unproven colour was put back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_is_refused_with_what_to_do_instead() {
    let cluster = Cluster::start(&["api", "web"], "v1", 1).await;
    let mut night = Night::start(&cluster, "300ms").await;
    night.release("v2", 1, Green).await;
    night.kill();
    let stranger = cluster.kubeconfig("stranger").display().to_string();
    night.force("blue", &["--kubeconfig", &stranger]).await.expect(
        1,
        &[
            "nothing was moved: the API server refuses",
            "`teal-hand`",
            "patch service site-api",
            "patch service site-web",
        ],
    );
    night.force("blue", &["--component", "app"]).await.expect(2, &["unknown component `app`", "api, web"]);
    night.force("blue", &["--kubeconfig", "/nowhere"]).await.expect(5, &["/nowhere", "--kubeconfig FILE"]);

    cluster.run("api", Blue, "v1", 0).await;
    cluster.settle().await;
    let empty = "api has 0 Pods ready on blue, and 1 on green";
    night.force("blue", &[]).await.expect(4, &["nothing was moved", empty, "--anyway   moves there all the same"]);
    night.select(Green).await;
    night.force("blue", &["--component", "web"]).await.expect(
        0,
        &["ok   site-api is left on green", "ok   site-web selects blue; it was green", "`teal pause prod` first"],
    );
    assert_eq!((cluster.selects("api").await, cluster.selects("web").await), ("green".into(), "blue".into()));
    night.force("back", &["--anyway"]).await.expect(0, &[empty, "ok   site-web selects blue, as before"]);
    night.select(Blue).await;

    // Nobody to ask: the page that the agent kept, and each line to type.
    cluster.lose_api().await;
    let lines = ["the API server cannot be asked", "admin.conf", "patch service site-web --type merge -p"];
    night.force("green", &[]).await.expect(5, &lines);
    night.force("back", &[]).await.expect(5, &["the API server cannot be asked", "state/break-glass/prod.txt"]);
    night.teal(&["break-glass", "prod"]).await.expect(
        5,
        &[
            "this page was kept",
            "everything to BLUE: the last good colour",
            "kubectl --kubeconfig",
            "edge force prod blue",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_broke_off_between_two_services_is_brought_to_its_end() {
    let cluster = Cluster::start(&["api", "web"], "v1", 1).await;
    let mut night = Night::start(&cluster, "300ms").await;
    night.release("v2", 1, Green).await;
    night.kill();
    let rules = json!([
        {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["services"], "verbs": ["patch"], "resourceNames": ["site-api"]},
    ]);
    create(&cluster.api::<Role>(), json!({"metadata": {"name": "half"}, "rules": rules})).await;
    let half = person(&cluster, "cleo", "half").await;
    night.force("back", &["--kubeconfig", &half]).await.expect(
        1,
        &[
            "note nobody knows whether a Pod is ready there",
            "ok   site-api selects blue",
            "!!   site-web may still select green and not blue: the API server refuses",
            "patch service site-web --type merge -p '{\"spec\":{\"selector\":{\"version\":\"blue\"}}}'",
        ],
    );
    assert_eq!((cluster.selects("api").await, cluster.selects("web").await), ("blue".into(), "green".into()));
    assert_ne!(policy(&cluster, "api").await, policy(&cluster, "web").await);
    night.wake().await;
    night.ends(1, Outcome::RolledBack).await;
    night.select(Blue).await;
    assert_eq!(policy(&cluster, "api").await, policy(&cluster, "web").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_page_do_what_they_say_and_the_agent_abides_by_them() {
    let cluster = Cluster::start(&["api", "web"], "v1", 1).await;
    let mut night = Night::start(&cluster, "300ms").await;
    night.release("v2", 1, Green).await;
    let kept = || async { night.page().contains("everything to GREEN: under release").then_some(()) };
    until("the page of the release is kept", kept).await;
    night.kill();
    let page = night.teal(&["break-glass", "prod"]).await;
    page.expect(0, &["everything to BLUE: the last good colour", "\n  routed by   v1:1.1.open:blue:green:100000"]);
    // But for when it was written.
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&night.page()), body(&page.text), "the agent kept the same");
    let (_, rest) = page.text.split_once("everything to BLUE").unwrap();
    let (choice, after) = rest.split_once("everything to GREEN").unwrap();
    let kubectl = |text: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("kubectl"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let patches = kubectl(choice);
    assert_eq!(patches.len(), 2, "{choice}");
    for line in &patches {
        night.shell(line).await.expect(0, &["patched"]);
    }
    night.select(Blue).await;
    let looks = kubectl(&after[after.find("3. CHECK").unwrap()..]);
    let [look] = &looks[..] else { panic!("{looks:?}") };
    night.shell(look).await.expect(0, &["site-api \"version\":\"blue\"", "site-web \"version\":\"blue\""]);
    night.wake().await;
    night.ends(1, Outcome::RolledBack).await;
    night.says(1, "a move by hand to the last good colour was adopted").await;
    cluster.settle().await;
    night.select(Blue).await;
}
