//! `teal sample-app`: a small web application that fails on demand, for the demo and for tests.
//!
//! ```text
//! GET /healthz   200 while the process is there (or as bad as the rest: health=truthful)
//! GET /version   200, the version; never meets a fault, so that a smoke test passes
//! any other      200 `VERSION COLOUR`, or what the fault makes of it
//! ```
//! Each answer carries `x-version` and `x-colour`.

use std::convert::Infallible;
use std::ffi::OsString;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fault::{Fault, FaultError, Health};
use super::fault_file::FaultFile;
use teal_rollout::colour::Share;

/// How long requests in flight may take to finish once the app is told to end.
const GRACE: Duration = Duration::from_secs(5);

/// The options of `teal sample-app`.
#[derive(Clone, Debug, clap::Args)]
pub struct SampleAppArgs {
    /// The port to listen on
    #[arg(long)]
    pub port: u16,
    /// The address to listen on: 0.0.0.0 in a container, whose port is asked from outside of it
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,
    /// What `x-version` says
    #[arg(long, default_value = "v1")]
    pub version: String,
    /// What `x-colour` says
    #[arg(long, default_value = "-")]
    pub colour: String,
    /// What is wrong with this version: errors=20%, latency=500ms, hang, crash=100, slow-start=3s, late=5s,errors=100%
    #[arg(long, default_value = "none", value_name = "SPEC")]
    pub fault: Fault,
    /// A folder with a file `VERSION` for each version that has a fault, holding its SPEC; read again when it changes
    #[arg(long, value_name = "DIR")]
    pub faults: Option<PathBuf>,
    /// Which of the requests fail, where it is a share of them
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which replica of its colour this is, from 1: what `replica=2` means, and a part of the seed
    #[arg(long, default_value_t = 1)]
    pub slot: u16,
}

/// Why the sample app cannot run.
#[derive(Debug, thiserror::Error)]
pub enum SampleAppError {
    /// The port is taken, or the system refuses.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// The fault of this version cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The fault of this version is not understood.
    #[error("in {}: {source}", path.display())]
    Fault {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: FaultError,
    },
    /// A colour or version that a header cannot carry.
    #[error("`{0}` cannot stand in a header: use printable ASCII")]
    Header(String),
    /// The system refuses a runtime or a signal handler.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// How the sample app ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Its fault says `crash`.
    Crashed,
}

/// Reads what follows `teal sample-app`; ends the process, as clap does, when that is not understood.
#[must_use]
pub fn parse(args: impl IntoIterator<Item = OsString>) -> SampleAppArgs {
    #[derive(clap::Parser)]
    #[command(name = "teal sample-app", no_binary_name = true)]
    struct Line {
        #[command(flatten)]
        args: SampleAppArgs,
    }
    <Line as clap::Parser>::parse_from(args).args
}

