//! schemathesis holds a real agent against its OpenAPI document: it asks what the document allows and what it does not, and looks
//! whether each answer is one that the document has.
//!
//! The same questions each time. The stream is left out, because it does not end; `following.rs` reads it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Agent, TOKEN};

/// What `make install-deps` has installed.
fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into()));
    let path = target.join("providers/schemathesis/bin/schemathesis");
    assert!(path.exists(), "{} is not there: make install-deps installs it", path.display());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_failure_or_one_that_the_document_does_not_have() {
    let agent = Agent::started().await;
    // The document itself is for whoever has a token, too.
    let document = agent.path("openapi.json");
    let url = format!("http://{}", agent.address);
    let text = agent.http.get(format!("{url}/api/openapi.json")).send().await.unwrap().text().await.unwrap();
    std::fs::write(&document, text).unwrap();
    let done = Command::new(program())
        .args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis/schemathesis.toml")])
        .args(["run", document.to_str().unwrap(), "--url", &url, "--generation-deterministic"])
        .args(["--header", &format!("Authorization: Bearer {}", TOKEN.reveal())])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--continue-on-failure", "--no-color"])
        // It asks for what is allowed without knowing which flags there are, and how percentages and segments hang together.
        .args(["--exclude-checks", "positive_data_acceptance,ignored_auth", "--warnings", "off"])
        // It would revoke the token that it comes by.
        .args([
            "--exclude-operation-id",
            "streamChanges",
            "--exclude-operation-id",
            "revokeToken",
            "--request-timeout",
            "10",
        ])
        .current_dir(agent.folder.path())
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("passed") && !said.contains(" 0 generated"), "{said}");
    // It was still the same agent, and it is well.
    let all = agent.get("").await;
    assert!(all["total"].as_u64() >= Some(1));
    assert!(all["revision"].as_u64() > Some(1), "it was not told to change anything: {said}");
    let log = std::fs::read_to_string(agent.path("agent.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
