//! The command line against a scripted agent on a real unix socket.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use teal_agent::api::{Happening, Record, ReleaseId};
use teal_rollout::colour::Share;
use teal_rollout::document::{Cause, Outcome, Phase};

/// What the scripted agent knows; orders are noted.
#[derive(Default)]
struct Script {
    status: Value,
    records: Vec<Record>,
    refuse: Option<Value>,
    orders: Mutex<Vec<Value>>,
}

/// A folder with a configuration, and perhaps an agent on its socket. Gone when dropped.
struct Site {
    folder: tempfile::TempDir,
    script: Arc<Script>,
    _runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new(script: Script) -> Self {
        let site = Self::without_agent(script);
        let script = site.script.clone();
        let app = Router::new()
            .route("/v1/environments/{env}", get(async |State(s): State<Arc<Script>>| Json(s.status.clone())))
            .route("/v1/environments/{env}/orders", post(order))
            .route("/v1/environments/{env}/events", get(events))
            .route("/v1/environments/{env}/releases", get(async || Json(json!([{ "id": 43, "to": { "api": "v2" } }]))))
            .route("/v1/environments/{env}/releases/{id}", get(explain))
            .with_state(script);
        let socket = site.folder.path().join("state/agent.sock");
        let listener = {
            let _guard = site._runtime.enter();
            tokio::net::UnixListener::bind(socket).unwrap()
        };
        site._runtime.spawn(async move { axum::serve(listener, app).await });
        site
    }

    fn without_agent(script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        std::fs::write(folder.path().join("teal.toml"), CONFIGURATION).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { folder, script: Arc::new(script), _runtime: runtime }
    }

    fn teal(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_teal"))
            .args(line.split(' '))
            .current_dir(self.folder.path())
            .env_remove("TEAL_CONFIG")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a command and expects its exit code; returns what it printed.
    fn expect(&self, line: &str, exit: i32) -> String {
        let output = self.teal(line);
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "teal {line}:\n{text}");
        text
    }

    fn orders(&self) -> Vec<String> {
        self.script.orders.lock().unwrap().iter().map(|order| order["order"].as_str().unwrap().to_owned()).collect()
    }
}

const CONFIGURATION: &str = r#"
app = "shop"
state = "state"
[environments.dev]
mode = "act"
[environments.dev.edge]
map = "dev.map"
socket = "dev.sock"
[environments.prod]
mode = "act"
confirm = "DEPLOY"
[environments.prod.edge]
map = "prod.map"
socket = "prod.sock"
[environments.prod.components.api]
ports = "9100-9109"
[components.api]
run = ["api", "{version}", "{port}"]
ports = "8100-8109"
"#;

async fn order(State(script): State<Arc<Script>>, Json(order): Json<Value>) -> (StatusCode, Json<Value>) {
    if let Some(problem) = &script.refuse {
        return (StatusCode::CONFLICT, Json(problem.clone()));
    }
    script.orders.lock().unwrap().push(order);
    (StatusCode::ACCEPTED, Json(json!({ "release": "r-0043" })))
}

/// The first two records are "history", the others come as events.
async fn events(State(script): State<Arc<Script>>, Query(query): Query<Value>) -> Json<Vec<Record>> {
    let after: u64 = query["after"].as_str().unwrap().parse().unwrap();
    Json(script.records.iter().filter(|record| record.seq > after).take(2).cloned().collect())
}

async fn explain(State(script): State<Arc<Script>>, Path((_, id)): Path<(String, u64)>) -> Json<Value> {
    let known: Vec<_> = script.records.iter().take(2).collect();
    Json(json!({ "release": { "id": id, "environment": "dev", "to": { "api": "v1" } }, "events": known }))
}

fn status() -> Value {
    let colour = |colour: &str, version: &str| json!({ "colour": colour, "version": version, "ready": 1, "wanted": 1 });
    json!({
        "environment": "dev", "app": "shop", "mode": "act", "phase": "watching", "release": "r-0043", "by": "ops@box",
        "since": "2026-01-02T03:04:05Z", "watch": { "elapsed": 1.0, "min": 5.0, "max": 9.0 },
        "components": [{ "name": "api", "share": 100_000, "stable": colour("blue", "v1"), "candidate": colour("green", "v2") }]
    })
}

/// A release that went as far as the switch, and then this.
fn story(end: &[Happening]) -> Script {
    let entered = |phase| Happening::Entered { phase };
    let mut happenings = vec![
        entered(Phase::Deploying),
        entered(Phase::Smoke),
        Happening::Smoke { passed: 1, total: 1, slowest: None, failed: None },
        entered(Phase::Switching),
        Happening::Switched { share: Share::ALL, took_us: Some(400) },
        entered(Phase::Watching),
    ];
    happenings.extend_from_slice(end);
    let record = |(seq, happening): (u64, &Happening)| {
        Record::new(seq, format!("2026-01-02T03:04:{seq:02}Z"), ReleaseId(43), happening)
    };
    Script { status: status(), records: (1..).zip(&happenings).map(record).collect(), ..Script::default() }
}

fn ended(outcome: Outcome, cause: Option<Cause>) -> Happening {
    Happening::Ended { outcome, cause }
}