/// Runs `teal sample-app` with what follows that word, until SIGTERM, SIGINT or its own crash (exit status 70).
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(parse(args)) {
        Ok(Ended::Stopped) => ExitCode::SUCCESS,
        Ok(Ended::Crashed) => ExitCode::from(70),
        Err(error) => {
            anstream::eprintln!("sample-app: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the app until SIGTERM, SIGINT or its own crash.
///
/// # Errors
/// When its fault cannot be read or the port cannot be opened.
pub fn run(args: SampleAppArgs) -> Result<Ended, SampleAppError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async move {
        let app = App::new(&args)?;
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = CancellationToken::new();
        let serve = async {
            let slow_start = tokio::time::sleep(app.fault.now().slow_start);
            if stop.run_until_cancelled(slow_start).await.is_none() {
                return Ok(Ended::Stopped);
            }
            let address = SocketAddr::from((args.listen, args.port));
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|source| SampleAppError::Listen { address, source })?;
            Ok(serve(listener, app, stop.clone()).await)
        };
        tokio::pin!(serve);
        tokio::select! {
            ended = &mut serve => return ended,
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        stop.cancel();
        // A second signal, or requests that hang, end it at once.
        tokio::select! {
            ended = serve => ended,
            _ = term.recv() => Ok(Ended::Stopped),
            () = tokio::time::sleep(GRACE) => Ok(Ended::Stopped),
        }
    });
    runtime.shutdown_background();
    ended
}

/// The application: what it says and what is wrong with it.
#[derive(Debug)]
pub struct App {
    version: HeaderValue,
    colour: HeaderValue,
    fault: FaultFile,
    slot: u16,
    /// When the first real request came: `late` counts from here.
    first: OnceLock<Instant>,
    /// Requests that met the fault so far.
    met: AtomicU64,
    dice: Mutex<fastrand::Rng>,
    crashed: CancellationToken,
}

impl App {
    /// The version of the arguments with its fault, from `--faults` where it stands there.
    ///
    /// # Errors
    /// When the fault's file cannot be read or understood, or a header cannot carry the version or colour.
    pub fn new(args: &SampleAppArgs) -> Result<Arc<Self>, SampleAppError> {
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| SampleAppError::Header(text.to_owned()));
        Ok(Arc::new(Self {
            version: header(&args.version)?,
            colour: header(&args.colour)?,
            fault: FaultFile::open(args.faults.as_deref(), &args.version, &args.fault)?,
            slot: args.slot,
            first: OnceLock::new(),
            met: AtomicU64::new(0),
            // Replicas with the same dice would fail together.
            dice: Mutex::new(fastrand::Rng::with_seed(args.seed ^ (u64::from(args.slot.saturating_sub(1)) << 32))),
            crashed: CancellationToken::new(),
        }))
    }

    async fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let fault = self.fault.now().met_by(method, self.slot);
        match path {
            "/version" => self.respond(StatusCode::OK),
            "/healthz" if fault.health == Health::Lies => self.respond(StatusCode::OK),
            "/healthz" => {
                let begun = self.first.get().is_some_and(|first| first.elapsed() >= fault.late);
                if begun || fault.late.is_zero() { self.suffer(&fault).await } else { self.respond(StatusCode::OK) }
            }
            _ if self.first.get_or_init(Instant::now).elapsed() < fault.late => self.respond(StatusCode::OK),
            _ => {
                let before = self.met.fetch_add(1, Ordering::Relaxed);
                if fault.crash.is_some_and(|after| before >= after) {
                    self.crashed.cancel();
                    pending::<()>().await;
                }
                self.suffer(&fault).await
            }
        }
    }

    async fn suffer(&self, fault: &Fault) -> Response<Full<Bytes>> {
        if self.hits(fault.hang) {
            pending::<()>().await;
        }
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        let failed = self.hits(fault.errors);
        self.respond(if failed { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
    }

    fn hits(&self, share: Share) -> bool {
        share > Share::NONE
            && self.dice.lock().unwrap_or_else(PoisonError::into_inner).u32(..Share::ALL.get()) < share.get()
    }

    fn respond(&self, status: StatusCode) -> Response<Full<Bytes>> {
        let body = [self.version.as_bytes(), b" ", self.colour.as_bytes(), b"\n"].concat();
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert("x-version", self.version.clone());
        response.headers_mut().insert("x-colour", self.colour.clone());
        response
    }
}

/// Answers on `listener` until `stop`, then finishes what is in flight; a crash drops every connection as it is.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: CancellationToken) -> Ended {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = app.crashed.cancelled() => return Ended::Crashed,
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors: those in flight will give some back.
                Err(_) => { tokio::time::sleep(Duration::from_millis(10)).await; continue }
            },
        };
        let _ = stream.set_nodelay(true);
        connections.spawn(converse(stream, Arc::clone(&app), stop.clone()));
    }
    drop(listener);
    loop {
        tokio::select! {
            () = app.crashed.cancelled() => return Ended::Crashed,
            ended = connections.join_next() => if ended.is_none() { return Ended::Stopped },
        }
    }
}

async fn converse(stream: tokio::net::TcpStream, app: Arc<App>, stop: CancellationToken) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(request.method(), request.uri().path()).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A client that goes away is no news.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
#[path = "sample_app_tests.rs"]
mod tests;
