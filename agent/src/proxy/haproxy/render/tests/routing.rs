//! Where a real HAProxy sends requests: by host and path, by policy, and by what is no policy.

use std::net::SocketAddr;
use std::time::SystemTime;

use teal_testkit::{Answer, Client, HaProxy, Mode, Request, folder, until};
use tokio_util::sync::CancellationToken;

use super::lab::Lab;
use super::*;

const BLUE: &str = "v1:1.0.open:blue:green:0:s:0";

#[tokio::test]
async fn host_and_longest_path_choose_the_component() {
    let policy = "v1:1.0.open:green:green:0:blue:blue:0:blue:blue:0:s:0";
    let lab = Lab::start(&["api", "docs", "web"], policy, |config| {
        config.components[0].paths = vec!["/api".to_owned(), "/web/api/".to_owned()];
        config.components[1].hosts = vec!["docs.example.org".to_owned()];
    })
    .await;
    let check = async |host: &str, path: &str, expected: &str| {
        let reply = lab.send(Request::get(path).header("host", host)).await;
        assert_eq!(reply.body, expected, "{host}{path}");
    };
    check("example.org", "/", "web-blue").await;
    check("example.org", "/api", "api-green").await;
    check("example.org", "/api?x=/docs", "api-green").await;
    check("example.org", "/api/v1", "api-green").await;
    check("example.org", "/apiary", "web-blue").await;
    check("example.org", "/web/api", "web-blue").await;
    check("example.org", "/web/api/x", "api-green").await;
    check("DOCS.example.org:8080", "/api/v1", "docs-blue").await;
}

#[tokio::test]
async fn what_no_component_answers_is_not_found() {
    let lab = Lab::start(&["api"], BLUE, |config| config.components[0].paths = vec!["/api".to_owned()]).await;
    assert_eq!(lab.send(Request::get("/other")).await.status, 404);
    assert_eq!(lab.who("/api").await, "api-blue");
}

#[tokio::test]
async fn one_value_routes_each_component_by_its_own_fields() {
    let lab = Lab::start(&["api", "web"], "", |config| config.components[0].paths = vec!["/api".to_owned()]).await;
    // Nothing in the map yet: the first write must create the key.
    let map = lab.config.map.display().to_string();
    lab.proxy.runtime(&format!("add map {map} policy v1:1.0.open:blue:green:0:green:green:0:s:0")).await;
    let check = async |policy: &str, api: &str, web: &str| {
        lab.policy(policy).await;
        assert_eq!((lab.who("/api").await.as_str(), lab.who("/").await.as_str()), (api, web), "{policy}");
    };
    check("v1:1.1.open:blue:green:0:green:green:0:s:0", "api-blue", "web-green").await;
    check("v1:1.2.open:blue:green:100000:blue:green:100000:s:0", "api-green", "web-green").await;
    check("v1:1.2.bad:blue:green:0:blue:green:0:s:0", "api-blue", "web-blue").await;
    check("v1:2.0.open:green:blue:100000:blue:green:0:s:0", "api-blue", "web-blue").await;
}

#[tokio::test]
async fn what_is_no_policy_costs_no_request() {
    let mut lab = Lab::start(&["api"], BLUE, |_| {}).await;
    let garbage = [
        "garbage",
        "v1",
        "v1:",
        "v1:::::::",
        "v2:1.0.open:green:green:0:s:0",
        "v1:1.0.open:purple:green:100000:s:0",
        "v1:1.0.open::green:100000:s:0",
        "v1:1.0.open:green:green:0:s",
        "v1:1.0.open:green:green:0:green:green:0:s:0",
    ];
    for policy in garbage {
        lab.policy(policy).await;
        assert_eq!(lab.who("/").await, "api-blue", "{policy}");
    }
    for (policy, expected) in [
        ("v1:1.0.open:green:purple:100000:s:0", "api-green"),
        ("v1:1.0.open:green:blue:abc:s:0", "api-green"),
        ("v1:1.0.open:green:blue:-1:s:0", "api-green"),
        ("v1:1.0.open:green:blue::s:0", "api-green"),
        ("v1:1.0.open:green:blue:100000:s:abc", "api-green"),
        ("v1:1.0.open:green:blue:50000::0", "api-green"),
    ] {
        lab.policy(policy).await;
        assert_eq!(lab.who("/").await, expected, "{policy}");
    }
    let long = "x".repeat(3_000);
    lab.policy(&long).await;
    assert_eq!(lab.who("/").await, "api-blue");
    lab.stop("api-blue").await;
    let lab = &lab;
    until("green serves because blue is down", || async move { (lab.who("/").await == "api-green").then_some(()) })
        .await;
    let mut log = lab.log().await;
    lab.who("/").await;
    assert_eq!(log.next_untimed().await, "teal2 pid - api green 0 200 Ta Tw Tc Tr -- 0 s1 started ended GET");
}

