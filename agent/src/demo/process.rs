//! A process that ends with the demo, whichever way the demo ends.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// A child of the demo; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// Why a process is not there.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The system cannot start it.
    #[error("cannot start {name}: {source}")]
    Start {
        /// What it is.
        name: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// It ended by itself.
    #[error("{name} ended by itself ({status}); its last words:\n{last}")]
    Ended {
        /// What it is.
        name: &'static str,
        /// Its exit status.
        status: String,
        /// The end of its output.
        last: String,
    },
    /// It runs, and does not do its work.
    #[error("{name} was not ready within {} s; its last words:\n{last}", .within.as_secs())]
    NotReady {
        /// What it is.
        name: &'static str,
        /// How long it was given.
        within: Duration,
        /// The end of its output.
        last: String,
    },
}

impl Process {
    /// Starts `command` in a process group of its own: a Ctrl-C of the terminal reaches the demo alone, which then
    /// ends what it started in the right order. Output goes to `log`.
    ///
    /// # Errors
    /// When the log cannot be written or the program not be run.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self, ProcessError> {
        let mut start = || {
            let output = File::create(log)?;
            let errors = output.try_clone()?;
            command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0).spawn()
        };
        let child = start().map_err(|source| ProcessError::Start { name, source })?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails when the process has ended.
    ///
    /// # Errors
    /// [`ProcessError::Ended`].
    pub fn check(&mut self) -> Result<(), ProcessError> {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                Err(ProcessError::Ended { name: self.name, status: status.to_string(), last: last_lines(&self.log) })
            }
            _ => Ok(()),
        }
    }

    /// Waits until `ready` says so, asking each 10 ms, at most `within`.
    ///
    /// # Errors
    /// When the process ends before that, or time is up.
    pub async fn until(&mut self, within: Duration, mut ready: impl AsyncFnMut() -> bool) -> Result<(), ProcessError> {
        let deadline = Instant::now() + within;
        while !ready().await {
            self.check()?;
            if Instant::now() > deadline {
                return Err(ProcessError::NotReady { name: self.name, within, last: last_lines(&self.log) });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last ten lines of a log.
fn last_lines(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Process {
        Process::start("sh", Command::new("/bin/sh").args(["-c", script]), log).unwrap()
    }

    #[tokio::test]
    async fn a_process_that_ends_by_itself_is_reported_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo no such thing >&2; exit 3", &folder.path().join("log"));
        let error = process.until(Duration::from_secs(20), async || false).await.unwrap_err().to_string();
        assert!(error.contains("sh ended by itself (exit status: 3)") && error.contains("no such thing"), "{error}");
    }

    #[tokio::test]
    async fn a_dropped_process_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut process = shell("trap 'echo told >&2; exit' TERM; echo up; while :; do sleep 0.01; done", &log);
        process.until(Duration::from_secs(20), async || last_lines(&log).contains("up")).await.unwrap();
        let pid = process.id();
        drop(process);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert!(last_lines(&log).contains("told"), "it was asked before it was killed");
    }
}
