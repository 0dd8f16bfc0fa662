//! OpenFeature's own SDKs and OFREP providers, as npm and PyPI have them, ask a real agent.
//!
//! ```text
//! a table of questions --lines of JSON--> node or python, the SDK, its provider --OFREP--> agent
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use teal_testkit::until;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Agent;

/// Whose provider asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    JavaScript,
    Web,
    Python,
}

/// What `make install-deps` has installed.
fn installed(what: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into()));
    let path = target.join("providers").join(what);
    assert!(path.exists(), "{} is not there: make install-deps installs it", path.display());
    path
}

/// A program that asks what it is told to.
struct Provider {
    which: Which,
    _child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    fn started(which: Which, agent: &Agent) -> Self {
        let url = format!("http://{}", agent.address);
        let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers").join(name).into();
        let (program, arguments): (PathBuf, [OsString; 3]) = match which {
            Which::JavaScript => {
                ("node".into(), [script("js/server.mjs"), installed("js/node_modules").into(), url.into()])
            }
            Which::Web => ("node".into(), [script("js/web.mjs"), installed("js/node_modules").into(), url.into()]),
            Which::Python => (installed("python/bin/python"), ["-u".into(), script("python/server.py"), url.into()]),
        };
        let child = Command::new(&program)
            .args(arguments)
            // Some networks have a proxy that knows no loopback.
            .env("no_proxy", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!("{} cannot be started: {error}; make install-deps installs it", program.display())
        });
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { which, _child: child, questions, answers }
    }

    async fn ask(&mut self, question: &Value) -> Value {
        self.questions.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        let line = self.answers.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("{:?} has ended at {question}", self.which));
        serde_json::from_str(&line).unwrap()
    }
}

/// A question, and what the application is told: value, variant, reason and error code.
struct Case {
    question: Value,
    value: Value,
    variant: Option<&'static str>,
    reason: &'static str,
    error: Option<&'static str>,
}

fn question(kind: &str, flag: &str, fallback: &Value, context: &Value) -> Value {
    json!({"type": kind, "flag": flag, "fallback": fallback, "context": context})
}

fn served(question: Value, value: Value, variant: &'static str, reason: &'static str) -> Case {
    Case { question, value, variant: Some(variant), reason, error: None }
}

/// The application's default counts.
fn fallen_back(question: Value, error: &'static str) -> Case {
    let value = question["fallback"].clone();
    Case { question, value, variant: None, reason: "ERROR", error: Some(error) }
}

/// What every provider is to make of the flags.
fn cases(which: Which) -> Vec<Case> {
    let user = json!({"targetingKey": "user-7"});
    let in_vn = json!({"targetingKey": "user-7", "country": "vn"});
    let page = json!({"columns": 3, "title": "Xin chào"});
    let mut cases = vec![
        served(question("boolean", "switch", &json!(false), &user), json!(true), "on", "STATIC"),
        served(question("boolean", "switch", &json!(false), &json!({})), json!(true), "on", "STATIC"),
        served(question("boolean", "half", &json!(false), &user), json!(true), "on", "SPLIT"),
        served(question("boolean", "only-vn", &json!(true), &user), json!(false), "off", "DEFAULT"),
        served(question("boolean", "only-vn", &json!(false), &in_vn), json!(true), "on", "TARGETING_MATCH"),
        // Asked from `prod`.
        served(question("boolean", "only-prod", &json!(false), &user), json!(true), "on", "STATIC"),
        served(question("string", "colour", &json!("none"), &user), json!("#00f"), "blue", "DEFAULT"),
        served(question("string", "colour", &json!("none"), &in_vn), json!("#f00"), "red", "TARGETING_MATCH"),
        served(question("integer", "columns", &json!(0), &user), json!(3), "three", "STATIC"),
        served(question("float", "ratio", &json!(0.1), &user), json!(0.5), "half", "STATIC"),
        served(question("float", "whole-ratio", &json!(0.1), &user), json!(1.0), "one", "STATIC"),
        served(question("object", "page", &json!({}), &user), page, "wide", "STATIC"),
        served(question("integer", "off-with-value", &json!(7), &user), json!(0), "none", "DISABLED"),
        fallen_back(question("boolean", "no-such-flag", &json!(true), &user), "FLAG_NOT_FOUND"),
        fallen_back(question("object", "no-such-flag", &json!({"a": 1}), &user), "FLAG_NOT_FOUND"),
        fallen_back(question("boolean", "half", &json!(true), &json!({})), "TARGETING_KEY_MISSING"),
        fallen_back(question("string", "switch", &json!("default"), &user), "TYPE_MISMATCH"),
        fallen_back(question("object", "columns", &json!({"a": 1}), &user), "TYPE_MISMATCH"),
    ];
    // Off, and no variant is named for that: the default counts. The JavaScript provider for servers calls it an error because it
    // does not know yet that an answer may be without a value.
    let off = question("integer", "off-without-value", &json!(7), &user);
    cases.push(match which {
        Which::JavaScript => fallen_back(off, "GENERAL"),
        _ => Case { question: off, value: json!(7), variant: None, reason: "DISABLED", error: None },
    });
    if which != Which::Web {
        let wrong = json!({"targetingKey": {"a": 1}});
        cases.push(fallen_back(question("boolean", "switch", &json!(false), &wrong), "INVALID_CONTEXT"));
    }
    cases
}

