//! From a release by hand to the first one by Teal.

use std::fs;
use std::process::{Child, Command, Stdio};

use teal_agent::config;
use teal_rollout::colour::Colour;
use teal_rollout::document::Outcome;

use crate::site::{Site, TEAL};

/// Ends with the test.
struct ByHand(Child);

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_was_started_by_hand_is_the_way_back_of_the_first_release() {
    let observe = "mode = \"observe\"";
    let mut site = Site::new().empty().no_baseline().exchange("mode = \"act\"", observe).start().await;
    let file = site.path("teal.toml");
    let app = config::load(Some(&file)).unwrap().config.environments["prod"].components["app"].clone();
    let port = app.addresses(Colour::Blue)[0].port().to_string();
    let mut command = Command::new(TEAL);
    command.args(["sample-app", "--port", &port, "--version", "v1", "--colour", "blue"]);
    let mut by_hand = ByHand(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    // Who only looks sees what it is.
    let seen = site.wait_status("it is seen", |status| {
        let stable = &status.components[0].stable;
        (stable.ready == 1).then(|| stable.clone())
    });
    let seen = seen.await;
    assert_eq!((seen.version.as_deref(), seen.wanted), (Some("v1"), 1));
    site.teal(&["status"]).expect(0, &["v1", "1/1 ready"]);

    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(observe, "mode = \"act\"")).unwrap();
    site.stop_agent();
    site.start_agent().await;
    site.wait_status("it is seen by who acts", |status| (status.components[0].stable.ready == 1).then_some(())).await;
    site.fault("v2", "errors=100%");
    site.traffic.begin().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    site.wait_running("blue serves", |policy| !policy.routes[0].serves(Colour::Green)).await;
    assert!(by_hand.0.try_wait().unwrap().is_none(), "it runs on");
    site.traffic.end();
}
