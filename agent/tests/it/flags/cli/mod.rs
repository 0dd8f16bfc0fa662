//! `teal flags` as people and scripts use it, against a real agent.

mod carrying;
mod changing;
mod moving;

use serde_json::Value;

use super::{Agent, TOKEN};
use crate::said::{self, Said};

impl Agent {
    /// `teal flags WORDS` in the agent's folder: the service is the configured one.
    fn flags(&self, words: &[&str]) -> Said {
        let mut command = said::command(self.folder.path(), &["flags"]);
        for variable in ["TEAL_FLAGS_URL", "TEAL_TOKEN_FILE", "TEAL_TOKEN", "TEAL_CA_FILE"] {
            command.env_remove(variable);
        }
        command.args(words).output().unwrap().into()
    }

    /// The same, done well, and its answer as JSON.
    #[track_caller]
    fn flags_json(&self, words: &[&str]) -> Value {
        let said = self.flags(&[words, &["--json"]].concat());
        said.expect(0, &[]);
        serde_json::from_str(said.text.lines().last().unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_are_listed_and_shown_as_a_newcomer_looks_at_them() {
    let agent = Agent::started().await;
    let said = agent.flags(&["list"]);
    said.expect(0, &["bhyt_insurance_validation", "mobile_app_sync", "10 flags, 6 on"]);
    assert!(said.text.lines().all(|line| line.chars().count() <= 80) && !said.text.contains('\u{1b}'), "{}", said.text);
    let listed = agent.flags_json(&["list", "--enabled"]);
    assert_eq!((listed["flags"].as_array().unwrap().len(), &listed["total"]), (6, &10.into()));
    agent.flags(&["list", "--environment", "prod", "--search", "SYNC"]).expect(0, &["no flags"]);

    agent.flags(&["get", "8"]).expect(0, &["telehealth  off", "nobody; once it is on: everybody", "version 1"]);
    assert_eq!(agent.flags_json(&["get", "telehealth"])["id"], 8);
    agent.flags(&["get", "telehelth"]).expect(2, &["there is no flag `telehelth`", "did you mean telehealth?"]);
    agent.flags(&["list", "--environment", "prdo"]).expect(0, &["warning: ", "`prdo`", "did you mean prod?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_elsewhere_needs_no_configuration() {
    let agent = Agent::started().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let url = format!("http://{}", agent.address);
    let words = ["flags", "--url", &url, "get", "telehealth"];
    said::teal(elsewhere.path(), &words).expect(4, &["a token is needed"]);
    let path = elsewhere.path().join("token");
    std::fs::write(&path, TOKEN.reveal()).unwrap();
    let with_token = [&words[..], &["--token-file", path.to_str().unwrap()]].concat();
    said::teal(elsewhere.path(), &with_token).expect(0, &["telehealth  off"]);
    let said = said::teal(elsewhere.path(), &["flags", "list"]);
    said.expect(2, &["no configuration", "teal flags --url"]);
    let said = said::teal(elsewhere.path(), &["flags", "list", "--url", "http://127.0.0.1:1"]);
    said.expect(5, &["the flag service at http://127.0.0.1:1 cannot be reached"]);
    said::teal(elsewhere.path(), &["flags", "list", "--url", "nowhere"]).expect(2, &["write it as https://HOST"]);
    let said = said::teal(elsewhere.path(), &["flags", "list", "--url", &url, "--token-file", "/nowhere"]);
    said.expect(2, &["the token in /nowhere"]);
}
