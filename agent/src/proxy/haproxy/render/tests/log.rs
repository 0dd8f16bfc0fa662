//! The line that each request leaves in the ring.

use std::time::Duration;

use teal_testkit::{Answer, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::lab::Lab;
use super::*;

const GREEN: &str = "v1:43.1.open:blue:green:100000:s:0";

async fn lab() -> Lab {
    Lab::start(&["api"], GREEN, |config| {
        config.timeouts.server = Duration::from_millis(200);
        config.components[0].routes = vec![route("all", "/api"), route("patients", "/api/patients")];
    })
    .await
}

#[tokio::test]
async fn a_request_leaves_epoch_component_colour_group_and_outcome() {
    let lab = lab().await;
    let mut log = lab.log().await;
    let mut check = async |method: &str, path: &str, status: u16, expected: &str| {
        let request = Request::new(method.parse().unwrap(), path);
        assert_eq!(lab.send(request).await.status, status, "{method} {path}");
        assert_eq!(log.next_untimed().await, expected, "{method} {path}");
    };
    let green = lab.backend("api-green");
    check("GET", "/", 200, "teal1 43.1.open api green 0 200 Ta Tr -- 0 GET s1").await;
    check("POST", "/api", 200, "teal1 43.1.open api green 1 200 Ta Tr -- 0 POST s1").await;
    check("PUT", "/api/patients/7?q=1", 200, "teal1 43.1.open api green 2 200 Ta Tr -- 0 PUT s1").await;
    check("SECRET", "/api/other", 200, "teal1 43.1.open api green 1 200 Ta Tr -- 0 OTHER s1").await;
    green.answer(Answer::Status(500));
    check("GET", "/", 500, "teal1 43.1.open api green 0 500 Ta Tr -- 0 GET s1").await;
    green.answer(Answer::Hang);
    check("GET", "/", 504, "teal1 43.1.open api green 0 504 Ta -1 sH 0 GET s1").await;
    green.answer(Answer::Close);
    check("POST", "/", 502, "teal1 43.1.open api green 0 502 Ta -1 SH 0 POST s1").await;
    check("GET", "/", 502, "teal1 43.1.open api green 0 502 Ta -1 SH 2 GET s1").await;
}

#[tokio::test]
async fn a_dead_server_shows_as_a_connect_error() {
    let mut lab = lab().await;
    let mut log = lab.log().await;
    lab.stop("api-green").await;
    assert_eq!(lab.send(Request::get("/")).await.status, 503);
    let line = log.next_untimed().await;
    assert!(line.starts_with("teal1 43.1.open api green 0 503 Ta -1 S"), "{line}");
}

#[tokio::test]
async fn a_client_that_leaves_is_logged_at_once() {
    let lab = Lab::start(&["api"], GREEN, |_| {}).await;
    lab.backend("api-green").answer(Answer::Hang);
    for path in ["/healthz", "/marker"] {
        lab.backend("api-green").answer_on(path, Answer::Status(200));
    }
    let mut log = lab.log().await;
    let mut client = TcpStream::connect(lab.addr).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    teal_testkit::until("the request arrived", || async { (lab.backend("api-green").count("/") == 1).then_some(()) })
        .await;
    drop(client);
    assert_eq!(log.next_untimed().await, "teal1 43.1.open api green 0 400 Ta -1 CH 0 GET s1");
}

#[tokio::test]
async fn what_counts_for_no_colour_leaves_no_line() {
    let lab = Lab::start(&["api"], GREEN, |config| config.components[0].paths = vec!["/".to_owned()]).await;
    let mut log = lab.log().await;
    for path in ["/healthz", "/healthz/", "/healthz?x"] {
        assert_eq!(lab.send(Request::get(path)).await.status, 200);
    }
    lab.send(Request::get("/healthzz")).await;
    assert_eq!(log.next_untimed().await, "teal1 43.1.open api green 0 200 Ta Tr -- 0 GET s1");
    let mut client = TcpStream::connect(lab.addr).await.unwrap();
    client.write_all(b"no http\r\n\r\n").await.unwrap();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(log.next().await.split(' ').take(6).collect::<Vec<_>>(), ["teal1", "-", "-", "-", "-", "400"]);
}
