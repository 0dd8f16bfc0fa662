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
    check("GET", "/", 200, "teal2 pid 43.1.open api green 0 200 Ta Tw Tc Tr -- 0 s1 started ended GET").await;
    check("POST", "/api", 200, "teal2 pid 43.1.open api green 1 200 Ta Tw Tc Tr -- 0 s1 started ended POST").await;
    check(
        "PUT",
        "/api/patients/7?q=1",
        200,
        "teal2 pid 43.1.open api green 2 200 Ta Tw Tc Tr -- 0 s1 started ended PUT",
    )
    .await;
    check("SECRET", "/api/other", 200, "teal2 pid 43.1.open api green 1 200 Ta Tw Tc Tr -- 0 s1 started ended OTHER")
        .await;
    green.answer(Answer::Status(500));
    check("GET", "/", 500, "teal2 pid 43.1.open api green 0 500 Ta Tw Tc Tr -- 0 s1 started ended GET").await;
    green.answer(Answer::Hang);
    check("GET", "/", 504, "teal2 pid 43.1.open api green 0 504 Ta Tw Tc -1 sH 0 s1 started ended GET").await;
    green.answer(Answer::Close);
    check("POST", "/", 502, "teal2 pid 43.1.open api green 0 502 Ta Tw Tc -1 SH 0 s1 started ended POST").await;
    check("GET", "/", 502, "teal2 pid 43.1.open api green 0 502 Ta Tw Tc -1 SH 2 s1 started ended GET").await;
}

#[tokio::test]
async fn a_dead_server_shows_as_a_connect_error() {
    let mut lab = lab().await;
    let mut log = lab.log().await;
    lab.stop("api-green").await;
    assert_eq!(lab.send(Request::get("/")).await.status, 503);
    let line = log.next_untimed().await;
    assert!(line.starts_with("teal2 pid 43.1.open api green 0 503 Ta Tw -1 -1 S"), "{line}");
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
    assert_eq!(log.next_untimed().await, "teal2 pid 43.1.open api green 0 400 Ta Tw Tc -1 CH 0 s1 started ended GET");
}

#[tokio::test]
async fn what_counts_for_no_colour_leaves_a_line_without_a_group() {
    let lab = Lab::start(&["api", "web"], "v1:43.1.open:blue:green:100000:blue:green:100000:s:0", |config| {
        config.components[0].paths = vec!["/api".to_owned()];
        config.components[0].ignore_paths = vec!["/api/live".to_owned()];
        config.components[1].paths = vec!["/".to_owned()];
    })
    .await;
    let mut log = lab.log().await;
    let mut check = async |path: &str, component: &str, group: &str| {
        assert_eq!(lab.send(Request::get(path)).await.status, 200);
        let expected =
            format!("teal2 pid 43.1.open {component} green {group} 200 Ta Tw Tc Tr -- 0 s1 started ended GET");
        assert_eq!(log.next_untimed().await, expected, "{path}");
    };
    for path in ["/healthz", "/healthz/", "/healthz?x"] {
        check(path, "web", "-").await;
    }
    check("/api/live", "api", "-").await;
    check("/healthzz", "web", "0").await;
    check("/api", "api", "0").await;
    // Each component has its own.
    check("/live", "web", "0").await;
}

#[tokio::test]
async fn what_never_came_as_far_as_a_component_names_none() {
    let lab = lab().await;
    let mut log = lab.log().await;
    let mut client = TcpStream::connect(lab.addr).await.unwrap();
    client.write_all(b"no http\r\n\r\n").await.unwrap();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    let words: Vec<String> = log.next().await.split(' ').map(str::to_owned).collect();
    assert_eq!(words[2..7], ["-", "-", "-", "-", "400"]);
}

#[tokio::test]
async fn the_stamps_of_a_request_lie_within_its_time() {
    let lab = lab().await;
    let mut log = lab.log().await;
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    lab.backend("api-green").answer(Answer::Hang);
    let before = now();
    assert_eq!(lab.send(Request::get("/")).await.status, 504);
    let after = now();
    let line = log.next().await;
    let stamps: Vec<u128> = line.split(' ').filter(|word| word.len() == 16).map(|w| w.parse().unwrap()).collect();
    let [started, ended] = stamps[..] else { panic!("{line}") };
    // HAProxy reads the clock when it wakes up, before it accepts.
    assert!(before <= started + 100_000 && started < ended && ended <= after + 100_000, "{before} {line} {after}");
    assert!(ended - started >= 199_000, "{line}");
}
