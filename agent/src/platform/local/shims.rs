//! Shims as seen from outside: started, found, ended. Everything here works without an agent as well.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::environment::INSTANCE;
use super::files::{self, FileError, InstanceDir, private};
use super::output::last_lines;
use super::process::{ended, sweep};
use super::protocol::{Link, Trace};
use super::spec::Spec;

/// How long a shim may take to open its socket, and how long beyond the grace it may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the kernel may take to end a process that was killed.
const KILLED: Duration = Duration::from_secs(2);

/// Why an instance could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    /// A file of its folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The teal binary cannot be run.
    #[error("cannot run {program} shim: {source}")]
    Spawn {
        /// Which binary.
        program: String,
        /// The system's word.
        source: io::Error,
    },
    /// It ended or hung before its socket was open.
    #[error("the shim in {folder} did not begin: {last}")]
    NotBegun {
        /// The instance's folder.
        folder: String,
        /// The last line it wrote.
        last: String,
    },
    /// It is still there although it was killed.
    #[error("pid {0} does not end although it was killed")]
    Unkillable(i32),
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing ran.
    WasNot,
    /// By its shim, gracefully or killed after the grace.
    Stopped,
    /// The shim was dead or hung; it and what it had started were killed.
    Killed,
}

/// Starts a shim for this spec; whatever a dead one has left there is ended first. Do not cancel.
pub(super) async fn launch(teal: &Path, dir: &InstanceDir, spec: &Spec) -> Result<(), ShimError> {
    files::create_dir(&dir.path)?;
    if visit(dir).await.is_some() {
        return Err(not_begun(dir, "another one is there"));
    }
    end_leftovers(dir).await?;
    files::write_json(&dir.spec_file(), spec)?;

    let log = private().write(true).create(true).truncate(true).open(dir.shim_log());
    let log = log.map_err(FileError::of("write", &dir.shim_log()))?;
    let mut command = Command::new(teal);
    command.arg("shim").arg(dir.spec_file()).env_remove(INSTANCE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let spawned = command.spawn();
    let mut shim = spawned.map_err(|source| ShimError::Spawn { program: teal.display().to_string(), source })?;
    let mut begun = shim.stdout.take().ok_or_else(|| not_begun(dir, "it has no output"))?;
    let mut word = [0; 6];
    match tokio::time::timeout(PATIENCE, begun.read_exact(&mut word)).await {
        // It is on its own from here; the runtime reaps it when it ends.
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => {
            let _reaped = shim.wait().await;
            Err(not_begun(dir, "it ended at once"))
        }
        Err(_) => {
            let _reaped = shim.kill().await;
            Err(not_begun(dir, "it said nothing for 5 s"))
        }
    }
}

fn not_begun(dir: &InstanceDir, otherwise: &str) -> ShimError {
    let last = last_lines(&dir.shim_log(), 1).pop().unwrap_or_else(|| otherwise.to_owned());
    ShimError::NotBegun { folder: dir.path.display().to_string(), last }
}

/// Visits the shim that is there, or is about to be; `None` when there is none, or it says nothing.
async fn visit(dir: &InstanceDir) -> Option<Link> {
    let until = Instant::now() + PATIENCE;
    loop {
        match Link::open(dir).await {
            Ok(link) => return Some(link),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return None,
            // A lock without a socket: a shim that has just begun, or is about to end.
            Err(_) if Instant::now() < until && matches!(dir.lock(), Ok(None)) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(_) => return None,
        }
    }
}

/// Ends an instance: `grace` in place of its own, if given. Whatever state it is in, nothing of it runs afterwards.
pub(super) async fn stop(dir: &InstanceDir, grace: Option<Duration>) -> Result<Ended, ShimError> {
    let spec = dir.spec().ok().flatten();
    let grace = grace.or(spec.map(|spec| spec.grace)).unwrap_or(PATIENCE);
    if let Some(mut link) = visit(dir).await {
        let shim = link.hello.shim.clone();
        let farewell = async {
            link.stop(grace).await?;
            while link.next().await.is_some() {}
            Ok::<(), io::Error>(())
        };
        let _in_time = tokio::time::timeout(grace + PATIENCE, farewell).await;
        if ended(&shim, KILLED).await && dir.process().is_none() {
            return Ok(Ended::Stopped);
        }
    }
    let left = end_leftovers(dir).await?;
    Ok(if left { Ended::Killed } else { Ended::WasNot })
}

/// Kills a shim that does not answer and whatever a shim has left, children first; says whether there was anything.
pub(super) async fn end_leftovers(dir: &InstanceDir) -> Result<bool, ShimError> {
    let mut found = false;
    if let Some(Trace { instance, shim, child }) = dir.process() {
        // The shim first: else it starts what is killed here again.
        for process in [Some(shim), child].into_iter().flatten() {
            if process.is_alive() {
                found = true;
                process.kill_with_group();
            }
            if !ended(&process, KILLED).await {
                return Err(ShimError::Unkillable(process.pid));
            }
        }
        found |= sweep(&instance) > 0;
    }
    if let Ok(Some(spec)) = dir.spec() {
        found |= sweep(&spec.instance) > 0;
    }
    files::remove(&dir.process_file())?;
    files::remove(&dir.socket())?;
    Ok(found)
}
