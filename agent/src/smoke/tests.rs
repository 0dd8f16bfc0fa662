use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// A component's server; ends with the value.
struct Server(SocketAddr, #[expect(dead_code, reason = "held to end the server")] AbortOnDropHandle<()>);

async fn serve(app: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Server(address, AbortOnDropHandle::new(task))
}

async fn application() -> Server {
    let echo = async |headers: HeaderMap| headers.get("x-token").map(|v| v.as_bytes().to_vec()).unwrap_or_default();
    serve(
        Router::new()
            .route("/ok", get(async || r#"{"status":"ok","items":[1]}"#))
            .route("/moved", get(async || (StatusCode::FOUND, [("location", "/ok")], "")))
            .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/hangs", get(std::future::pending::<()>))
            .route(
                "/endless",
                get(async || Body::from_stream(futures_util::stream::pending::<std::io::Result<String>>())),
            )
            .route("/huge", get(async || "x".repeat((1 << 20) + 1)))
            .route("/token", get(echo))
            .route("/write", post(async |body: String| body)),
    )
    .await
}

fn suite(checks: &str) -> Suite {
    Suite::parse(checks).unwrap_or_else(|error| panic!("{error}"))
}

/// One check of component `api` with these lines.
fn check_with(lines: &str) -> Suite {
    suite(&format!("[[checks]]\nname = 'it'\ncomponent = 'api'\n{lines}"))
}

async fn report(suite: &Suite, targets: &[Target]) -> Report {
    run(suite, targets, Limits::default(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn a_check_passes_or_names_itself_what_it_expected_and_what_came() {
    let server = application().await;
    let check = async |lines: &str, words: Option<&str>| {
        let failure = report(&check_with(lines), &[Target::server("api", server.0)]).await.first_failure();
        match words {
            None => assert_eq!(failure, None, "{lines}"),
            Some(words) => {
                let full = format!("check `it` (api at http://{}): expected {words}", server.0);
                assert!(failure.as_deref().is_some_and(|f| f.starts_with(&full)), "{lines}: {failure:?}");
            }
        }
    };
    check("path = '/ok'", None).await;
    check("path = '/ok'\nmethod = 'HEAD'", None).await;
    check("path = '/ok'\ncontains = '\"status\"'\nlatency = '4s'", None).await;
    check("path = '/ok'\njson = [{ pointer = '/items', type = 'array' }, { pointer = '/items/0', equals = 1 }]", None)
        .await;
    check("path = '/ok'\njson = [{ pointer = '/status', equals = 'up' }]", Some("\"up\" at /status, got \"ok\"")).await;
    check("path = '/ok'\ncontains = 'nope'", Some("`nope` in the answer, got 27 bytes without it")).await;
    check("path = '/moved'", Some("status 200, got 302")).await;
    check("path = '/moved'\nstatus = 302", None).await;
    check("path = '/broken'\nstatus = [200, 204]", Some("status 200 or 204, got 500")).await;
    check("path = '/broken'\nstatus = 500", None).await;
    check("path = '/broken'\nstatus = 500\njson = [{ pointer = '', exists = true }]", Some("JSON, got something"))
        .await;
    check("path = '/hangs'\ntimeout = '50ms'", Some("an answer within 50 ms, got none")).await;
    check("path = '/endless'\ntimeout = '50ms'", Some("an answer within 50 ms, got none")).await;
    check("path = '/huge'", None).await;
    check("path = '/huge'\ncontains = 'y'", Some("an answer of at most 1048576 bytes, got more")).await;
}

#[tokio::test]
async fn an_answer_slower_than_its_bound_fails_though_it_is_right() {
    let slow = async || tokio::time::sleep(Duration::from_millis(30)).await;
    let server = serve(Router::new().route("/", get(slow))).await;
    let report = report(&check_with("path = '/'\nlatency = '10ms'"), &[Target::server("api", server.0)]).await;
    let failure = report.first_failure().unwrap();
    assert!(failure.contains("expected an answer within 10 ms, got it after "), "{failure}");
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_failures_with_their_reason() {
    let server = application().await;
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = Target::server("api", bound.local_addr().unwrap());
    let failure = report(&check_with("path = '/ok'"), &[nobody]).await.first_failure().unwrap();
    assert!(failure.contains("expected an answer, got `Connection refused"), "{failure}");
    let plain = Target::url("api", &format!("https://{}", server.0)).unwrap();
    let failure = report(&check_with("path = '/ok'"), &[plain]).await.first_failure().unwrap();
    assert!(failure.contains("expected an answer, got `"), "{failure}");
}

#[tokio::test]
async fn every_server_of_a_component_is_checked_and_the_bad_one_is_named() {
    let (good, bad) = (application().await, serve(Router::new()).await);
    let targets = [Target::server("api", good.0), Target::server("api", bad.0)];
    let failure = report(&check_with("path = '/ok'"), &targets).await.first_failure().unwrap();
    assert_eq!(failure, format!("check `it` (api at http://{}): expected status 200, got 404", bad.0));
}

#[tokio::test]
async fn outcomes_come_in_order_and_components_without_target_are_skipped() {
    let server = application().await;
    let names = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let component = |i: usize| if i == 2 { "web" } else { "api" };
    let text = names
        .iter()
        .enumerate()
        .map(|(i, name)| format!("[[checks]]\nname = '{name}'\ncomponent = '{}'\npath = '/ok'\n", component(i)));
    let suite = suite(&text.collect::<String>());
    let mut told = Vec::new();
    let base = Target::url("api", &format!("http://{}/", server.0)).unwrap();
    let report = run(&suite, &[base], Limits::default(), |outcome| told.push(outcome.check.clone())).await.unwrap();
    assert_eq!(told, names);
    assert_eq!((report.passed(), report.ran(), report.is_ok()), (5, 5, true));
    assert_eq!(report.checks[2].verdict, Verdict::Skipped);
    assert!(report.to_string().starts_with("5/5, slowest "), "{report}");
    let json = serde_json::to_value(&report.checks[2]).unwrap();
    assert_eq!(json, serde_json::json!({ "check": "third", "component": "web", "took_ms": 0, "result": "skipped" }));
    assert_eq!(Report::default().to_string(), "no check for these components");
}

#[tokio::test]
async fn a_suite_that_writes_sends_bodies_one_check_after_another() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = (Arc::clone(&under_way), Arc::clone(&most));
    let write = async move |body: String| {
        seen.1.fetch_max(seen.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        seen.0.fetch_sub(1, Ordering::SeqCst);
        body
    };
    let server = serve(Router::new().route("/write", post(write))).await;
    let check = |n| {
        format!(
            "[[checks]]\nname = '{n}'\ncomponent = 'api'\nmethod = 'POST'\npath = '/write'\nbody = 'b{n}'\ncontains = 'b{n}'\n"
        )
    };
    let suite = suite(&format!("allow_writes = true\n{}", (0..8).map(check).collect::<String>()));
    let report = report(&suite, &[Target::server("api", server.0)]).await;
    assert_eq!((report.passed(), report.first_failure()), (8, None));
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_header_is_read_from_its_file_in_each_run_and_a_missing_file_fails_the_check() {
    let server = application().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let lines = format!("path = '/token'\nheader_files = {{ x-token = '{}' }}\ncontains = 'secret'", file.display());
    let (suite, target) = (check_with(&lines), [Target::server("api", server.0)]);
    let failure = report(&suite, &target).await.first_failure().unwrap();
    assert!(failure.contains("expected the header `x-token` in") && failure.contains("No such file"), "{failure}");
    fs::write(&file, "the secret\nsecond line\n").unwrap();
    assert_eq!(report(&suite, &target).await.first_failure(), None);
}

#[test]
fn a_broken_suite_is_refused_with_every_problem_and_the_way_out() {
    let check = |lines: &str, words: &str| {
        let text = format!("[[checks]]\nname = 'it'\ncomponent = 'api'\n{lines}");
        let error = Suite::parse(&text).expect_err(lines).to_string();
        assert!(error.contains(words), "{lines}: {error}");
    };
    check("", "missing field `path`");
    check("pth = '/'", "unknown field `pth`");
    check("path = 'ok'", "check `it`: `path` is `ok`; it must start with `/`");
    check("path = '/'\nmethod = 'get'", "`method` is `get`; use GET or HEAD");
    check("path = '/'\nmethod = 'POST'", "`method` is POST, which may change data");
    check("path = '/'\nstatus = 99", "`status` has 99");
    check("path = '/'\nstatus = []", "`status` is an empty list");
    check("path = '/'\nstatus = 'ok'", "a status such as 200, or a list such as [200, 204]");
    check("path = '/'\nlatency = '5 minutes'", "`latency` is `5 minutes`; write whole milliseconds or seconds");
    check("path = '/'\nlatency = '6s'\ntimeout = '5s'", "`latency` is above `timeout`");
    check("path = '/'\nheaders = { 'a b' = 'c' }", "`a b` is not a header");
    check("path = '/'\nheader_files = { 'a b' = '/c' }", "`a b` is not a header");
    check("path = '/'\nbody = 'x'", "`body` is of no use with GET");
    check("path = '/'\nmethod = 'HEAD'\ncontains = 'x'", "HEAD has no body to look into");
    check("path = '/'\njson = [{ pointer = 'a', exists = true }]", "`a` is not a JSON pointer");
    check("path = '/'\njson = [{ pointer = '/a' }]", "exactly one of `equals`, `exists` and `type`");
    check("path = '/'\njson = [{ pointer = '/a', type = 'list' }]", "unknown variant `list`");
    check(
        "path = 'a'\nstatus = 9",
        "`path` is `a`; it must start with `/`, without spaces or fragment\nsmoke check `it`: `status`",
    );
    check("path = '/'\n[[checks]]\nname = 'it'\ncomponent = 'api'\npath = '/'", "the name is used twice");
    let table = toml::toml! { checks = [{ name = "", component = "api", path = "/" }] };
    assert!(Suite::from_table(table).unwrap_err().to_string().contains("`name` is empty"));
    assert!(Suite::parse("").unwrap_err().to_string().contains("has no checks"));
    let missing = Suite::load("/nonexistent/smoke.toml".as_ref()).unwrap_err().to_string();
    assert!(missing.contains("cannot read the smoke suite /nonexistent/smoke.toml: No such file"), "{missing}");
}

#[test]
fn a_target_is_an_http_url_without_query() {
    for wrong in ["staging", "ftp://a", "https://a/?b=c", "https://a/#b", "https://"] {
        assert!(Target::url("api", wrong).unwrap_err().to_string().contains("is not a URL"), "{wrong}");
    }
    assert!(Target::url("api", "https://a/under/").is_ok());
}

#[test]
fn physioflows_suite_has_seven_checks_that_only_read() {
    let suite = suite(include_str!("../../../examples/config/smoke.toml"));
    assert_eq!((suite.checks.len(), suite.allow_writes), (7, false));
    assert_eq!(suite.components().into_iter().collect::<Vec<_>>(), ["api", "web"]);
}

#[tokio::test]
async fn a_run_can_be_a_task_of_its_own() {
    let server = application().await;
    let task = tokio::spawn(async move {
        let (suite, targets) = (check_with("path = '/ok'"), [Target::server("api", server.0)]);
        run(&suite, &targets, Limits::default(), |_| {}).await.unwrap().passed()
    });
    assert_eq!(task.await.unwrap(), 1);
}
