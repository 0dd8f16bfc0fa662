//! The door as a stranger tries it: whatever comes, the answer is a problem that says what is wrong, never a failure of ours.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{Agent, TOKEN};

/// Says exactly these bytes, and returns status and body of the answer.
fn say(agent: &Agent, head: &str, body: &[u8]) -> (u16, String) {
    let token = TOKEN.reveal();
    let mut stream = TcpStream::connect(agent.address).unwrap();
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    stream
        .write_all(format!("{head} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{length}connection: close\r\n\r\n").as_bytes())
        .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{head}: {answer}")), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_in_is_named_and_nothing_fails() {
    let agent = Agent::started().await;
    let long = "x".repeat(60_000);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide: Value = json!({"name": "wide", "environments": vec!["prod"; 100_000]});
    let cases: &[(&str, &str, u16)] = &[
        ("GET ?limit=0", "", 422),
        ("GET ?limit=18446744073709551616", "", 422),
        ("GET ?offset=-1", "", 422),
        ("GET ?offset=1e400", "", 422),
        ("GET ?limit=5&limit=6", "", 422),
        ("GET ?enabeld=true", "", 422),
        ("GET ?q=%00", "", 422),
        ("GET ?q=%FF%FE", "", 200),
        ("GET ?&&&", "", 200),
        ("GET ?=", "", 422),
        ("GET /8/audit-log?before=-1", "", 422),
        ("GET /8/audit-log?before=9223372036854775807", "", 200),
        ("GET /8/audit-log?before=9223372036854775808", "", 422),
        ("GET /8/check?attributes={", "", 422),
        ("GET /8/check?attributes=[]", "", 422),
        ("GET /8/check?attributes=%7B%22a%22:1e400%7D", "", 422),
        ("GET /8/check?attributes=%7B%22a%22:1,%22a%22:2%7D", "", 422),
        ("GET /8/check?environment=%00", "", 422),
        ("DELETE /8?reason=%00", "", 422),
        ("DELETE /8?raeson=x", "", 422),
        ("POST", "", 400),
        ("POST", "null", 422),
        ("POST", "[]", 422),
        ("POST", "{\"name\": \"a\\u0000b\"}", 400),
        ("POST", "{\"name\": \"x\", \"description\": \"\\u0000\"}", 400),
        ("POST", "{\"name\": \"x\", \"name\": \"y\"}", 400),
        ("POST", "{\"name\": \"segments\"}", 422),
        ("POST", "{\"name\": \"x\", \"version\": 7}", 422),
        ("POST", "{\"name\": \"x\", \"id\": 9223372036854775807}", 422),
        ("POST", "{\"name\": \"x\", \"id\": 9223372036854775808}", 422),
        ("POST", "{\"name\": \"x\", \"rollout_percentage\": 1e400}", 400),
        ("POST", "{\"name\": \"x\", \"rollout_percentage\": 1e-9}", 422),
        ("POST", "{\"name\": \"x\", \"rollout_percentage\": -0.0}", 422),
        ("POST", "{\"name\": \"x\", \"variants\": [{\"name\": \"a\", \"weight\": 18446744073709551615}]}", 422),
        ("POST", "{\"name\": \"x\", \"reason\": 5}", 422),
        ("PATCH /8", "{\"version\": 99}", 422),
        ("PATCH /8", "{\"name\": \"other\"}", 422),
        ("PATCH /8", "\"x\"", 422),
        ("PATCH /8", &deep, 400),
        ("PATCH /8", "{\"enabled\": \"true\"}", 422),
        ("PATCH /8", "\u{feff}{}", 400),
        ("POST /8/check", "[]", 422),
        ("POST /8/check", "{\"user_id\": 1.5}", 422),
        ("POST /8/check", "{\"user_id\": -9223372036854775808}", 200),
        ("POST /8/check", "{\"user_id\": [\"x\"]}", 422),
        ("POST /8/check", "{\"environment\": 1}", 422),
        ("POST /8/check", "{\"attributes\": []}", 422),
        ("POST /8/check", "{\"attributes\": {\"a\": {\"b\": [[[]]]}}}", 200),
        ("POST /exposures", "{}", 422),
        ("POST /exposures", "{\"until\": \"never\", \"counts\": []}", 422),
        ("POST /exposures", "{\"until\": \"9999-12-31T23:59:59Z\", \"counts\": []}", 204),
    ];
    let check = |line: &str, body: &str, expected: u16| {
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (status, answer) = say(&agent, &format!("{method} /api/v1/feature-flags{rest}"), body.as_bytes());
        let shown: String = format!("{line} {body}").chars().take(200).collect();
        assert_eq!(status, expected, "{shown}: {answer}");
        if status >= 400 {
            assert!(answer.contains("application/problem+json"), "{shown}: {answer}");
        }
    };
    for (line, body, expected) in cases {
        check(line, body, *expected);
    }
    check("POST", &wide.to_string(), 422);
    check(&format!("GET ?q={long}"), "", 422);
    check(&format!("GET /8/check?user_id={long}"), "", 200);
    check(&format!("GET /{long}"), "", 404);
    // What cannot be a place is nobody's flag, whatever stands there.
    for place in [
        "%00",
        "a%00b",
        "%FF",
        "%F0%9F%8F%A5",
        "-8",
        "+8",
        "8.0",
        "99999999999999999999999",
        "9223372036854775808",
        "-9223372036854775809",
        "..%2f8",
        "%2e%2e",
        "8%2Fcheck",
        "Telehealth",
        "telehealth%20",
        "{flag}",
        "%25",
        "__proto__",
    ] {
        check(&format!("GET /{place}"), "", 404);
        check(&format!("GET /{place}/check"), "", 404);
        check(&format!("POST /{place}/check"), "{}", 404);
        check(&format!("GET /{place}/audit-log"), "", 404);
        check(&format!("PATCH /{place}"), "{}", 404);
        check(&format!("DELETE /{place}"), "", 404);
    }
    assert_eq!(agent.get("").await["total"], 10);
    assert_eq!(agent.get("/8").await["version"], 1);
}
