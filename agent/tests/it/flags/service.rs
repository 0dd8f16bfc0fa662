//! The door itself: what it refuses, what the README promises, and that what is asked of it leaves no trace of users.

use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Agent, TOKEN};
use crate::said;

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_lines_work_as_they_are_written() {
    let agent = Agent::started().await;
    std::fs::write(agent.path("teal-admin.token"), format!("{}\n", TOKEN.reveal())).unwrap();
    let readme = include_str!("../../../../README.md");
    let section = readme.split("\n## Feature flags\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let joined = section.replace(" \\\n", " ");
    // They are written for `--dev`, and what this agent asks for beside stands below them.
    let token = "-H \"Authorization: Bearer $(cat teal-admin.token)\"";
    assert!(section.contains(&format!("Without `--dev`, curl needs `{token}` too")), "{section}");
    let lines: Vec<&str> = joined.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 2, "{section}");
    let said: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| {
            assert!(line.contains("127.0.0.1:9181"), "{line}");
            let line = line.replace("127.0.0.1:9181", &agent.address.to_string());
            let line = line.replacen("curl ", &format!("curl {token} "), 1);
            let mut shell = Command::new("sh");
            let done =
                shell.args(["-c", &line]).current_dir(agent.folder.path()).env_remove("http_proxy").output().unwrap();
            assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
            serde_json::from_slice(&done.stdout).unwrap()
        })
        .collect();
    assert_eq!((&said[0]["name"], &said[0]["rollout_percentage"]), (&json!("telehealth"), &json!(25)));
    assert_eq!((&said[1]["name"], &said[1]["reason"]), (&json!("telehealth"), &json!("SPLIT")));
    assert_eq!(agent.get("/8/audit-log").await["entries"][0]["reason"], "first clinics");
    // Whoever was asked for is in no log.
    let log = std::fs::read_to_string(agent.path("agent.log")).unwrap();
    assert!(!log.contains("user-7"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_oversized_bodies_are_refused() {
    let agent = Agent::started().await;
    let change = || agent.request(Method::PATCH, "/8");
    let page = change().header("origin", "https://evil.example").json(&json!({"enabled": true})).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let rebound = agent.request(Method::GET, "").header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
    let huge = change().body("x".repeat((2 << 20) + 1)).send().await.unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let broken = change().body("{\"enabled\": tr").send().await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert_eq!(agent.get("/8").await["version"], 1);
}

#[test]
fn an_address_that_others_can_reach_is_refused_without_tls() {
    let agent = Agent::new();
    let path = agent.path("teal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(&agent.address.to_string(), &format!("0.0.0.0:{}", agent.address.port()));
    std::fs::write(&path, text).unwrap();
    for command in [&["config", "check"][..], &["agent"]] {
        said::teal(agent.folder.path(), command).expect(2, &["flags.listen: ", "tokens would travel in clear"]);
    }
    assert!(!agent.path("state").exists());
}

#[test]
fn an_address_in_use_is_named() {
    let agent = Agent::new();
    let _squatter = std::net::TcpListener::bind(agent.address).unwrap();
    let words = format!("cannot listen on {}", agent.address);
    said::teal(agent.folder.path(), &["agent"]).expect(1, &[&words, "set `flags.listen` to a free address"]);
}
