//! A real HAProxy computes the same buckets as the SDK.

use std::net::SocketAddr;

use serde_json::Value;
use teal_testkit::{Client, HaProxy, Mode, Request, folder, free_port};

/// Answers each request with its bucket; salt and value come from headers, or the value from a cookie.
fn config(port: u16) -> String {
    let of = |id: &str| format!("var(txn.salt),concat(:,txn.{id}),xxh3(0),and(9223372036854775807),mod(100000)");
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
  http-request return status 200 content-type text/plain lf-string %[{}] if {{ path /header }}
  http-request return status 200 content-type text/plain lf-string %[{}]
",
        of("header"),
        of("cookie")
    )
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
    let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let _proxy = HaProxy::start(folder(), &config(addr.port()), Mode::Single).await;
    let mut client = Client::connect(addr).await.unwrap();
    let file: Value = serde_json::from_str(include_str!("vectors/buckets.json")).unwrap();
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
