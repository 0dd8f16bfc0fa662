use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::Either;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// Long enough for a busy machine, so that only what is meant to run out of time does.
const PATIENT: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(20) };

const THREE: Ask = Ask { requests: 3, enough: 3 };

/// A server that gives every connection `answer` and closes it; `None` reads and never answers.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _task: AbortOnDropHandle<()>,
}

async fn server(answer: Option<&'static str>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heads) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&heads);
    let task = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            seen.lock().unwrap().push(String::from_utf8(head).unwrap());
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => open.push(stream),
            }
        }
    });
    Server { address, heads, _task: AbortOnDropHandle::new(task) }
}

fn get(path: &str) -> ProbeRequest {
    ProbeRequest::new(Method::GET, path, "app.example", HeaderMap::new()).unwrap()
}

#[tokio::test]
async fn an_answer_below_500_passes_and_others_do_not() {
    let check = async |answer, passed| {
        let server = server(Some(answer)).await;
        assert_eq!(probe(&[server.address], &[get("/")], THREE, PATIENT).await, passed, "{answer:?}");
    };
    check("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 3).await;
    check("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbody that ends with the connection", 3).await;
    check("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\ncut short", 3).await;
    check("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 3).await;
    check("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", 0).await;
    check("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", 0).await;
    check("not http at all\r\n\r\n", 0).await;
    check("", 0).await;
}

#[tokio::test]
async fn three_requests_are_spread_over_servers_and_paths_each_with_the_marker() {
    let ok = "HTTP/1.1 204 No Content\r\n\r\n";
    let (a, b) = (server(Some(ok)).await, server(Some(ok)).await);
    let headers = HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static("text/html"))]);
    let head = ProbeRequest::new(Method::HEAD, "/two?x=1", "app.example:8080", headers).unwrap();
    assert_eq!(probe(&[a.address, b.address], &[get("/one"), head], THREE, PATIENT).await, 3);
    let (a, b) = (a.heads.lock().unwrap(), b.heads.lock().unwrap());
    assert_eq!((a.len(), b.len()), (2, 1));
    assert!(a.iter().all(|head| head.starts_with("GET /one HTTP/1.1\r\n") && head.contains("host: app.example\r\n")));
    assert!(b[0].starts_with("HEAD /two?x=1 HTTP/1.1\r\n"), "{}", b[0]);
    assert!(b[0].contains("host: app.example:8080\r\n") && b[0].contains("accept: text/html\r\n"), "{}", b[0]);
    assert!(a.iter().chain(b.iter()).all(|head| head.contains("x-teal-probe: 1\r\n")));
}

#[tokio::test]
async fn one_dead_server_of_two_costs_only_its_own_requests() {
    let alive = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    // Bound and not listening: refuses connections, and nobody else can take the port meanwhile.
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = bound.local_addr().unwrap();
    assert_eq!(probe(&[alive.address, dead], &[get("/")], THREE, PATIENT).await, 2);
    assert_eq!(probe(&[dead, alive.address], &[get("/")], THREE, PATIENT).await, 1);
}

#[tokio::test]
async fn a_hanging_server_fails_within_the_limit() {
    let hangs = server(None).await;
    let (start, limits) = (Instant::now(), Limits { total: Duration::from_millis(50), ..PATIENT });
    assert_eq!(probe(&[hangs.address], &[get("/")], THREE, limits).await, 0);
    assert!(start.elapsed() >= limits.total, "gave up early: {:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_decided_is_not_waited_for() {
    let (ok, hangs) = (server(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await, server(None).await);
    let forever = Limits { total: Duration::from_secs(3600), ..PATIENT };
    let ask = Ask { requests: 4, enough: 2 };
    assert_eq!(probe(&[ok.address, hangs.address], &[get("/")], ask, forever).await, 2);
}

#[tokio::test]
async fn nothing_to_ask_passes_nothing() {
    let ok = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(probe(&[], &[get("/")], THREE, PATIENT).await, 0);
    assert_eq!(probe(&[ok.address], &[], THREE, PATIENT).await, 0);
}

#[test]
fn a_request_that_writes_or_cannot_be_sent_is_refused() {
    let check = |method: Method, path: &str, host: &str, words: &str| {
        let error = ProbeRequest::new(method, path, host, HeaderMap::new()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(Method::POST, "/", "a", "must be GET or HEAD, not POST");
    check(Method::GET, "relative", "a", "`relative` is not a path");
    check(Method::GET, "/a b", "a", "`/a b` is not a path");
    check(Method::GET, "/a#b", "a", "not a path");
    check(Method::GET, "/", "", "`` is not a host name");
    check(Method::GET, "/", "a\r\nx: y", "is not a host name");
}

#[tokio::test]
async fn a_server_with_one_worker_and_a_short_queue_passes_all_that_it_is_asked() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // The kernel keeps one more than it is told.
    let listener = socket.listen(2).unwrap();
    let address = listener.local_addr().unwrap();
    let _worker = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            // The worker is busy for as long as that takes.
            tokio::time::sleep(Duration::from_millis(2)).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    }));
    let ask = Ask { requests: 24, enough: 24 };
    assert_eq!(probe(&[address], &[get("/")], ask, Limits::default()).await, 24);
}

#[tokio::test]
async fn a_server_that_hangs_is_asked_everything_all_the_same() {
    let hangs = server(None).await;
    let forever = Limits { total: Duration::from_secs(3600), ..PATIENT };
    let (addresses, requests) = ([hangs.address], [get("/")]);
    let asked = probe(&addresses, &requests, Ask { requests: 12, enough: 11 }, forever).boxed();
    let all = teal_testkit::until("all have been asked", || async {
        (hangs.heads.lock().unwrap().len() == 12).then_some(())
    });
    assert!(matches!(futures_util::future::select(asked, all.boxed()).await, Either::Right(_)));
}
