//! Processes by identity: a number alone may be somebody else's by now.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::environment::INSTANCE;

/// A process of this boot or an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it was started, in clock ticks since the machine was (`/proc/PID/stat`, field 22).
    pub started: u64,
    /// The kernel's id of that boot.
    pub boot: String,
}

impl Process {
    /// The process that has this number now; `None` when it has ended, or waits only for its parent to notice.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let (process, ended) = Self::read(pid)?;
        (!ended).then_some(process)
    }

    /// A child that this process has not reaped yet; it may have ended.
    pub(super) fn of_child(pid: i32) -> Option<Self> {
        Self::read(pid).map(|(process, _)| process)
    }

    fn read(pid: i32) -> Option<(Self, bool)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (started, ended) = parse(&stat)?;
        Some((Self { pid, started, boot: boot()? }, ended))
    }

    /// This very process.
    #[must_use]
    pub fn myself() -> Option<Self> {
        i32::try_from(std::process::id()).ok().and_then(Self::of)
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Kills it and the process group it leads, if it still runs; a process that took over its number is safe.
    pub(super) fn kill_with_group(&self) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        // As long as the handle is open and the process unreaped or its group not empty, the number is not given away;
        // the group goes first, while its leader proves whose it is.
        if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty())
            && self.is_alive()
        {
            let _leads_none = rustix::process::kill_process_group(pid, Signal::KILL);
            let _gone_meanwhile = pidfd_send_signal(handle, Signal::KILL);
        }
    }
}

/// Field 22 of `/proc/PID/stat`, and whether the process is a zombie. The second field, the name, may hold anything.
fn parse(stat: &str) -> Option<(u64, bool)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    Some((fields.nth(18)?.parse().ok()?, ended))
}

fn boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// Sends a signal to a process group; one that has no process left is as good.
pub(super) fn signal_group(leader: i32, signal: Signal) -> io::Result<()> {
    match Pid::from_raw(leader).map(|leader| rustix::process::kill_process_group(leader, signal)) {
        None | Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => Ok(()),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Kills every process that an instance has started and that has not renamed its environment away; says how many.
///
/// This finds what has left the instance's process group as well.
pub(super) fn sweep(instance: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| sweep_one(pid, instance).is_some()).count()
}

fn sweep_one(pid: i32, instance: &str) -> Option<()> {
    if !belongs(pid, instance) {
        return None;
    }
    // The handle first, then the proof, then the signal: the number cannot change hands in between.
    let handle = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    if belongs(pid, instance) { pidfd_send_signal(handle, Signal::KILL).ok() } else { None }
}

fn belongs(pid: i32, instance: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let is_ours = |variable: &[u8]| {
        let value = variable.strip_prefix(INSTANCE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value == Some(instance.as_bytes())
    };
    !instance.is_empty() && environment.split(|&byte| byte == 0).any(is_ours)
}

/// Waits until a process has ended, at most this long; says whether it has.
pub(super) async fn ended(process: &Process, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while process.is_alive() {
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_its_number_and_its_start() {
        let myself = Process::myself().unwrap();
        assert!(myself.is_alive());
        assert!(!Process { started: myself.started + 1, ..myself.clone() }.is_alive());
        assert!(!Process { boot: "another".into(), ..myself }.is_alive());
    }

    #[test]
    fn a_name_with_parentheses_does_not_confuse_the_reader() {
        let tail = "1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 777 1 1";
        assert_eq!(parse(&format!("7 (a) R (b) S {tail}")), Some((777, false)));
        assert_eq!(parse(&format!("7 (a) Z {tail}")), Some((777, true)));
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn a_sweep_ends_what_carries_the_instance_and_nothing_else() {
        let child = |instance: &str| {
            std::process::Command::new("/bin/sleep").arg("60").env(INSTANCE, instance).spawn().unwrap()
        };
        let (mut ours, mut other) = (child("one-id"), child("one-id-too"));
        // The environment is the child's own only once it has executed its program.
        while !belongs(i32::try_from(ours.id()).unwrap(), "one-id") {
            std::thread::yield_now();
        }
        assert_eq!(sweep("one-id"), 1);
        assert!(!ours.wait().unwrap().success());
        assert_eq!(other.try_wait().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(sweep(""), 0);
    }
}