#[test]
fn a_deploy_shows_each_phase_and_ends_with_the_releases_outcome() {
    let errors = Cause::Errors { component: "api".into() };
    let bad = Happening::Bad { cause: errors.clone(), evidence: Some("6 of 31 requests bad".into()) };
    let check = |end: &[Happening], exit: i32, words: &[&str]| {
        let site = Site::new(story(end));
        let text = site.expect("deploy dev v2", exit);
        for words in
            ["r-0043 dev  api v1 -> v2   blue -> green   ops@box", "ok  smoke", "ok  switch      100 % on green"]
        {
            assert!(text.contains(words), "{text}");
        }
        for words in words {
            assert!(text.contains(words), "{words}:\n{text}");
        }
        assert_eq!(site.orders(), ["deploy"]);
    };
    check(&[ended(Outcome::Completed, None)], 0, &["ok  completed", "undo: teal rollback dev"]);
    check(&[ended(Outcome::Kept, None)], 6, &["--  kept"]);
    check(
        &[bad, Happening::Back { took_us: None }, ended(Outcome::RolledBack, Some(errors))],
        3,
        &["!!  bad         errors of api: 6 of 31 requests bad", "next: teal explain r-0043 --env dev"],
    );
    let smoke = Cause::Smoke { reason: "login".into() };
    check(&[ended(Outcome::Aborted, Some(smoke))], 4, &["!!  aborted"]);
    check(&[Happening::Entered { phase: Phase::Held }], 7, &["teal promote dev | teal rollback dev"]);
}

#[test]
fn in_json_every_line_is_an_object_and_the_last_is_the_result() {
    let site = Site::new(story(&[ended(Outcome::Completed, None)]));
    let text = site.expect("deploy dev v2 --json", 0);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.last(),
        Some(&json!({ "release": "r-0043", "environment": "dev", "result": "completed", "exit": 0 }))
    );
    assert_eq!(lines[0]["kind"], "entered");
    let error: Value = serde_json::from_str(&site.expect("status prd --json", 2)).unwrap();
    assert_eq!(error["exit"], 2);
}

#[test]
fn a_detached_deploy_prints_the_number_that_wait_takes() {
    let site = Site::new(story(&[ended(Outcome::Completed, None)]));
    assert_eq!(site.expect("deploy dev v2 --detach", 0).trim(), "r-0043");
    assert!(site.expect("wait r-0043 --env dev", 0).contains("ok  completed"));
}

#[test]
fn production_is_not_released_to_by_accident() {
    let site = Site::new(story(&[ended(Outcome::Completed, None)]));
    let text = site.expect("deploy prod v2", 2);
    assert!(text.contains("DEPLOY") && text.contains("--yes"), "{text}");
    assert!(site.orders().is_empty());
    site.expect("deploy prod v2 --yes", 0);
}

#[test]
fn a_release_in_the_way_is_named() {
    let refuse =
        Some(json!({ "title": "r-0042 is under way", "detail": "by ops since 10:02", "exit": 8, "release": 42 }));
    let site = Site::new(Script { status: status(), refuse, ..Script::default() });
    let text = site.expect("deploy dev v2", 8);
    assert!(text.contains("r-0042 is under way: by ops since 10:02") && text.contains("teal wait r-0042"), "{text}");
}

#[test]
fn each_lever_is_one_order() {
    let site = Site::new(story(&[Happening::Back { took_us: Some(400) }]));
    assert!(site.expect("rollback dev", 0).contains("traffic is back on the old colour in 0.400 ms"));
    for lever in ["promote", "abort", "pause", "resume"] {
        site.expect(&format!("{lever} dev"), 0);
    }
    assert_eq!(site.orders(), ["rollback", "promote", "abort", "pause", "resume"]);
}

#[test]
fn a_rollback_to_an_older_release_is_a_release_of_its_versions() {
    let site = Site::new(story(&[ended(Outcome::Completed, None)]));
    site.expect("rollback dev --to r-0042", 0);
    assert_eq!(site.script.orders.lock().unwrap()[0]["versions"], json!({ "api": "v1" }));
}

#[test]
fn without_an_agent_each_command_says_what_helps() {
    let site = Site::without_agent(Script::default());
    assert!(site.expect("status dev", 5).contains("start it with `teal agent`"));
    assert!(site.expect("deploy dev v2", 5).contains("start it with `teal agent`"));
    assert!(site.expect("rollback dev", 5).contains("teal edge force dev back --reason"));
    let plan = site.expect("deploy dev v2 --plan", 0);
    assert!(plan.contains("api v2 8105") && plan.contains("unknown: no agent answers"), "{plan}");
}

#[test]
fn what_was_and_what_is_can_be_read() {
    let site = Site::new(story(&[]));
    assert!(site.expect("status dev", 0).contains("mode act   watching   r-0043"));
    assert!(site.expect("history dev", 0).contains("r-0043"));
    assert!(site.expect("explain 43 --env dev", 0).contains("deploying"));
    assert!(site.expect("history", 2).contains("which environment? The configuration has dev, prod"));
}

#[test]
fn the_first_steps_of_a_newcomer_work() {
    let folder = tempfile::tempdir().unwrap();
    let teal = |line: &str, exit: i32| {
        let output = Command::new(env!("CARGO_BIN_EXE_teal"))
            .args(line.split(' '))
            .current_dir(folder.path())
            .env_remove("TEAL_CONFIG")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(exit), "teal {line}");
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    assert!(teal("config check", 2).contains("`teal init` writes a first one"));
    teal("init --app shop", 0);
    assert!(teal("config check", 0).contains("is valid"));
    assert!(teal("config show --effective", 0).contains("mode = \"observe\""));
    assert!(teal("init", 2).contains("exists already"));
    let file = PathBuf::from(folder.path()).join("teal.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("mode =", "mdoe =");
    std::fs::write(&file, text).unwrap();
    let text = teal("config check", 2);
    assert!(text.contains("environments.prod.mdoe: unknown key `mdoe`; did you mean `mode`?"), "{text}");
}
