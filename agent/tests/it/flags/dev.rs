//! `teal agent --dev` in an empty folder, as a developer meets it: flags at once, without a file and without a token.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use teal_testkit::{folder, free_ports, until};

use crate::said;

/// Ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_has_flags_at_once_and_the_old_lines_work_as_they_are_written() {
    let (folder, ports) = (folder(), free_ports(2));
    let port = *ports.end();
    let mut agent = said::command(folder.path(), &["agent", "--dev", "--flags-port", &port.to_string()]);
    let log = std::fs::File::create(folder.path().join("agent.log")).unwrap();
    let _agent = Ends(agent.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    until("the agent serves flags", || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() }).await;

    let curl = |line: &str| -> Value {
        let line = line.replace("9181", &port.to_string());
        let done = Command::new("sh").args(["-c", &line]).env_remove("http_proxy").output().unwrap();
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{line}: {done:?}"))
    };
    let changed = curl(
        "curl -s -X PATCH http://127.0.0.1:9181/api/v1/feature-flags/8 -d '{\"enabled\":true,\"rollout_percentage\":25}'",
    );
    assert_eq!((&changed["name"], &changed["rollout_percentage"]), (&json!("telehealth"), &json!(25)));
    let log = curl("curl -s http://127.0.0.1:9181/api/v1/feature-flags/8/audit-log");
    assert_eq!((&log["entries"][0]["who"], &log["entries"][0]["action"]), (&json!("dev"), &json!("update")));
    let answer = curl("curl -s 'http://127.0.0.1:9181/api/v1/feature-flags/8/check?user_id=user-7'");
    assert_eq!(answer["reason"], "SPLIT");
    let page = curl("curl -s -H 'Origin: https://evil.example' http://127.0.0.1:9181/api/v1/feature-flags/8");
    assert_eq!(page["status"], 403);

    // The commands find it, and what it keeps is no part of anybody's repository.
    said::teal(folder.path(), &["flags", "get", "8"]).expect(0, &["telehealth  on"]);
    said::teal(folder.path(), &["token", "create", "app", "--role", "sdk"]).expect(0, &["teal_", "shown this once"]);
    said::teal(folder.path(), &["token", "list"]).expect(0, &["app", "sdk", "everywhere"]);
    assert_eq!(std::fs::read_to_string(folder.path().join(".teal-dev/.gitignore")).unwrap(), "*\n");
    let said = std::fs::read_to_string(folder.path().join("agent.log")).unwrap();
    assert!(said.contains("without a token") && said.contains(".teal-dev"), "{said}");
}

#[test]
fn without_tokens_nothing_listens_to_other_machines() {
    let agent = super::Agent::new();
    agent.configure("insecure_http = true");
    let path = agent.path("teal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(&agent.address.to_string(), "0.0.0.0:9181")).unwrap();
    said::teal(agent.folder.path(), &["agent", "--dev"])
        .expect(2, &["--dev needs no tokens, but flags.listen is 0.0.0.0:9181"]);
}

#[test]
fn the_first_token_is_in_a_file_of_its_own_and_only_its_digest_in_the_configuration() {
    let folder = folder();
    said::teal(folder.path(), &["init", "--app", "shop", "--flags"]).expect(0, &["teal.toml", "teal-admin.token"]);
    said::teal(folder.path(), &["config", "check"]).expect(0, &["is valid"]);
    let token = std::fs::read_to_string(folder.path().join("teal-admin.token")).unwrap();
    let text = std::fs::read_to_string(folder.path().join("teal.toml")).unwrap();
    assert!(token.starts_with("teal_") && text.contains(&token[..17]) && !text.contains(token.trim()), "{text}");
    said::teal(folder.path(), &["init"]).expect(2, &["exists already and was left alone"]);
}
