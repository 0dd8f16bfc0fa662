//! A relay through the loss of the service and its own end.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use teal_flags::client::Readiness;
use teal_testkit::until;

use super::{Relay, Stream};
use crate::flags::{Agent, answers, application, listens};

#[tokio::test(flavor = "multi_thread")]
async fn applications_go_on_without_the_service_and_through_a_restart_of_the_relay_and_catch_up_after() {
    let mut service = Agent::started().await;
    let mut relay = Relay::started(service.address).await;
    service.patch("telehealth", json!({"enabled": true})).await;
    relay.tells(2).await;
    let old = application(relay.address);
    listens(&old, 2).await;
    let snapshot = relay.path("state/relay.snapshot");
    let is_kept = || async { std::fs::read_to_string(&snapshot).ok()?.contains("\"revision\":2").then_some(()) };
    until("what the relay knows is on the disk", is_kept).await;
    assert_eq!(std::fs::metadata(&snapshot).unwrap().permissions().mode() & 0o777, 0o600);

    // The service is lost: who is there goes on, and so does who comes anew.
    service.kill();
    relay.is_connected(false).await;
    assert!(old.is_enabled("user-7", "telehealth"));
    assert_eq!(relay.get("/telehealth/check?user_id=u1&environment=prod").await["enabled"], true);
    assert_eq!(relay.ofrep().await["value"], true);
    let new = application(relay.address);
    listens(&new, 2).await;
    assert!(new.is_enabled("user-7", "telehealth"));

    // So is the relay: what it knew is on the disk, and it says how old that is.
    relay.kill();
    relay.start().await;
    assert_eq!(relay.metric("teal_relay_connected ").await, Some(0));
    assert_eq!(relay.get("/telehealth/check?user_id=u1&environment=prod").await["enabled"], true);
    assert_eq!(relay.ofrep().await["value"], true);
    let age = || async {
        let age = relay.ask("/telehealth").await.headers()["age"].to_str().ok()?.parse::<u64>().ok()?;
        (age >= 2 && relay.metric("teal_relay_age_seconds ").await? >= 2).then_some(())
    };
    until("it says that it is stale", age).await;
    let newest = application(relay.address);
    assert_eq!(newest.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert!(newest.is_enabled("user-7", "telehealth"));
    let is_said = || async { (newest.status().staleness? >= Duration::from_secs(2)).then_some(()) };
    until("the application knows how stale it is", is_said).await;
    let mut stream = Stream::open(relay.address, &format!("{}:2", newest.status().instance.unwrap())).await;
    let [_, name, data] = stream.next().await;
    assert!(name == "ping" && data.contains("\"age\":"), "signs of life go on: {name} {data}");

    // The service comes back.
    service.start().await;
    relay.is_connected(true).await;
    service.patch("telehealth", json!({"enabled": false})).await;
    for application in [&old, &new, &newest] {
        answers(application, "telehealth", false).await;
        assert_eq!(application.status().revision, 3);
    }
    let fresh = || async { (relay.metric("teal_relay_age_seconds ").await? < 2).then_some(()) };
    until("it is fresh again", fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_more_than_a_relay_out_of_touch_keeps_it() {
    let mut service = Agent::started().await;
    let relay = Relay::started(service.address).await;
    relay.tells(1).await;
    let instance = relay.get("/snapshot").await["instance"].as_str().unwrap().to_owned();
    service.kill();
    relay.is_connected(false).await;
    // A later revision, and another instance: neither is taken back.
    for known in [format!("{instance}:7"), "another:2".to_owned()] {
        let mut stream = Stream::open(relay.address, &known).await;
        let [id, name, _] = stream.next().await;
        assert_eq!((id, name.as_str()), (known.clone(), "ping"));
    }
    let asked = relay.request(reqwest::Method::GET, "/snapshot").header("if-none-match", "\"another:2\"");
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    // Until the service can say.
    let mut waiting = Stream::open(relay.address, "another:2").await;
    assert_eq!(waiting.next().await[1], "ping");
    service.start().await;
    let [id, name, _] = waiting.next_news().await;
    assert_eq!((id, name.as_str()), (format!("{instance}:1"), "snapshot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_was_changed_is_put_aside() {
    let mut service = Agent::started().await;
    let mut relay = Relay::started(service.address).await;
    relay.tells(1).await;
    let snapshot = relay.path("state/relay.snapshot");
    until("it is on the disk", || async { snapshot.exists().then_some(()) }).await;
    relay.stop().await;
    service.kill();
    let text = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, text.replace("telehealth", "telehealtx")).unwrap();
    relay.start().await;
    assert_eq!(relay.ask("").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(relay.path("state/relay.snapshot.corrupt").exists() && !snapshot.exists());
    service.start().await;
    relay.tells(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_old_it_is_is_said_after_every_restart_without_the_service() {
    let mut service = Agent::started().await;
    let mut relay = Relay::started(service.address).await;
    relay.tells(1).await;
    relay.stop().await;
    service.kill();
    // Long ago, as the file says.
    let snapshot = relay.path("state/relay.snapshot");
    let text = std::fs::read_to_string(&snapshot).unwrap();
    let (header, document) = text.split_once('\n').unwrap();
    let (rest, _) = header.rsplit_once(' ').unwrap();
    std::fs::write(&snapshot, format!("{rest} 2020-01-01T00:00:00Z\n{document}")).unwrap();
    for restart in 1..=3 {
        relay.start().await;
        let age = until("it says its age", || relay.metric("teal_relay_age_seconds ")).await;
        assert!(age > 3 * 86_400, "{age} s after restart {restart}");
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_change_before_the_end_is_on_the_disk() {
    let service = Agent::started().await;
    let mut relay = Relay::started(service.address).await;
    relay.tells(1).await;
    for (revision, enabled) in [(2, true), (3, false), (4, true)] {
        service.patch("telehealth", json!({"enabled": enabled})).await;
        relay.tells(revision).await;
    }
    relay.stop().await;
    let text = std::fs::read_to_string(relay.path("state/relay.snapshot")).unwrap();
    assert!(text.contains("\"revision\":4"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_the_service_may_change_their_order() {
    let mut service = Agent::started().await;
    let other = std::net::SocketAddr::from(([127, 0, 0, 1], teal_testkit::free_port()));
    let mut relay = Relay::new(&[service.address, other], "");
    relay.start().await;
    relay.tells(1).await;
    relay.stop().await;
    service.kill();
    let file = relay.path("teal.toml");
    let [first, second] = [service.address, other].map(|address| format!("http://{address}"));
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace(&first, "FIRST").replace(&second, &first).replace("FIRST", &second);
    assert!(text.find(&second) < text.find(&first), "{text}");
    std::fs::write(&file, text).unwrap();
    relay.start().await;
    assert_eq!(relay.ask("/telehealth").await.status(), StatusCode::OK);
    assert!(!relay.path("state/relay.snapshot.other").exists());
}
