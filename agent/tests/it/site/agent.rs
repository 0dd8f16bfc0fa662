//! The agent of a site, as a process of its own.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::TEAL;

/// How long an agent may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Agent {
    baseline: Option<(u64, u64)>,
    child: Option<Child>,
}

impl Agent {
    pub(super) const fn new(baseline: Option<(u64, u64)>) -> Self {
        Self { baseline, child: None }
    }

    pub(super) fn start(&mut self, folder: &Path, variables: &[(&str, &str)]) {
        assert!(self.has_ended(), "there is an agent already");
        let log = OpenOptions::new().create(true).append(true).open(folder.join("agent.log")).unwrap();
        let mut command = Command::new(TEAL);
        command.current_dir(folder).arg("--config").arg("teal.toml").arg("agent");
        if let Some((requests, bad)) = self.baseline {
            command.args(["--seed-baseline", &format!("{requests},{bad}")]);
        }
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.as_ref().expect("no agent was started").id()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM; fails the test when the agent does not end by it.
    pub(super) fn stop(&mut self) {
        if self.child.is_none() || self.has_ended() {
            return;
        }
        self.signal(Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        let in_time = self.has_ended();
        self.kill_quietly();
        assert!(in_time || std::thread::panicking(), "the agent did not end within {GRACE:?} of SIGTERM");
    }

    pub(super) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn kill_quietly(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop();
        self.kill_quietly();
    }
}
