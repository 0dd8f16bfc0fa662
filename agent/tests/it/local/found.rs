//! What somebody else started on a colour's ports.

use std::process::{Child, Command, Stdio};

use teal_rollout::colour::Colour::{self, Blue, Green};

use super::site::{Site, TEAL, is_alive};

/// An app that nobody but the test starts and ends.
struct ByHand(Child);

impl ByHand {
    fn start(site: &Site, colour: Colour, words: &[&str]) -> Self {
        let port = site.port(colour).to_string();
        let mut command = Command::new(TEAL);
        command.args(["sample-app", "--port", &port]).args(words).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_was_started_by_hand_is_told_with_its_version_and_never_ended() {
    let site = Site::new();
    let mut app = ByHand::start(&site, Blue, &["--version", "v1", "--colour", "blue"]);
    let mut agent = site.agent();
    let told = agent.ready(Blue, "v1").await;
    assert_eq!((told.ready, told.wanted, told.release), (1, 1, 0));
    // The order to run what runs is carried out by leaving it.
    agent.start(Blue, "v1", 3).await;
    let told = agent.ready(Blue, "v1").await;
    assert_eq!((told.ready, told.release), (1, 3));
    agent.stop(Blue).await;
    agent.start(Blue, "v1", 4).await;
    assert_eq!(agent.until(Blue, |told| told.release == 4).await.0.ready, 1);
    assert!(site.list().await.is_empty() && is_alive(app.pid()));
    // Another version finds its port taken, and what serves is left alone.
    agent.start(Blue, "v2", 5).await;
    let failure = agent.failure(Blue).await.failure.unwrap();
    assert!(failure.contains(&format!("in use by pid {}", app.pid())), "{failure}");
    agent.stop(Blue).await;
    agent.ready(Blue, "v1").await;
    // Gone by somebody else's hand: Teal's own takes its place, as after a reboot.
    app.end();
    agent.until(Blue, |told| told.version.is_none() && told.ready == 0).await;
    agent.start(Blue, "v1", 6).await;
    agent.ready(Blue, "v1").await;
    assert_eq!(site.list().await.len(), 1);
}

#[tokio::test]
async fn what_does_not_say_its_version_is_unknown_and_cannot_be_started_again() {
    let site = Site::new();
    let mut app = ByHand::start(&site, Green, &["--version=v1"]);
    let mut agent = site.agent();
    agent.ready(Green, "unknown").await;
    agent.start(Green, "unknown", 3).await;
    assert_eq!(agent.until(Green, |told| told.release == 3).await.0.ready, 1);
    app.end();
    agent.until(Green, |told| told.ready == 0).await;
    agent.start(Green, "unknown", 4).await;
    let failure = agent.failure(Green).await.failure.unwrap();
    assert!(failure.contains("does not say its version"), "{failure}");
    assert!(site.list().await.is_empty());
}
