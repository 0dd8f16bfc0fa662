//! What a relay tells while the service is there, and when its database is not what it was.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teal_agent::access::Token;
use teal_flags::client::{Client, Link};
use teal_testkit::{free_port, until};

use super::upstream::Upstream;
use super::{Relay, Stream};
use crate::flags::{Agent, TOKEN, answers, application, copy, listens};
use crate::said;

#[tokio::test(flavor = "multi_thread")]
async fn an_application_sees_a_change_through_the_relay_and_may_go_from_one_to_the_other() {
    let service = Agent::started().await;
    let relay = Relay::started(service.address).await;
    let application = application(relay.address);
    listens(&application, 1).await;
    let instance = application.status().instance.unwrap();
    service.patch("telehealth", json!({"enabled": true})).await;
    answers(&application, "telehealth", true).await;
    service.patch("telehealth", json!({"enabled": false})).await;
    service.request(Method::DELETE, "/billing_integration").send().await.unwrap().error_for_status().unwrap();
    relay.tells(4).await;

    // Who was at revision 2 is told the same by both, and no more than what it missed.
    let known = format!("{instance}:2");
    let of_service = Stream::open(service.address, &known).await.next().await;
    let of_relay = Stream::open(relay.address, &known).await.next().await;
    assert_eq!(of_relay, of_service);
    assert_eq!((&of_relay[0], of_relay[1].as_str()), (&format!("{instance}:4"), "delta"));
    // Who has the newest hears that, from both.
    for address in [service.address, relay.address] {
        let event = Stream::open(address, &format!("{instance}:4")).await.next().await;
        assert_eq!(event[..2], [format!("{instance}:4"), "ping".to_owned()]);
    }

    // Every question has the same answer.
    for path in ["", "?limit=2&offset=3", "/telehealth", "/8", "/8/check?user_id=u1&environment=prod", "/snapshot"] {
        let (here, there): (Value, Value) = (relay.get(path).await, service.get(path).await);
        assert_eq!(here, there, "{path}");
    }
    assert!(relay.ask("/8").await.headers().contains_key("age"));
    assert_eq!(relay.ask("/unheard-of").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_changes_nothing_and_says_who_does() {
    let service = Agent::started().await;
    let relay = Relay::started(service.address).await;
    relay.tells(1).await;
    let requests = [
        relay.request(Method::PATCH, "/8").json(&json!({"enabled": true})),
        relay.request(Method::DELETE, "/8"),
        relay.request(Method::POST, "").json(&json!({"name": "new"})),
        relay.request(Method::GET, "/8/audit-log"),
    ];
    for request in requests {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        let upstream = format!("http://{}", service.address);
        assert!(problem["detail"].as_str().unwrap().contains(&upstream), "{problem}");
    }
    assert_eq!(service.get("/8").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_never_heard_the_service_says_so_and_takes_a_replica_that_answers() {
    let service = Agent::started().await;
    let dead = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut relay = Relay::new(&[dead], "");
    relay.start().await;
    let answer = relay.ask("/telehealth").await;
    assert_eq!(
        (answer.status(), &answer.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    let ready = relay.http.get(format!("http://{}/readyz", relay.metrics)).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    // Nobody is told that there are no flags.
    let application = application(relay.address);
    until("the application has asked", || async { (!application.status().troubles.is_empty()).then_some(()) }).await;
    assert_eq!(application.status().instance, None);

    relay.stop().await;
    let mut relay = Relay::new(&[dead, service.address], "");
    relay.start().await;
    relay.tells(1).await;
    relay.is_connected(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_or_emptied_database_is_noticed_through_relays_and_makes_no_known_flag_unknown() {
    let mut service = Agent::started().await;
    let relays = [Relay::started(service.address).await, Relay::started(service.address).await];
    let applications: Vec<Client> = relays.iter().map(|relay| application(relay.address)).collect();
    for application in &applications {
        listens(application, 1).await;
    }
    service.stop().await;
    let backup = service.path("backup.db");
    copy(&service.database(), &backup);
    service.start().await;
    service.patch("telehealth", json!({"enabled": true})).await;
    let made =
        service.request(Method::POST, "").json(&json!({"name": "newest", "enabled": true})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    for application in &applications {
        answers(application, "newest", true).await;
    }
    let before = applications[0].status().instance;

    service.stop().await;
    copy(&backup, &service.database());
    service.start().await;
    for application in &applications {
        answers(application, "telehealth", false).await;
        assert_ne!(application.status().instance, before);
        assert!(application.is_enabled("user-7", "newest"), "nobody has deleted it");
    }
    // Nor is it unknown to who asks the relay, or comes anew.
    for relay in &relays {
        assert_eq!(relay.get("/newest/check?user_id=u1").await["enabled"], true);
    }

    service.stop().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(service.database());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("DELETE FROM feature_flags").execute(&pool).await.unwrap();
    pool.close().await;
    let before = applications[0].status().instance;
    service.start().await;
    for (application, relay) in applications.iter().zip(&relays) {
        until("the application has noticed", || async { (application.status().instance != before).then_some(()) })
            .await;
        assert!(application.is_enabled("user-7", "billing_integration"), "nobody has deleted it");
        assert_eq!(relay.get("/billing_integration/check?user_id=u1").await["enabled"], true);
    }
    let made = service.request(Method::POST, "").json(&json!({"name": "billing_integration"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    for application in &applications {
        answers(application, "billing_integration", false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_knows_of_a_restored_service_reaches_it_through_the_relay() {
    let service = Agent::started().await;
    let relay = Relay::started(service.address).await;
    relay.tells(1).await;
    let document = relay.get("/snapshot").await;
    let before = document["instance"].as_str().unwrap();
    // The service and all that stood beside it were restored: only the application knows.
    let mut stream = Stream::open(relay.address, &format!("{before}:99")).await;
    let [id, name, _] = stream.next_news().await;
    assert_eq!(name, "snapshot");
    assert!(!id.starts_with(before), "{id}");
    assert!(service.get("/snapshot").await["instance"] != document["instance"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_made_up_costs_the_service_one_question() {
    let (upstream, address) = Upstream::start(None, 0).await;
    let relay = Relay::started(address).await;
    relay.is_connected(true).await;
    for _ in 0..4 {
        let [id, name, _] = Stream::open(relay.address, "made-up:7").await.next().await;
        assert_eq!((id.as_str(), name.as_str()), ("a:3", "snapshot"));
    }
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_service_refuses_is_said_and_a_new_one_is_taken() {
    let (_upstream, address) = Upstream::start(Some("right"), 0).await;
    let token = teal_testkit::folder();
    let file = token.path().join("token");
    std::fs::write(&file, "wrong").unwrap();
    let mut relay = Relay::new(&[address], &format!("upstream_token_file = \"{}\"", file.display()));
    relay.start().await;
    let log = relay.path("relay.log");
    let is_said = || async { std::fs::read_to_string(&log).unwrap().contains("401").then_some(()) };
    until("the refusal is in the log", is_said).await;
    assert_eq!(relay.ask("").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    std::fs::write(&file, "right").unwrap();
    relay.tells(3).await;
    let application = application(relay.address);
    until("the application listens", || async { (application.status().link == Link::Streaming).then_some(()) }).await;
    answers(&application, "telehealth", true).await;
    let log = std::fs::read_to_string(relay.path("relay.log")).unwrap();
    assert!(!log.contains("wrong") && !log.contains("right"), "{log}");
}

#[test]
fn what_is_wrong_with_an_upstream_is_said_before_it_starts() {
    let check = |lines: &str, words: &str| {
        let folder = teal_testkit::folder();
        let text = format!("app = \"shop\"\nstate = \"{}\"\n[flags]\n{lines}\n", folder.path().join("state").display());
        std::fs::write(folder.path().join("teal.toml"), text).unwrap();
        said::teal(folder.path(), &["config", "check"]).expect(2, &[words]);
    };
    check("upstream = \"http://flags.internal\"", "in clear to flags.internal: use https");
    check("upstream = \"flags.internal\"", "write it as https://HOST");
    check("upstream = []", "names no service");
    check("upstream = \"https://ops:secret@flags.internal\"", "put the token into a file");
    check("upstream_token_file = \"/run/token\"", "this is for a relay");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_other_machines_a_relay_asks_for_its_own_token_also_when_that_is_another_one() {
    let service = Agent::started().await;
    let mut relay = Relay::new(&[service.address], "insecure_http = true");
    let (file, here) = (relay.path("teal.toml"), format!("listen = \"{}\"\nupstream", relay.address));
    let text = std::fs::read_to_string(&file).unwrap();
    let anywhere = format!("listen = \"0.0.0.0:{}\"\nupstream", relay.address.port());
    assert!(text.contains(&here), "{text}");
    std::fs::write(&file, text.replace(&here, &anywhere)).unwrap();
    relay.start().await;
    relay.is_connected(true).await;
    let asked = async |token: &str| {
        let request = relay.request(Method::GET, "/snapshot");
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        request.send().await.unwrap().status()
    };
    let (old, new) = (TOKEN.reveal(), Token::random().unwrap().reveal());
    assert_eq!(asked("").await, StatusCode::UNAUTHORIZED);
    assert_eq!(asked(&new).await, StatusCode::UNAUTHORIZED);
    assert_eq!(asked(&old).await, StatusCode::OK);
    std::fs::write(relay.path("upstream.token"), &new).unwrap();
    until("the old token is refused", || async { (asked(&old).await == StatusCode::UNAUTHORIZED).then_some(()) }).await;
    assert_eq!(asked(&new).await, StatusCode::OK);
}
