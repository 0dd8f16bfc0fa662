//! A real HAProxy computes the same buckets and draws as the SDK.

use std::net::SocketAddr;

use serde_json::Value;
use teal_flags::bucketing::{Bucketing, bucket};
use teal_flags::model::{Document, Flag, Percentage, Timestamp};
use teal_flags::{Flags, Layer};
use teal_testkit::{Client, HaProxy, Mode, Request, folder, free_port};

use crate::random::Random;

/// How many users one request asks for: headers `x-0`, `x-1`, ...
const BATCH: usize = 40;
const USERS: usize = 10_000;

/// The bucket of the user in this variable.
fn bucket_of(variable: &str) -> String {
    format!("var(txn.salt),concat(:,{variable}),xxh3(0),and(9223372036854775807),mod(100000)")
}

/// The draw among weights of 1000.
fn draw_of(variable: &str) -> String {
    format!("var(txn.salt),concat(.variant:,{variable}),xxh3(0),and(9223372036854775807),mod(1000)")
}

/// Answers with the bucket of a header's or cookie's value, or with `bucket:draw` of each header of a batch.
fn config(port: u16) -> String {
    let variables: Vec<String> = (0..BATCH).map(|at| format!("txn.user{at}")).collect();
    let set: String = (0..BATCH)
        .map(|at| format!("  http-request set-var(txn.user{at}) req.fhdr(x-{at}) if {{ path /batch }}\n"))
        .collect();
    let batch: Vec<String> =
        variables.iter().map(|variable| format!("%[{}]:%[{}]", bucket_of(variable), draw_of(variable))).collect();
    format!(
        "defaults
  mode http
  timeout client 30s
  timeout connect 1s
  timeout server 30s
frontend buckets
  bind 127.0.0.1:{port}
  http-request set-var(txn.salt) req.fhdr(x-salt)
  http-request set-var(txn.header) req.fhdr(x-value)
  http-request set-var(txn.cookie) req.cook(uid)
{set}  http-request return status 200 content-type text/plain lf-string %[{}] if {{ path /header }}
  http-request return status 200 content-type text/plain lf-string %[{}] if {{ path /cookie }}
  http-request return status 200 content-type text/plain lf-string \"{}\"
",
        bucket_of("txn.header"),
        bucket_of("txn.cookie"),
        batch.join(" "),
    )
}

async fn proxy() -> (HaProxy, Client) {
    let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let proxy = HaProxy::start(folder(), &config(addr.port()), Mode::Single).await;
    (proxy, Client::connect(addr).await.unwrap())
}

/// What a header can carry as it is: an outer space would be trimmed, and no value is no bucket.
fn fits_a_header(value: &str) -> bool {
    !value.is_empty() && value.trim() == value
}

fn fits_a_cookie(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

#[tokio::test]
async fn a_real_haproxy_gives_the_same_buckets_from_headers_and_cookies() {
    let (_proxy, mut client) = proxy().await;
    let file: Value = serde_json::from_str(include_str!("../vectors/buckets.json")).unwrap();
    let (mut headers, mut cookies) = (0, 0);
    for vector in file["buckets"].as_array().unwrap() {
        let (salt, value) = (vector["salt"].as_str().unwrap(), vector["value"].as_str().unwrap());
        if fits_a_header(value) {
            let request = Request::get("/header").header("x-salt", salt).header("x-value", value);
            assert_eq!(client.send(request).await.unwrap().body, vector["bucket"].to_string(), "header {vector}");
            headers += 1;
        }
        if fits_a_cookie(value) {
            let cookie = format!("a=1; uid={value}; b=2");
            let request = Request::get("/cookie").header("x-salt", salt).header("cookie", cookie);
            assert_eq!(client.send(request).await.unwrap().body, vector["bucket"].to_string(), "cookie {vector}");
            cookies += 1;
        }
    }
    assert!(headers > 1_000 && cookies > 500, "only {headers} headers and {cookies} cookies were compared");
}

/// A flag with this salt and share, the way an application asks it.
fn with_flag(salt: &str, rollout_percentage: Percentage) -> Flags {
    let flags = Flags::new(None);
    let flag = Flag { salt: salt.to_owned(), rollout_percentage, ..Flag::new("canary") };
    let document = Document { flags: vec![flag], ..Document::default() };
    flags.apply(Layer::File, document, Timestamp::default());
    flags
}

#[tokio::test]
async fn a_real_haproxy_deals_ten_thousand_random_users_as_the_sdk_does() {
    let (_proxy, mut client) = proxy().await;
    let mut random = Random::new();
    for _ in 0..USERS / BATCH {
        let salt = random.salt();
        let users: Vec<String> =
            std::iter::repeat_with(|| random.user()).filter(|user| fits_a_header(user)).take(BATCH).collect();
        let mut request = Request::get("/batch").header("x-salt", &salt);
        for (at, user) in users.iter().enumerate() {
            request = request.header(&format!("x-{at}"), user);
        }
        let answer = client.send(request).await.unwrap().body;
        let theirs: Vec<&str> = answer.split(' ').collect();
        let share = random.share();
        let flags = with_flag(&salt, share);
        let ours: Vec<String> = users
            .iter()
            .map(|user| {
                let draw = Bucketing::Teal1.draw(&salt, user, share, 1000);
                format!("{}:{draw}", bucket(&salt, user))
            })
            .collect();
        assert_eq!(theirs, ours, "salt {salt:?}, users {users:?}");
        for (user, theirs) in users.iter().zip(theirs) {
            let bucket: u32 = theirs.split(':').next().unwrap().parse().unwrap();
            let is_on = flags.is_enabled(user, "canary");
            assert_eq!(is_on, bucket < share.thousandths(), "{share} % of {salt:?}, {user:?} in {bucket}");
        }
    }
}
