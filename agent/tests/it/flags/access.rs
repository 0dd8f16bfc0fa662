//! Tokens of a real agent: made at the command line, used, refused, revoked; and nothing of them in its log.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teal_flags::client::{Builder, Link};
use teal_testkit::until;

use super::{Agent, TOKEN, answers, builder, listens};
use crate::said::{self, Said};

impl Agent {
    fn teal(&self, words: &[&str]) -> Said {
        said::command(self.folder.path(), words).output().unwrap().into()
    }

    /// A new token, by the command line.
    #[track_caller]
    pub(super) fn new_token(&self, name: &str, words: &[&str]) -> String {
        let said = self.teal(&[&["token", "create", name, "--json"], words].concat());
        said.expect(0, &["teal_"]);
        let made: Value = serde_json::from_str(said.text.lines().last().unwrap()).unwrap();
        made["token"].as_str().unwrap().to_owned()
    }

    /// An application, to be given a token.
    pub(super) fn builder(&self, scheme: &str) -> Builder {
        builder(scheme, self.address)
    }

    /// A change through the operators' socket.
    pub(super) fn by_socket(&self, flag: &str, fields: &str) {
        let socket = self.path("state/agent.sock");
        let url = format!("http://teal/api/v1/feature-flags/{flag}");
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sf", "--unix-socket"]).arg(socket).args(["-X", "PATCH", &url, "-d", fields]);
        let done = curl.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// What a request with this token comes to.
    async fn by(&self, token: &str, method: Method, rest: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self.request(method, rest).bearer_auth(token);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let answer = request.send().await.unwrap();
        let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status();
        assert_eq!(challenge.is_some(), status == StatusCode::UNAUTHORIZED, "{challenge:?}");
        (status, answer.json().await.unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_it_is_for_until_it_is_revoked() {
    let agent = Agent::started().await;
    let editor = agent.new_token("dev-ops", &["--role", "editor", "--environment", "dev", "--may-name-people"]);
    let viewer = agent.new_token("board", &["--role", "viewer", "--expires", "90d"]);
    let client = agent.new_token("page", &["--role", "client"]);
    let refused = async |token: &str, method: Method, rest: &str, body: Option<Value>, words: &str| {
        let (status, problem) = agent.by(token, method.clone(), rest, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {rest}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    };
    let on = || Some(json!({"enabled": true, "reason": "a try"}));

    // What is meant for dev alone, and nothing else.
    let request = agent.request(Method::PATCH, "/mobile_app_sync").bearer_auth(&editor).header("x-teal-user", "anna");
    let changed = request.json(&on().unwrap()).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let entry = &agent.get("/mobile_app_sync/audit-log").await["entries"][0];
    assert_eq!((&entry["who"], &entry["ip"]), (&json!("dev-ops for anna"), &json!("127.0.0.1")));
    refused(&editor, Method::PATCH, "/telehealth", on(), "the token is for dev; the flag is meant for all").await;
    let everywhere = Some(json!({"environments": null}));
    refused(&editor, Method::PATCH, "/mobile_app_sync", everywhere, "the token is for dev").await;
    refused(&editor, Method::POST, "", Some(json!({"name": "new"})), "meant for all").await;

    refused(&viewer, Method::PATCH, "/telehealth", on(), "the token is for viewer; this needs one of editor, admin")
        .await;
    assert_eq!(agent.by(&viewer, Method::GET, "/telehealth", None).await.0, StatusCode::OK);

    // Answers of flags that are for clients; there are no others.
    refused(&client, Method::GET, "", None, "this needs one of viewer").await;
    refused(&client, Method::GET, "/snapshot", None, "this needs one of sdk").await;
    assert_eq!(agent.by(&client, Method::GET, "/telehealth/check", None).await.0, StatusCode::NOT_FOUND);
    agent.patch("telehealth", json!({"client_visible": true})).await;
    assert_eq!(agent.by(&client, Method::GET, "/telehealth/check", None).await.0, StatusCode::OK);

    agent.teal(&["token", "list"]).expect(0, &["dev-ops", "editor", "first", "admin", "everywhere"]);
    agent.teal(&["token", "revoke", "dev-ops", "--reason", "moved"]).expect(0, &["dev-ops", "is revoked"]);
    let (status, problem) = agent.by(&editor, Method::GET, "", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("was revoked"), "{problem}");
    let said = agent.teal(&["token", "list"]);
    assert!(!said.text.contains("dev-ops"), "{}", said.text);
    agent.teal(&["token", "list", "--all"]).expect(0, &["dev-ops", "revoked"]);
    agent.teal(&["token", "revoke", "nobody"]).expect(2, &["there is no token `nobody`"]);
    agent.teal(&["token", "create", "x", "--role", "root"]).expect(2, &["`root` is no role"]);

    // Neither tokens nor their parts are in any log or file but the database's digests.
    let log = std::fs::read_to_string(agent.path("agent.log")).unwrap();
    for token in [&editor, &viewer, &client, &TOKEN.reveal()] {
        assert!(!log.contains(token.split('_').nth(2).unwrap()), "{log}");
    }
    assert!(!log.contains("anna"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_an_environment_asks_for_it_alone() {
    let agent = Agent::started().await;
    let token = agent.new_token("shop", &["--role", "sdk", "--environment", "prod"]);
    let check = async |method: Method, rest: &str, body: Option<Value>, expected: StatusCode| {
        assert_eq!(agent.by(&token, method, rest, body).await.0, expected, "{rest}");
    };
    let counts =
        |environment: &str| Some(json!({"environment": environment, "until": "2026-11-28T09:01:00Z", "counts": []}));
    check(Method::GET, "/snapshot?environment=prod", None, StatusCode::OK).await;
    check(Method::GET, "/snapshot", None, StatusCode::OK).await;
    check(Method::GET, "/snapshot?environment=dev", None, StatusCode::FORBIDDEN).await;
    check(Method::GET, "/stream?environment=dev", None, StatusCode::FORBIDDEN).await;
    check(Method::POST, "/exposures", counts("prod"), StatusCode::NO_CONTENT).await;
    check(Method::POST, "/exposures", counts("dev"), StatusCode::FORBIDDEN).await;
    check(Method::GET, "/telehealth/check?environment=dev", None, StatusCode::FORBIDDEN).await;
    check(Method::POST, "/telehealth/check", Some(json!({"environment": "prod"})), StatusCode::OK).await;
    check(Method::POST, "/telehealth/check", Some(json!({"environment": "dev"})), StatusCode::FORBIDDEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_confined_is_told_of_no_segment_not_everything_and_nothing_of_what_is_gone() {
    let agent = Agent::started().await;
    let staff = json!({"name": "staff", "include": ["somebody"]});
    agent.request(Method::POST, "/segments").json(&staff).send().await.unwrap().error_for_status().unwrap();
    let twice = || json!({"name": "twice", "environments": ["prod"], "reason": "for the first one"});
    agent.request(Method::POST, "").json(&twice()).send().await.unwrap().error_for_status().unwrap();
    agent.request(Method::DELETE, "/twice").send().await.unwrap().error_for_status().unwrap();
    let again = json!({"name": "twice", "environments": ["dev"], "reason": "for the second one"});
    agent.request(Method::POST, "").json(&again).send().await.unwrap().error_for_status().unwrap();

    let free = agent.new_token("free", &["--role", "viewer"]);
    let sdk = agent.new_token("shop", &["--role", "sdk", "--environment", "dev"]);
    for role in ["viewer", "editor", "deployer"] {
        let token = agent.new_token(role, &["--role", role, "--environment", "dev"]);
        for rest in ["/segments", "/segments/staff", "/snapshot", "/stream", "/audit-log", "/stale"] {
            let (status, problem) = agent.by(&token, Method::GET, rest, None).await;
            let detail = problem["detail"].as_str().unwrap_or_default();
            assert_eq!(status, StatusCode::FORBIDDEN, "{role} {rest}");
            assert!(detail.starts_with("the token is for dev, and this is of all environments"), "{detail}");
            assert!(!problem.to_string().contains("somebody"));
        }
        let (status, log) = agent.by(&token, Method::GET, "/twice/audit-log", None).await;
        let reasons: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| entry["reason"].clone()).collect();
        assert_eq!((status, reasons), (StatusCode::OK, vec![json!("for the second one")]), "{role}");
        // At the command line it is said as well.
        let exported = said::command(agent.folder.path(), &["flags", "export"])
            .args(["--url", &format!("http://{}", agent.address)])
            .env("TEAL_TOKEN", &token)
            .output();
        Said::from(exported.unwrap()).expect(4, &["the token is for dev", "use a token of all"]);
    }
    for rest in ["/segments", "/segments/staff", "/snapshot"] {
        assert_eq!(agent.by(&free, Method::GET, rest, None).await.0, StatusCode::OK, "{rest}");
    }
    assert_eq!(agent.by(&free, Method::GET, "/twice/audit-log", None).await.1["entries"].as_array().unwrap().len(), 3);
    let document = agent.by(&sdk, Method::GET, "/snapshot", None).await;
    assert_eq!((document.0, document.1["segments"][0]["name"].as_str()), (StatusCode::OK, Some("staff")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_tokens_stream_ends_and_a_new_one_is_taken_up() {
    let agent = Agent::started().await;
    let file = agent.path("shop.token");
    let path = file.to_str().unwrap();
    let nameless = ["token", "create", "", "--role", "sdk", "--to", path];
    agent.teal(&nameless).expect(2, &["a field cannot be taken"]);
    assert!(!file.exists(), "nothing is left of a token that was refused");
    agent.teal(&["token", "create", "shop", "--role", "sdk", "--to", path]).expect(0, &["the token is in"]);
    agent.teal(&["token", "create", "other", "--role", "sdk", "--to", path]).expect(2, &["exists already"]);
    let application = agent.builder("http").token_file(&file).start();
    listens(&application, 1).await;
    agent.teal(&["token", "revoke", "shop"]).expect(0, &[]);
    until("the stream has ended and is refused", || async {
        let status = application.status();
        (status.link != Link::Streaming && !status.troubles.is_empty()).then_some(())
    })
    .await;
    agent.metric("teal_flags_streams", 0).await;
    agent.patch("telehealth", json!({"enabled": true})).await;
    assert!(!application.is_enabled("user-7", "telehealth"), "it is told nothing any more");
    std::fs::remove_file(&file).unwrap();
    agent.teal(&["token", "create", "shop", "--role", "sdk", "--to", path]).expect(0, &[]);
    answers(&application, "telehealth", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_open_the_socket_is_an_admin_under_their_own_name() {
    let agent = Agent::started().await;
    agent.teal(&["flags", "list"]).expect(0, &["telehealth"]);
    agent.by_socket("telehealth", "{\"enabled\":true}");
    let entry = &agent.get("/telehealth/audit-log").await["entries"][0];
    let user = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    assert_eq!(entry["who"].as_str().unwrap(), String::from_utf8(user).unwrap().trim());
    assert_eq!(entry["ip"], "");
}
