//! Who may tell what at this door.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::access::{Directory, FirstToken, Record, Role, Roles, Token};
use crate::flags::now;
use crate::http::access::FromHere;

struct Rig {
    address: SocketAddr,
    heard: Heard,
    http: reqwest::Client,
    _stop: tokio_util::sync::DropGuard,
}

/// A token, and what is known of it.
fn token(roles: &[Role], environments: &[&str]) -> (String, Record) {
    let token = Token::random().unwrap();
    let environments = environments.iter().map(|name| (*name).to_owned()).collect();
    let first = Record::first(&FirstToken::from(&token), now());
    (token.reveal(), Record { roles: Roles::of(roles), environments, ..first })
}

fn access(records: Vec<Record>) -> access::Settings {
    let (_, tokens) = watch::channel(Arc::new(Directory::new(records)));
    access::Settings {
        tokens,
        from_here: FromHere::Token,
        legacy: Vec::new(),
        trusted_proxies: Vec::new(),
        person_header: "x-teal-user".parse().unwrap(),
        hosts: Vec::new(),
        origins: Vec::new(),
        per_token: 1_000,
        per_address: 1_000,
    }
}

impl Rig {
    async fn start(records: Vec<Record>) -> Self {
        let access = access(records);
        let heard = Heard::default();
        let told = Told { workloads: vec!["app".into()], heard: heard.clone() };
        let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), tls: None, access };
        let stop = CancellationToken::new();
        let open = start([("prod".to_owned(), told)].into(), settings, stop.clone()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address: open.address, heard, http, _stop: stop.drop_guard() }
    }

    async fn tell(&self, token: &str, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let answer = self.http.post(url).bearer_auth(token).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }
}

const PATH: &str = "/api/v1/environments/prod/observations";

fn told(sequence: u64, boot: char) -> Value {
    json!({
        "observer": "n1", "boot": boot.to_string().repeat(32), "sequence": sequence, "node": "n1", "later": "versions may say more",
        "groups": [{
            "workload": "app", "colour": "green", "templates": [], "pods": 2, "ready": 1, "crash_looping": 1, "restarts": 3,
            "reason": "Error", "exit_code": 1,
        }],
    })
}

#[tokio::test]
async fn only_observers_tell_and_what_cannot_be_taken_is_named() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (observer, known) = token(&[Role::Observer], &[]);
    let (other, of_staging) = token(&[Role::Observer], &["staging"]);
    let all_but = [Role::Sdk, Role::Client, Role::Viewer, Role::Editor, Role::Deployer, Role::Admin];
    let (admin, of_flags) = token(&all_but, &[]);
    let rig = Rig::start(vec![known, of_staging, of_flags]).await;
    let check = async |token: &str, path: &str, body: Value, expected: (u16, Option<&str>)| {
        let (status, problem) = rig.tell(token, path, body.to_string()).await;
        assert_eq!((status, problem["field"].as_str()), expected, "{problem}");
    };
    check(&observer, PATH, told(2, 'a'), (204, None)).await;
    assert_eq!(rig.heard.counts(), (1, 0));
    // Twice, and late: no harm.
    check(&observer, PATH, told(2, 'a'), (204, None)).await;
    check(&observer, PATH, told(1, 'a'), (204, None)).await;
    check(&observer, PATH, told(1, 'b'), (204, None)).await;
    check(&observer, PATH, told(3, 'a'), (409, None)).await;

    check("", PATH, told(1, 'a'), (401, None)).await;
    check(&Token::random().unwrap().reveal(), PATH, told(1, 'a'), (401, None)).await;
    check(&admin, PATH, told(1, 'a'), (403, None)).await;
    check(&other, PATH, told(1, 'a'), (403, None)).await;
    check(&observer, "/api/v1/environments/dev/observations", told(1, 'a'), (404, None)).await;
    check(&observer, "/api/v1/feature-flags", told(1, 'a'), (404, None)).await;

    let mut wrong = told(9, 'b');
    wrong["groups"][0]["ready"] = json!(3);
    check(&observer, PATH, wrong.clone(), (422, Some("groups[0].ready"))).await;
    wrong["groups"][0]["ready"] = json!("many");
    check(&observer, PATH, wrong.clone(), (422, Some("groups[0].ready"))).await;
    wrong["groups"][0]["ready"] = json!(-1);
    check(&observer, PATH, wrong, (422, Some("groups[0].ready"))).await;
    let mut wrong = told(9, 'b');
    wrong["groups"][0]["colour"] = json!("teal");
    check(&observer, PATH, wrong, (422, Some("groups[0].colour"))).await;
    let mut wrong = told(9, 'b');
    wrong.as_object_mut().unwrap().remove("node");
    let (status, problem) = rig.tell(&observer, PATH, wrong.to_string()).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains("`node`"), "{problem}");
    assert_eq!(rig.tell(&observer, PATH, "{").await.0, 400);
    assert_eq!(rig.tell(&observer, PATH, " ".repeat(300_000)).await.0, 413);
    let url = format!("http://{}{PATH}", rig.address);
    let answer = rig.http.get(url).bearer_auth(&observer).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "OPTIONS, POST"));
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named() {
    let missing = PathBuf::from("/nowhere");
    let access = access(Vec::new());
    let tls = Some(TlsFiles { certificate: missing.clone(), key: missing });
    let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), tls, access };
    let error = start(BTreeMap::new(), settings, CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("observers.tls_certificate_file") && error.contains("/nowhere"), "{error}");
}
