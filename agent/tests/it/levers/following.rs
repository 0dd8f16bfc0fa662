//! Looking on: `deploy` to its end, detached, cut off; `wait`, `status`, `history`, `explain`.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use teal_rollout::document::{Outcome, Phase};

use crate::said::{self, Said};
use crate::site::Site;

#[tokio::test]
async fn ctrl_c_detaches_and_the_release_goes_on() {
    let site = Site::new().start().await;
    let mut deploy = said::command(site.path("").as_path(), &["deploy", "prod", "v2"]);
    let deploy = deploy.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    site.wait_phase(2, Phase::Watching).await;
    kill_process(Pid::from_raw(i32::try_from(deploy.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let said = Said::from(deploy.wait_with_output().unwrap());
    said.expect(0, &["--  detached   r-0002 goes on without this terminal", "teal wait r-0002", "teal rollback prod"]);
    site.teal(&["wait", "r-0002"]).expect(0, &["ok  completed"]);
}

#[tokio::test]
async fn a_detached_release_is_followed_by_its_number() {
    let site = Site::new().start().await;
    let said = site.teal(&["deploy", "prod", "v2", "--detach"]);
    said.expect(0, &[]);
    assert_eq!(said.text.trim(), "r-0002");
    site.teal(&["wait"]).expect(0, &["r-0002", "ok  completed"]);
    site.fault("v3", "errors=100%");
    assert_eq!(last(&site.teal(&["deploy", "prod", "v3", "--detach", "--json"]))["release"], "r-0003");
    let said = site.teal(&["wait", "r-0003", "--json"]);
    said.expect(3, &[]);
    let end = last(&said);
    assert_eq!((&end["result"], &end["exit"], &end["release"]), (&"rolled_back".into(), &3.into(), &"r-0003".into()));
    // Long after it has ended, too.
    site.teal(&["wait", "r-0002"]).expect(0, &["completed"]);
}

#[tokio::test]
async fn status_history_and_explain_tell_the_same_story() {
    let site = Site::new().start().await;
    assert_eq!(site.deploy("v2").await, 2);
    assert_eq!(site.wait_outcome(2).await, Outcome::Completed);
    let status = last(&site.teal(&["status", "prod", "--json"]));
    assert_eq!((&status["release"], &status["phase"]), (&"r-0002".into(), &"retaining".into()));
    assert_eq!((&status["rollback_safe"]["yes"], &status["reload_safe"]["yes"]), (&true.into(), &true.into()));
    assert_eq!(status["components"][0]["candidate"]["version"], "v2");
    assert_eq!(status["edges"][0]["feed"], "live");
    site.teal(&["status"]).expect(0, &["r-0002", "app", "v2", "rollback-safe  yes", "reload-safe    yes"]);

    site.fault("v3", "errors=100%");
    assert_eq!(site.deploy("v3").await, 3);
    assert_eq!(site.wait_outcome(3).await, Outcome::RolledBack);
    site.teal(&["history", "prod"])
        .expect(0, &["r-0001", "r-0002", "completed", "r-0003", "rolled back", "errors of app"]);
    let releases = last(&site.teal(&["history", "prod", "--json"]));
    let outcomes: Vec<&str> = releases.as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["rolled_back", "completed", "kept"]);
    let words = ["r-0003", "bad: errors of app", "log M", "traffic is back on the old colour"];
    site.teal(&["explain", "r-0003"]).expect(0, &words);
    site.teal(&["explain", "r-0099"]).expect(2, &["there is no release r-0099"]);
}

/// The last line, as JSON.
fn last(said: &Said) -> Value {
    serde_json::from_str(said.text.lines().last().unwrap()).unwrap()
}
