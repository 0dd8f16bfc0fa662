//! What a door puts up with: floods of streams and connections, slow and large requests; and TLS from end to end.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use reqwest::{Method, StatusCode};
use serde_json::json;
use teal_testkit::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Agent, TOKEN, answers, listens};

/// Longer than any of the door's patience.
const LONG: Duration = Duration::from_secs(14);

impl Agent {
    /// Waits until a metric has this value.
    pub(super) async fn metric(&self, name: &str, value: u32) {
        let url = format!("http://127.0.0.1:{}/metrics", self.address.port() - 1);
        until(&format!("{name} is {value}"), || async {
            let text = self.http.get(&url).send().await.ok()?.text().await.ok()?;
            let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name))?;
            (line.rsplit(' ').next()?.parse::<f64>().ok()? == f64::from(value)).then_some(())
        })
        .await;
    }

    /// Files that the agent has open.
    fn files(&self) -> usize {
        let pid = self.child.as_ref().unwrap().id();
        std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
    }

    /// A connection that has sent this, and perhaps goes on.
    async fn sends(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    fn head(&self, method: &str, rest: &str) -> String {
        let token = TOKEN.reveal();
        format!("{method} /api/v1/feature-flags{rest} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_streams_is_refused_in_part_hinders_no_operator_and_leaves_nothing() {
    let mut agent = Agent::new();
    agent.configure("limits = { connections = 200, streams = 60, streams_per_token = 40 }");
    agent.start().await;
    agent.get("").await;
    let before = agent.files();
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..60 {
        let mut stream = agent.sends(&(agent.head("GET", "/stream") + "\r\n")).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        match &answer[9..] {
            b"200" => held.push(stream),
            b"503" => refused += 1,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    assert_eq!((held.len(), refused), (40, 20));
    agent.metric("teal_flags_streams", 40).await;
    // Others have their own, and an operator is not locked out.
    agent.patch("telehealth", json!({"enabled": true})).await;
    drop(held);
    agent.metric("teal_flags_streams", 0).await;
    until("the files are closed again", || async { (agent.files() <= before + 2).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_all_connections() {
    let mut agent = Agent::new();
    agent.configure("limits = { connections = 200, connections_per_address = 50, streams = 100 }");
    agent.start().await;
    let mut held = Vec::new();
    for _ in 0..80 {
        held.push(agent.sends("GET / HTTP/1.1\r\nhost: t").await);
    }
    // Whose half a head nobody waits for is closed; the others' is waited for longer than this takes.
    let is_closed = |stream: &TcpStream| match stream.try_read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    until("30 are closed", || {
        let closed = held.iter().filter(|stream| is_closed(stream)).count();
        assert!(closed <= 30, "{closed}");
        async move { (closed == 30).then_some(()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_loses_their_place_and_hinders_nobody() {
    let agent = Agent::started().await;
    let authority = Authority::new();
    let head = agent.sends("GET / HTTP/1.1\r\nhost: t").await;
    let mut body = agent.sends(&(agent.head("PATCH", "/8") + "content-length: 9\r\n\r\n{")).await;
    let mut tls = Agent::new();
    authority.write_pair(&tls);
    tls.configure("tls_certificate_file = \"tls.crt\"\ntls_key_file = \"tls.key\"");
    tls.start().await;
    let handshake = tls.sends("\u{16}").await;
    // Meanwhile.
    agent.patch("telehealth", json!({"enabled": true})).await;
    let said = async |mut stream: TcpStream| {
        let mut answer = Vec::new();
        let read = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("it is still open");
        (read.is_ok(), String::from_utf8_lossy(&answer).into_owned())
    };
    let mut answer = [0; 12];
    let (head, status, handshake) =
        tokio::join!(said(head), timeout(LONG, body.read_exact(&mut answer)), said(handshake));
    status.expect("the body is still waited for").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(head.1.is_empty() || head.1.starts_with("HTTP/1.1 408"), "{}", head.1);
    assert!(!handshake.1.starts_with("HTTP"), "{}", handshake.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_and_the_service_goes_on() {
    let agent = Agent::started().await;
    let check = async |request: reqwest::RequestBuilder, expected: StatusCode| {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{answer:?}");
    };
    let patch = || agent.request(Method::PATCH, "/8");
    check(patch().body("{\"enabled\": tr"), StatusCode::BAD_REQUEST).await;
    check(patch().body(vec![0xff, 0xfe]), StatusCode::BAD_REQUEST).await;
    check(patch().body("[".repeat(100_000)), StatusCode::BAD_REQUEST).await;
    check(patch().body("x".repeat((2 << 20) + 1)), StatusCode::PAYLOAD_TOO_LARGE).await;
    check(patch().header("authorization", "Bearer"), StatusCode::UNAUTHORIZED).await;
    check(patch().header("authorization", "Bearer teal__"), StatusCode::UNAUTHORIZED).await;
    let mut garbage = agent.sends("\u{16}\u{3}\u{1}\u{2}garbage\r\n\r\n").await;
    let _ = timeout(LONG, garbage.read_to_end(&mut Vec::new())).await.unwrap();
    assert_eq!(agent.get("/8").await["version"], 1);
}

/// An authority that vouches for agents of tests.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, and a pair for this machine, in the agent's folder.
    fn write_pair(&self, agent: &Agent) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        for (name, text) in [("ca.crt", &self.pem), ("tls.crt", &certificate), ("tls.key", &key.serialize_pem())] {
            std::fs::write(agent.path(name), text).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_listens_with_its_token_over_tls_of_an_own_authority_also_after_a_renewal() {
    let mut agent = Agent::new();
    let authority = Authority::new();
    authority.write_pair(&agent);
    agent.configure("tls_certificate_file = \"tls.crt\"\ntls_key_file = \"tls.key\"");
    agent.start().await;
    let token = agent.new_token("shop", &["--role", "sdk", "--environment", "prod"]);
    let application =
        || agent.builder("https").certificate_authority(agent.path("ca.crt")).token(token.as_str()).start();
    let first = application();
    listens(&first, 1).await;
    agent.by_socket("telehealth", "{\"enabled\":true}");
    answers(&first, "telehealth", true).await;

    // Another authority's, and a pair of it.
    let renewed = Authority::new();
    renewed.write_pair(&agent);
    let second = application();
    listens(&second, 2).await;
    assert!(first.is_enabled("user-7", "telehealth"), "what stands goes on");
    // Whoever trusts somebody else hears nothing.
    std::fs::write(agent.path("ca.crt"), &authority.pem).unwrap();
    let stranger = application();
    until("the stranger has noticed", || async { (!stranger.status().troubles.is_empty()).then_some(()) }).await;
    assert_eq!(stranger.status().revision, 0);
}
