//! `examples/go`: its own tests, and its shop in front of an agent that is killed and frozen.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use teal_testkit::{free_port, until};
use tokio::process::Child;

use super::Agent;

/// Go on the example, without a network: it stands on the standard library alone.
fn go(words: &[&str]) -> Command {
    let mut command = Command::new("go");
    command
        .args(words)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/go"))
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local");
    command
}

fn said(words: &[&str]) -> Output {
    go(words).output().unwrap_or_else(|error| panic!("go cannot be started: {error}; make install-deps installs it"))
}

#[track_caller]
fn succeeds(words: &[&str]) {
    let Output { status, stdout, stderr } = said(words);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "go {words:?}: {stdout}{stderr}");
}

#[test]
fn the_examples_own_tests_pass_also_under_the_race_detector_where_there_is_one() {
    succeeds(&["vet", "./..."]);
    // It needs cgo, and files that some systems package apart.
    let has_race_detector = said(&["test", "-race", "-run", "NONE", "sync/atomic"]).status.success();
    let race: &[&str] = if has_race_detector { &["-race"] } else { &[] };
    succeeds(&[&["test", "-count=1"], race, &["./..."]].concat());
}

/// The example's shop.
struct Shop {
    _process: Child,
    url: String,
    http: reqwest::Client,
}

impl Shop {
    async fn started(agent: &Agent) -> Self {
        let program: PathBuf = agent.path("shop");
        succeeds(&["build", "-o", program.to_str().unwrap(), "."]);
        let address = format!("127.0.0.1:{}", free_port());
        let process = tokio::process::Command::new(program)
            .args(["-listen", &address, "-agent", &format!("http://{}", agent.address)])
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        until("the shop listens", || async { tokio::net::TcpStream::connect(&address).await.ok() }).await;
        Self { _process: process, url: format!("http://{address}"), http: agent.http.clone() }
    }

    /// What it says of `telehealth`, of which it knows no default, and `billing_integration`, which it has on.
    async fn tells(&self, user: &str) -> (bool, bool) {
        let text = self.http.get(format!("{}/?user={user}", self.url)).send().await.unwrap().text().await.unwrap();
        let is_on = |name: &str| match text.lines().find_map(|line| line.strip_prefix(name)) {
            Some(" true") => true,
            Some(" false") => false,
            _ => panic!("{text}"),
        };
        (is_on("telehealth"), is_on("billing_integration"))
    }
}

fn send(agent: &Agent, signal: Signal) {
    let pid = agent.child.as_ref().map(|child| i32::try_from(child.id()).unwrap());
    kill_process(Pid::from_raw(pid.unwrap()).unwrap(), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_go_goes_on_with_the_last_answers_and_then_the_defaults() {
    let mut agent = Agent::open_here().await;
    agent.patch("telehealth", json!({"enabled": true})).await;
    agent.patch("billing_integration", json!({"enabled": false})).await;
    let shop = Shop::started(&agent).await;
    // The machine may be slower than the shop waits for.
    let answered = (true, false);
    until("the agent's answer is there", || async { (shop.tells("user-7").await == answered).then_some(()) }).await;

    // Frozen, it answers nobody, and the shop answers all the same: users whom it knows as last, others by default.
    send(&agent, Signal::STOP);
    let defaults = (false, true);
    for _ in 0..3 {
        assert_eq!(shop.tells("user-7").await, answered);
        assert_eq!(shop.tells("user-8").await, defaults);
    }
    send(&agent, Signal::CONT);
    until("it is asked again", || async { (shop.tells("user-8").await == answered).then_some(()) }).await;

    agent.kill();
    assert_eq!(shop.tells("user-7").await, answered);
    assert_eq!(shop.tells("user-9").await, defaults);
    agent.start().await;
    agent.patch("telehealth", json!({"enabled": false})).await;
    until("a change is seen", || async { (shop.tells("user-7").await == (false, false)).then_some(()) }).await;
}
