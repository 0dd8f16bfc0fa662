//! The load generator's accounts against servers that do exactly what they are told.

use std::future::ready;
use std::net::Ipv4Addr;

use teal_testkit::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// What the scripted server does with its n-th request (from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Answer(u16, &'static str),
    /// A response that breaks off in its body.
    BreakOff,
    Close,
    Hang,
}

struct Server {
    address: SocketAddr,
    connections: Arc<std::sync::atomic::AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers the n-th request of all its connections by `script(n)`.
async fn server(script: impl Fn(u64) -> Act + Copy + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let opened = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        let next = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let mut open = tokio::task::JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let next = Arc::clone(&next);
            open.spawn(converse(stream, move || script(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))));
        }
    });
    Server { address, connections, task }
}

async fn converse(mut stream: TcpStream, next: impl Fn() -> Act) {
    let mut request = Vec::new();
    loop {
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let close = str::from_utf8(&request).unwrap().contains("connection: close");
        request.clear();
        let answer = match next() {
            Act::Answer(status, version) => {
                format!("HTTP/1.1 {status} X\r\nx-version: {version}\r\ncontent-length: 2\r\n\r\nok")
            }
            Act::BreakOff => "HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\no".to_owned(),
            Act::Close => return,
            Act::Hang => std::future::pending().await,
        };
        let broken = stream.write_all(answer.as_bytes()).await.is_err();
        if broken || close || answer.ends_with('o') {
            return;
        }
    }
}

fn settings(target: SocketAddr) -> LoadSettings {
    let paths = vec!["/".to_owned(), "/api/patients".to_owned()];
    LoadSettings { target, rps: 1000, jitter: Some(1), paths, one_shot_every: 10, give_up: SOON }
}

/// Lets `load` run until it is `done`.
async fn counts_after(load: &Load, done: impl Fn(&Counts) -> bool) -> Counts {
    until("the load has come so far", || {
        let counts = load.counts();
        ready(done(&counts).then_some(counts))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_accounted_for_by_what_the_server_did_with_it() {
    fn script(n: u64) -> Act {
        match n {
            10..15 => Act::Answer(500, "v3"),
            15..18 => Act::Close,
            18..20 => Act::BreakOff,
            20 => Act::Answer(404, "v3"),
            _ => Act::Answer(200, "v2"),
        }
    }
    let server = server(script).await;
    let load = start(settings(server.address)).unwrap();
    let start = Mark(Duration::ZERO);
    counts_after(&load, |cut| cut.all.requests > 60).await;
    let end = load.mark();
    timeout(SOON, load.settle(end)).await.unwrap();
    let stretch = load.stretch(start, end);
    let cut = stretch.cut().counts;
    assert_eq!(cut.in_flight, 0);
    assert_eq!((cut.all.bad, cut.all.lost, cut.unsent), (10, 5, 0));
    assert_eq!(cut.version("v3"), Tally { requests: 6, bad: 5, lost: 0 });
    assert_eq!(cut.version("v2"), Tally { requests: cut.all.requests - 11, bad: 0, lost: 0 });
    assert_eq!(cut.nobody, Tally { requests: 5, bad: 5, lost: 5 });
    // The server may see two requests in another order than they were sent, so the good one may come first.
    let exposure = stretch.exposure("v3").unwrap();
    assert!(exposure.bad == 10 && (10..=11).contains(&exposure.requests), "{exposure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_but_for_the_share_that_is_used_once() {
    let server = server(|_| Act::Answer(200, "v2")).await;
    let load = start(LoadSettings { rps: 200, jitter: None, ..settings(server.address) }).unwrap();
    let cut = counts_after(&load, |cut| cut.all.requests >= 100).await;
    drop(load);
    let connections = server.connections.load(std::sync::atomic::Ordering::Relaxed);
    assert!(connections >= 10 && connections < cut.all.requests / 2, "{connections} for {}", cut.all.requests);
    assert_eq!(cut.all.bad, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_holds_up_nobody_else_and_is_lost_when_the_client_gives_up() {
    let server = server(|n| if n % 2 == 0 { Act::Hang } else { Act::Answer(200, "v2") }).await;
    let give_up = Duration::from_millis(300);
    let load = start(LoadSettings { give_up, ..settings(server.address) }).unwrap();
    let start = Mark(Duration::ZERO);
    counts_after(&load, |cut| cut.in_flight > 100 && cut.version("v2").requests > 50).await;
    let end = load.mark();
    timeout(SOON, load.settle(end)).await.unwrap();
    let cut = load.stretch(start, end).cut().counts;
    // Every second request to reach the server hangs, so among these at least 49 did.
    assert!(cut.all.lost >= 49 && cut.all.lost == cut.all.bad, "{cut:?}");
    assert_eq!(cut.all.requests, cut.all.lost + cut.version("v2").requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_lost_at_once() {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let load = start(settings(address)).unwrap();
    let cut = counts_after(&load, |cut| cut.all.requests >= 20).await;
    assert_eq!((cut.all.bad, cut.all.lost), (cut.all.requests, cut.all.requests));
}

#[tokio::test]
async fn a_generator_that_is_held_up_marks_its_run_invalid() {
    let server = server(|_| Act::Answer(200, "v2")).await;
    let engine = Arc::new(Engine::new(LoadSettings { rps: 100, ..settings(server.address) }));
    let stop = CancellationToken::new();
    let run = tokio::spawn(engine::run(Arc::clone(&engine), Schedule::new(100, None), stop.clone()));
    // The generator shares this thread, and nothing of it runs meanwhile: twenty requests leave late.
    tokio::task::yield_now().await;
    std::thread::sleep(Duration::from_millis(200));
    while engine.ledger().counts().all.requests < 20 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    run.await.unwrap();
    let cut = engine.ledger().stretch(Duration::ZERO, Duration::MAX).cut();
    assert!(matches!(cut.valid(), Err(Invalid::Late(by)) if by > Duration::from_millis(100)), "{cut:?}");
    assert!(cut.latency[2] > Duration::from_millis(100), "latency counts from the intended start: {cut:?}");
}

#[tokio::test]
async fn a_path_may_bring_its_method() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let paths = ["/", "POST /orders"].map(str::to_owned).to_vec();
    let target = listener.local_addr().unwrap();
    let _load = start(LoadSettings { paths, one_shot_every: 1, ..settings(target) }).unwrap();
    let mut heads = Vec::new();
    while heads.len() < 2 {
        let (mut stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut head).await.unwrap() > 0);
        }
        heads.push(String::from_utf8(head).unwrap());
    }
    heads.sort();
    assert!(heads[0].starts_with("GET / ") && !heads[0].contains("content-length"), "{heads:?}");
    assert!(heads[1].starts_with("POST /orders ") && heads[1].contains("content-length: 0\r\n"), "{heads:?}");
}

#[test]
fn settings_out_of_range_are_refused_with_the_range() {
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    for rps in [0, MAX_RPS + 1] {
        let error = start(LoadSettings { rps, ..settings(target) }).unwrap_err();
        assert!(error.to_string().contains("--rps must be 1 to 20000"), "{error}");
    }
    assert!(matches!(start(LoadSettings { paths: Vec::new(), ..settings(target) }), Err(LoadError::NoPath)));
}