#[tokio::test]
async fn an_empty_map_routes_to_a_colour_that_is_up() {
    let lab = Lab::start(&["api"], "", |_| {}).await;
    assert_eq!(lab.who("/").await, "api-blue");
}

#[tokio::test]
async fn the_dead_man_ends_a_share_by_itself() {
    let lab = Lab::start(&["api"], BLUE, |_| {}).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (dead_man, expected) in [(0, "api-green"), (now + 3600, "api-green"), (now - 1, "api-blue"), (1, "api-blue")] {
        lab.policy(&format!("v1:1.1.open:blue:green:100000:s:{dead_man}")).await;
        assert_eq!(lab.who("/").await, expected, "{dead_man} at {now}");
    }
    lab.policy(&format!("v1:1.1.open:blue:green:100000:s:{}", now + 2)).await;
    assert_eq!(lab.who("/").await, "api-green");
    until("the share ends", || async { (lab.who("/").await == "api-blue").then_some(()) }).await;
}

#[tokio::test]
async fn only_safe_methods_are_sent_again() {
    let lab = Lab::start(&["api"], BLUE, |_| {}).await;
    lab.backend("api-blue").answer_on("/x", Answer::Close);
    for (method, times) in [("POST", 1), ("PUT", 1), ("DELETE", 1), ("PATCH", 1), ("GET", 3), ("HEAD", 3)] {
        lab.backend("api-blue").reset();
        let request = Request::new(method.parse().unwrap(), "/x");
        assert_eq!(lab.send(request).await.status, 502, "{method}");
        assert_eq!(lab.backend("api-blue").count("/x"), times, "{method}");
    }
}

#[tokio::test]
async fn a_page_stands_where_no_server_answers() {
    let mut lab = Lab::start(&["api"], BLUE, |_| {}).await;
    lab.stop("api-blue").await;
    let reply = lab.send(Request::get("/")).await;
    assert_eq!((reply.status, reply.header("content-type")), (503, "text/html; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.body.contains("<h1>Not available just now</h1>"), "{}", reply.body);
}

#[tokio::test]
async fn a_fragment_routes_beside_what_was_there() {
    let lab = Lab::start_fragment(BLUE).await;
    assert_eq!((lab.who("/").await.as_str(), lab.who("/api").await.as_str()), ("theirs", "api-blue"));
    lab.policy("v1:1.1.open:blue:green:100000:s:0").await;
    assert_eq!(lab.who("/api").await, "api-green");
    let seen = lab.backend("api-green").seen("/api");
    let addresses: Vec<_> = seen.headers.get_all("x-forwarded-for").iter().collect();
    assert_eq!(addresses, ["127.0.0.1"], "theirs says who the client is, and ours does not say it again");
}

#[tokio::test]
async fn a_reload_loses_no_request() {
    for mode in [Mode::Single, Mode::MasterWorker] {
        let mut lab = Lab::start_as(mode, &["api"], BLUE, |_| {}).await;
        let addr = lab.addr;
        let clients: Vec<_> = [true, false]
            .map(|kept| {
                let stop = CancellationToken::new();
                (stop.clone(), tokio::spawn(async move { requests_until(&stop, addr, kept).await }))
            })
            .into();
        for _ in 0..3 {
            lab.proxy.reload().await;
        }
        for (stop, client) in clients {
            stop.cancel();
            let (sent, failed) = client.await.unwrap();
            assert!(sent > 20 && failed.is_empty(), "{mode:?}: {sent} sent, lost: {failed:?}");
        }
    }
}

/// Requests one after the other, on one connection while it lasts or on a new one each.
async fn requests_until(stop: &CancellationToken, addr: SocketAddr, kept: bool) -> (u32, Vec<String>) {
    let (mut sent, mut failed) = (0, Vec::new());
    let mut connection = None;
    while !stop.is_cancelled() {
        let mut client = match connection.take() {
            Some(client) => client,
            None => match Client::connect(addr).await {
                Ok(client) => client,
                Err(error) => {
                    failed.push(error.to_string());
                    continue;
                }
            },
        };
        sent += 1;
        match client.get("/").await {
            Ok(reply) if reply.status == 200 => {
                if kept && reply.header("connection") != "close" {
                    connection = Some(client);
                }
            }
            Ok(reply) => failed.push(reply.status.to_string()),
            Err(error) => failed.push(format!("{error:?}")),
        }
    }
    (sent, failed)
}

#[tokio::test]
async fn a_second_haproxy_gets_no_port() {
    let lab = Lab::start(&["api"], BLUE, |_| {}).await;
    let elsewhere = folder();
    let mut second = lab.config.clone();
    second.runtime_socket = elsewhere.path().join("teal.sock");
    second.admin_socket = elsewhere.path().join("admin.sock");
    let said = HaProxy::try_start(elsewhere, &render(&second, Form::Whole).unwrap(), Mode::Single).await;
    let said = said.unwrap_err();
    assert!(said.contains("cannot bind socket"), "{said}");
}
