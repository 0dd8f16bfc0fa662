//! `teal shim`: a small process that stands between the agent and one instance, and outlives the agent.
//!
//! ```text
//! agent --spawn--> teal shim SPEC.json            own session, lock and socket in the instance's folder
//!                    |        \--pipe--< output
//!                    +--spawn--> teal shim --exec  own process group; asks the kernel to be killed with the shim
//!                                  \--exec--> the application
//! ```
//! The agent may die, hang or be upgraded: the shim goes on serving, restarts its program, and tells whoever connects.
//! It ends on `stop` over its socket or on SIGTERM: SIGTERM (or the `stop` command) to the program, SIGKILL after the
//! grace, and nothing of the instance is left. When the shim itself is killed the kernel kills the program (a program
//! with set-user-id or file capabilities is exempt); the rest is found and ended by the agent, which then starts anew.

mod exec;
mod launch;
mod restart;
mod server;
mod supervise;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::files::{self, FileError, InstanceDir};
use super::output::Output;
use super::process::Process;
use super::protocol::{self, Hello, State, Trace};
use super::spec::Spec;

/// Why a shim could not begin.
#[derive(Debug, thiserror::Error)]
enum ShimError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("there is no {}", .0.display())]
    NoSpec(PathBuf),
    #[error("another shim runs in {}", .0.display())]
    Locked(PathBuf),
    #[error("cannot listen in {}: {source}", path.display())]
    Listen { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// The whole of `teal shim ARGUMENTS`: `SPEC.json`, or `--exec ...` for the step between shim and program.
///
/// Call it on the process's first thread, before any runtime: it becomes a daemon of its own.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match arguments.as_slice() {
        [spec] => match run(Path::new(spec)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("teal shim: {error}");
                ExitCode::FAILURE
            }
        },
        [flag, parent, error_file, program @ ..] if flag == exec::FLAG && !program.is_empty() => {
            exec::run(parent, Path::new(error_file), program)
        }
        _ => {
            eprintln!("teal shim is started by the agent; it takes SPEC.json");
            ExitCode::from(2)
        }
    }
}

fn run(spec_file: &Path) -> Result<(), ShimError> {
    let path = std::path::absolute(spec_file)?.parent().map(Path::to_owned).unwrap_or_default();
    let dir = InstanceDir { path };
    let _lock = dir.lock()?.ok_or_else(|| ShimError::Locked(dir.path.clone()))?;
    let spec = dir.spec()?.ok_or_else(|| ShimError::NoSpec(dir.spec_file()))?;
    // Refused only for the leader of a process group, when somebody runs it from a shell.
    let _new_session = rustix::process::setsid();
    std::env::set_current_dir("/")?;
    // One thread: the kernel ties the program's life to the thread that started it, not to the process.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&spec, &dir))
}

async fn serve(spec: &Spec, dir: &InstanceDir) -> Result<(), ShimError> {
    let context = Context {
        spec,
        dir,
        shim: Process::myself().ok_or_else(|| std::io::Error::other("/proc is not mounted"))?,
        output: Arc::new(Mutex::new(Output::open(&dir.output(), spec.output_limit))),
        state: watch::Sender::default(),
    };
    context.begin();
    context.leave_trace()?;
    let listener = protocol::listen(dir).map_err(|source| ShimError::Listen { path: dir.path.clone(), source })?;
    let (stop, stop_wanted) = watch::channel(None);
    let server = server::spawn(listener, context.hello(), context.state.subscribe(), stop.clone());
    tokio::spawn(obey_signals(stop, spec.grace)?);
    announce_ready();

    supervise::run(&context, StopWanted(stop_wanted)).await;
    // Gone from the folder before the visitors are told, so that who hears of the end may start anew there.
    for path in [dir.socket(), dir.process_file(), dir.exec_error()] {
        files::remove(&path)?;
    }
    context.state.send_modify(|state| state.phase = protocol::Phase::Stopped);
    drop(context);
    server.finish().await;
    Ok(())
}

/// One line to whoever started the shim: its socket can be visited.
fn announce_ready() {
    use std::io::Write;
    let _nobody_waits = std::io::stdout().write_all(b"ready\n").and_then(|()| std::io::stdout().flush());
}

/// What a shim's parts share.
struct Context<'a> {
    spec: &'a Spec,
    dir: &'a InstanceDir,
    shim: Process,
    output: Arc<Mutex<Output>>,
    state: watch::Sender<State>,
}

impl Context<'_> {
    fn hello(&self) -> Hello {
        let spec = self.spec;
        Hello {
            instance: spec.instance.clone(),
            environment: spec.environment.clone(),
            component: spec.component.clone(),
            colour: spec.colour,
            slot: spec.slot,
            version: spec.version.clone(),
            release: spec.release,
            port: spec.port,
            shim: self.shim.clone(),
        }
    }

    fn begin(&self) {
        let what = format!("{} of r-{:04}", self.spec.version, self.spec.release);
        self.output.lock().unwrap_or_else(PoisonError::into_inner).begin(&what);
    }

    fn note(&self, text: &str) {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).note(text);
    }

    /// On disk, who runs here just now.
    fn leave_trace(&self) -> Result<(), FileError> {
        let child = self.state.borrow().child.clone();
        let trace = Trace { instance: self.spec.instance.clone(), shim: self.shim.clone(), child };
        files::write_json_volatile(&self.dir.process_file(), &trace)
    }
}

/// What more than this is meant by "for ever".
const LONGEST_GRACE: Duration = Duration::from_secs(365 * 86_400);

/// The latest moment by which the program must have ended, once somebody wants it to.
type StopRequest = watch::Sender<Option<Instant>>;

/// Asks for the end; a request never gives more time than one before it.
fn request_stop(stop: &StopRequest, grace: Duration) {
    let deadline = Instant::now() + grace.min(LONGEST_GRACE);
    stop.send_modify(|current| {
        *current = Some(current.map_or(deadline, |current| current.min(deadline)));
    });
}

/// The other end of a [`StopRequest`].
struct StopWanted(watch::Receiver<Option<Instant>>);

impl StopWanted {
    /// The deadline, as soon as there is one. Cancel safe.
    async fn requested(&mut self) -> Instant {
        match self.0.wait_for(Option::is_some).await {
            Ok(deadline) => deadline.unwrap_or_else(Instant::now),
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns when the deadline has come, however often it is brought forward. Cancel safe.
    async fn expired(&mut self) {
        loop {
            let deadline = self.requested().await;
            self.0.mark_unchanged();
            tokio::select! {
                () = tokio::time::sleep_until(deadline.into()) => return,
                Ok(()) = self.0.changed() => {}
            }
        }
    }
}

/// SIGTERM and SIGINT stop the instance. SIGHUP does nothing, for a shim belongs to no terminal.
fn obey_signals(stop: StopRequest, grace: Duration) -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => request_stop(&stop, grace),
                _ = interrupt.recv() => request_stop(&stop, grace),
                _ = hang_up.recv() => {}
            }
        }
    })
}
