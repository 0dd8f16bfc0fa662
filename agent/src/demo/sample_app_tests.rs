//! The sample app, fault by fault, over real sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// A generous bound on what should come at once.
const SOON: Duration = Duration::from_secs(20);

/// One running app; asked over real connections.
struct Running {
    address: SocketAddr,
    app: Arc<App>,
    stop: CancellationToken,
    task: JoinHandle<Ended>,
}

async fn start(fault: &str) -> Running {
    start_replica(1, fault).await
}

async fn start_replica(slot: u16, fault: &str) -> Running {
    let args = SampleAppArgs {
        port: 0,
        listen: Ipv4Addr::LOCALHOST.into(),
        version: "v7".to_owned(),
        colour: "green".to_owned(),
        fault: fault.parse().unwrap(),
        faults: None,
        seed: 1,
        slot,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let app = App::new(&args).unwrap();
    let task = tokio::spawn(serve(listener, Arc::clone(&app), stop.clone()));
    Running { address, app, stop, task }
}

impl Running {
    /// The whole answer as text; empty when the connection ends without one.
    async fn get(&self, path: &str) -> String {
        self.ask("GET", path).await
    }

    async fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    async fn hangs(&self, path: &str) -> bool {
        timeout(Duration::from_millis(100), self.get(path)).await.is_err()
    }
}

#[tokio::test]
async fn a_good_version_answers_with_its_version_and_colour() {
    let app = start("none").await;
    for path in ["/", "/api/patients?page=2", "/healthz", "/version"] {
        let answer = app.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(answer.contains("x-version: v7\r\n") && answer.contains("x-colour: green\r\n"), "{path}: {answer}");
        assert!(answer.ends_with("\r\n\r\nv7 green\n"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn errors_fall_on_real_requests_in_about_their_share_and_the_health_path_lies() {
    let app = start("errors=20%").await;
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(app.status("/").await == 500);
        assert_eq!((app.status("/healthz").await, app.status("/version").await), (200, 200));
    }
    // Seeded, so that it is the same on every run.
    assert!((25..=55).contains(&failed), "{failed} of 200");
}

#[tokio::test]
async fn a_truthful_health_path_fails_with_the_rest_and_a_version_never_does() {
    let app = start("errors=100%,health=truthful").await;
    assert_eq!((app.status("/").await, app.status("/healthz").await, app.status("/version").await), (500, 500, 200));
}

#[tokio::test]
async fn a_fault_of_writes_is_met_by_no_read_and_one_of_a_replica_by_that_one_only() {
    let app = start("errors=100%,methods=write,health=truthful").await;
    assert_eq!((app.status("/").await, app.status("/healthz").await), (200, 200));
    assert!(app.ask("POST", "/").await.starts_with("HTTP/1.1 500 "));
    let app = start("errors=100%,methods=read").await;
    assert!(app.ask("POST", "/").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(app.status("/").await, 500);
    for (slot, status) in [(1, 200), (2, 500), (3, 200)] {
        assert_eq!(start_replica(slot, "errors=100%,replica=2").await.status("/").await, status);
    }
}

#[tokio::test]
async fn latency_delays_every_answer() {
    let app = start("latency=30ms").await;
    let begun = Instant::now();
    assert_eq!(app.status("/").await, 200);
    assert!(begun.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_hang_never_answers_while_the_health_path_does() {
    let app = start("hang").await;
    assert!(app.hangs("/").await);
    assert_eq!(app.status("/healthz").await, 200);
}

#[tokio::test]
async fn a_crash_ends_the_app_without_an_answer_after_that_many_requests() {
    let app = start("crash=2").await;
    assert_eq!((app.status("/").await, app.status("/healthz").await, app.status("/").await), (200, 200, 200));
    assert_eq!(app.get("/").await, "");
    assert_eq!(timeout(SOON, app.task).await.unwrap().unwrap(), Ended::Crashed);
    assert!(TcpStream::connect(app.address).await.is_err());
}

#[tokio::test]
async fn a_late_fault_waits_from_the_first_real_request() {
    let app = start("late=200ms,errors=100%,health=truthful").await;
    assert_eq!((app.status("/healthz").await, app.status("/version").await), (200, 200));
    let begun = Instant::now();
    let mut good = 0;
    while app.status("/").await == 200 {
        good += 1;
        assert!(begun.elapsed() < SOON);
    }
    assert!(good > 0 && begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(app.status("/healthz").await, 500);
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_in_flight_and_opens_nothing_new() {
    let app = start("latency=100ms").await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: app\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    let read = async {
        while app.app.met.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        app.stop.cancel();
        stream.read_exact(&mut first).await.unwrap();
    };
    timeout(SOON, read).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    assert_eq!(timeout(SOON, app.task).await.unwrap().unwrap(), Ended::Stopped);
    assert!(TcpStream::connect(app.address).await.is_err());
}

#[test]
fn the_fault_of_a_version_stands_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("v3"), "late=5s,errors=100%\n").unwrap();
    std::fs::write(folder.path().join("v4"), "errors=lots").unwrap();
    let fault = |version: &str| {
        let args = SampleAppArgs {
            port: 0,
            listen: Ipv4Addr::LOCALHOST.into(),
            version: version.to_owned(),
            colour: "blue".to_owned(),
            fault: Fault::default(),
            faults: Some(folder.path().to_owned()),
            seed: 1,
            slot: 1,
        };
        App::new(&args).map(|app| app.fault.now().to_string()).map_err(|error| error.to_string())
    };
    assert_eq!(fault("v2").as_deref(), Ok("none"));
    assert_eq!(fault("v3").as_deref(), Ok("errors=100%,late=5s"));
    assert!(fault("v4").unwrap_err().contains("v4: fault `errors` needs a percentage"));
}