/// The same value of the same type; JavaScript has one kind of numbers.
fn is_same(which: Which, one: &Value, other: &Value) -> bool {
    let is_same_number = || one.as_f64().is_some() && one.as_f64() == other.as_f64();
    one == other || (which != Which::Python && is_same_number())
}

async fn check(which: Which) -> (Agent, Provider) {
    let agent = Agent::with_flags().await;
    let mut provider = Provider::started(which, &agent);
    for Case { question, value, variant, reason, error } in cases(which) {
        let told = provider.ask(&question).await;
        assert!(is_same(which, &told["value"], &value), "{which:?}: {question}: {told}");
        let rest = json!({"variant": variant, "reason": reason, "error": error});
        for field in ["variant", "reason", "error"] {
            assert_eq!(told[field], rest[field], "{which:?}: {field} of {question}: {told}");
        }
        if variant.is_some() {
            assert_eq!(told["version"], 1, "{which:?}: {question}: {told}");
        }
    }
    (agent, provider)
}

/// A change is seen by the next question.
async fn follows(agent: &Agent, provider: &mut Provider) {
    let asked = question("boolean", "switch", &json!(true), &json!({"targetingKey": "user-7"}));
    agent.patch("switch", json!({"enabled": false})).await;
    let told = provider.ask(&asked).await;
    assert_eq!((&told["value"], &told["reason"], &told["version"]), (&json!(false), &json!("DISABLED"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_provider_for_servers_is_answered() {
    let (agent, mut provider) = check(Which::JavaScript).await;
    follows(&agent, &mut provider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_provider_is_answered() {
    let (agent, mut provider) = check(Which::Python).await;
    follows(&agent, &mut provider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_provider_is_answered_and_polls_with_the_tag_it_has() {
    let (agent, provider) = check(Which::Web).await;
    let provider = tokio::sync::Mutex::new(provider);
    let ask = async |question: Value| provider.lock().await.ask(&question).await;
    // How often it was told that nothing has changed.
    let unchanged = async || {
        let statuses = ask(json!({"type": "statuses"})).await;
        assert!(statuses.as_object().unwrap().keys().all(|status| status == "200" || status == "304"), "{statuses}");
        statuses["304"].as_u64().unwrap_or(0)
    };
    let before = unchanged().await;
    until("it has polled some times", || async { (unchanged().await >= before + 3).then_some(()) }).await;
    agent.patch("switch", json!({"enabled": false})).await;
    until("it has seen the change", || async {
        let asked = question("boolean", "switch", &json!(true), &json!({"targetingKey": "user-7"}));
        let told = ask(asked).await;
        (told["value"] == false && told["reason"] == "DISABLED" && told["version"] == 2).then_some(())
    })
    .await;
}
