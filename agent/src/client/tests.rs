use std::convert::Infallible;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

use super::*;
use crate::api::{Order, Problem};

/// An agent that answers every request by `answer(method and path, body)`; gone when dropped.
struct Fake {
    client: Client,
    task: tokio::task::JoinHandle<()>,
    /// Holds the socket.
    _folder: tempfile::TempDir,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    fn new(answer: impl Fn(&str, &str) -> (u16, String) + Clone + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer.clone();
                    async move {
                        let line = format!("{} {}", request.method(), request.uri());
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let (status, body) = answer(&line, &String::from_utf8_lossy(&body));
                        let body = Full::new(Bytes::from(body));
                        Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { client: Client::new(socket), task, _folder: folder }
    }
}

#[tokio::test]
async fn each_call_asks_its_path() {
    let fake = Fake::new(|line, body| match line {
        "GET /v1/environments" => (200, r#"["prod","staging"]"#.into()),
        "GET /v1/environments/prod" => (200, r#"{"environment":"prod","release":43}"#.into()),
        "POST /v1/environments/prod/orders" => {
            assert_eq!(body, r#"{"order":"rollback","by":"me"}"#);
            (202, r#"{"release":"r-0043"}"#.into())
        }
        "GET /v1/environments/prod/events?after=7&wait=1" => (200, r#"[{"seq":8,"text":"idle"}]"#.into()),
        "GET /v1/environments/prod/releases" => (200, r#"[{"id":43}]"#.into()),
        "GET /v1/environments/prod/releases/43" => (200, r#"{"release":{"id":43}}"#.into()),
        _ => (404, String::new()),
    });
    let client = &fake.client;
    assert_eq!(client.environments().await.unwrap(), ["prod", "staging"]);
    assert_eq!(client.status("prod").await.unwrap().release, Some(ReleaseId(43)));
    let order = OrderRequest { order: Order::Rollback, by: "me".into() };
    assert_eq!(client.order("prod", &order).await.unwrap().release, ReleaseId(43));
    assert_eq!(client.events("prod", 7, Duration::from_millis(400)).await.unwrap()[0].seq, 8);
    assert_eq!(client.releases("prod").await.unwrap().len(), 1);
    assert_eq!(client.explain("prod", ReleaseId(43)).await.unwrap().release.id, ReleaseId(43));
}

#[tokio::test]
async fn a_refusal_carries_the_agents_reason_and_exit_code() {
    let fake = Fake::new(|_, _| {
        (409, r#"{"title":"r-0042 is under way","detail":"since 10:02, by ops","exit":8,"release":42}"#.into())
    });
    let error = fake.client.status("prod").await.unwrap_err();
    assert_eq!(error.to_string(), "r-0042 is under way: since 10:02, by ops");
    assert!(matches!(error, ClientError::Refused(Problem { exit: Some(8), .. })));
}

#[tokio::test]
async fn an_error_that_is_no_problem_document_is_shown_as_it_is() {
    let fake = Fake::new(|_, _| (502, "<html>bad gateway".into()));
    let error = fake.client.status("prod").await.unwrap_err().to_string();
    assert_eq!(error, "the agent answered 502 Bad Gateway: <html>bad gateway");
}

#[tokio::test]
async fn an_answer_that_is_no_agents_is_shown() {
    let fake = Fake::new(|_, _| (200, "hello".into()));
    let error = fake.client.status("prod").await.unwrap_err().to_string();
    assert!(error.contains("did not answer like an agent") && error.contains("`hello`"), "{error}");
}

#[tokio::test]
async fn a_missing_a_deserted_and_a_forbidden_socket_each_name_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let check = async |words: &str| {
        let error = Client::new(&socket).environments().await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("agent.sock"), "{error}");
    };
    check("does not exist; start it with `teal agent`").await;
    drop(UnixListener::bind(&socket).unwrap());
    check("no agent listens on").await;
    let error = ClientError::connect(&socket, &std::io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(error.contains("become a member of its group or use sudo"), "{error}");
}

#[tokio::test]
async fn an_agent_that_hangs_is_given_up_and_one_that_ends_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let error = Client::new(&socket).patience(Duration::from_millis(20)).environments().await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");

    let task = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[").await.unwrap();
        }
    });
    let error = Client::new(&socket).environments().await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { .. }), "{error}");
    task.abort();
}

#[tokio::test]
async fn an_order_is_refused_when_the_environment_is_unknown() {
    let fake = Fake::new(|_, _| (404, r#"{"title":"no environment `prd`","exit":2}"#.into()));
    let order = OrderRequest { order: Order::Abort, by: String::new() };
    assert_eq!(fake.client.order("prd", &order).await.unwrap_err().to_string(), "no environment `prd`");
}
