//! The Runtime API client: a new connection for every exchange, one line out, read to the end.
//!
//! ```text
//! set map M policy V;get map M policy;show info
//! -> empty (done) | value="V" | Pid, Stopping         all three from the same process
//! ```
//!
//! A connection kept open would still talk to the old process after a reload and be told that all is well.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

pub use super::answer::Process;
use super::answer::{before_value, map_value, process, refusal};
use super::listening;
use super::names::{Names, escape};
use super::settings::EdgeSettings;
use super::stat;
pub use super::stat::BackendRow;

/// HAProxy cuts a command at its buffer, 16 KiB unless configured.
const LONGEST_LINE: usize = 16_000;
/// No answer of ours is larger; a socket that talks without end is not HAProxy's.
const LARGEST_ANSWER: u64 = 8 << 20;

/// Why HAProxy could not be asked or did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// No such socket.
    #[error("no socket at {}: is HAProxy running, and does its `stats socket` line name this path?", .0.display())]
    NotFound(PathBuf),
    /// The socket is there and nobody listens.
    #[error("nothing answers at {}: HAProxy is not running (start it; the map file keeps the colour)", .0.display())]
    Refused(PathBuf),
    /// Its ports are served, but not by anybody behind this socket.
    #[error(
        "nothing answers at {}, but somebody serves port {port}: HAProxy runs without its socket, as it does after a second \
         start beside it that failed. Stop it and start it once (a reload does not help; the map file keeps the colour)",
        .socket.display()
    )]
    Detached {
        /// The socket.
        socket: PathBuf,
        /// The first of its ports that is served.
        port: u16,
    },
    /// The file mode of the socket keeps us out.
    #[error("no permission for {}: run Teal in the socket's group (`stats socket ... mode 660 group ...`)", .0.display())]
    PermissionDenied(PathBuf),
    /// It accepted and said nothing, or accepts nothing.
    #[error("HAProxy at {} did not answer within {after:?}: it hangs or is stopped (`kill -CONT`, or restart it)", .socket.display())]
    TimedOut {
        /// The socket.
        socket: PathBuf,
        /// How long was waited.
        after: Duration,
    },
    /// Any other failure of the socket.
    #[error("{}: {kind}", .socket.display())]
    Io {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// HAProxy knows no such map.
    #[error("HAProxy has no map `{map}`: `edge.map` must be written exactly as its configuration writes it")]
    UnknownMap {
        /// The map asked for.
        map: String,
    },
    /// The socket's level is too low.
    #[error("HAProxy refuses `{command}` on this socket: it needs `level operator`")]
    NotAllowed {
        /// What was asked.
        command: &'static str,
    },
    /// Before 2.6.
    #[error("HAProxy {version} is too old: Teal needs 2.6 or newer")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// A process that a reload has replaced answered; its word does not count.
    #[error("the process that answered (pid {pid}) is being replaced by a reload: ask again")]
    Leaving {
        /// Its pid.
        pid: u32,
    },
    /// The value read back is not the one written.
    #[error("HAProxy holds `{found}` after `{wanted}` was written: somebody else writes this map")]
    Stale {
        /// What was written.
        wanted: String,
        /// What was read.
        found: String,
    },
    /// The command does not fit HAProxy's buffer.
    #[error("a command of {0} bytes does not fit HAProxy's buffer of 16 KiB")]
    TooLong(usize),
    /// Anything else.
    #[error("HAProxy answered `{command}` with `{said}`")]
    Unexpected {
        /// What was asked.
        command: &'static str,
        /// The answer's first 200 characters, or `nothing`.
        said: String,
    },
}

impl RuntimeError {
    pub(super) fn unexpected(command: &'static str, said: &str) -> Self {
        let said = said.trim();
        let said = if said.is_empty() { "nothing".to_owned() } else { said.chars().take(200).collect() };
        Self::Unexpected { command, said }
    }

    fn io(socket: &Path, error: &io::Error) -> Self {
        let socket = socket.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound(socket),
            io::ErrorKind::ConnectionRefused => Self::Refused(socket),
            io::ErrorKind::PermissionDenied => Self::PermissionDenied(socket),
            kind => Self::Io { socket, kind },
        }
    }

    /// The same, told from an HAProxy that does run by the ports it serves.
    #[must_use]
    pub fn seen_from_outside(self, ports: &[u16]) -> Self {
        match self {
            Self::Refused(socket) => match listening::first(ports) {
                Some(port) => Self::Detached { socket, port },
                None => Self::Refused(socket),
            },
            other => other,
        }
    }

    /// Whether HAProxy could not be talked to at all, rather than having refused something.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::NotFound(_)
                | Self::Refused(_)
                | Self::Detached { .. }
                | Self::PermissionDenied(_)
                | Self::TimedOut { .. }
                | Self::Io { .. }
        )
    }
}

/// One look at the running proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Who answered.
    pub process: Process,
    /// What the map's key holds; `None` when it is missing.
    pub value: Option<String>,
    /// Our back ends; those that HAProxy does not know are missing.
    pub backends: Vec<BackendRow>,
}

/// A client for one HAProxy and one environment.
#[derive(Clone, Debug)]
pub struct Runtime {
    socket: PathBuf,
    timeout: Duration,
    map: String,
    look: String,
    names: Names,
}

impl Runtime {
    /// Prepares the lines; connects to nothing yet.
    #[must_use]
    pub fn new(settings: &EdgeSettings) -> Self {
        let names = Names::of(settings);
        let mut look = format!("get map {} policy;show info", names.map);
        for (backend, ..) in &names.backends {
            look.push_str(&format!(";show stat {backend} 6 -1"));
        }
        Self {
            socket: settings.socket.clone(),
            timeout: settings.timeout,
            map: settings.map.to_string_lossy().into_owned(),
            look,
            names,
        }
    }

    /// Sends one line and reads the answer to its end, all within the time-out.
    ///
    /// # Errors
    /// The socket's errors and [`RuntimeError::TimedOut`]; what HAProxy says is the caller's to judge.
    pub async fn ask(&self, line: &str) -> Result<String, RuntimeError> {
        if line.len() > LONGEST_LINE {
            return Err(RuntimeError::TooLong(line.len()));
        }
        let timed_out = || RuntimeError::TimedOut { socket: self.socket.clone(), after: self.timeout };
        match tokio::time::timeout(self.timeout, exchange(&self.socket, line)).await {
            Ok(Ok(answer)) => Ok(answer),
            // The queue of connections is full: nobody accepts any more, which is a hang and not a missing socket.
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Err(timed_out()),
            Ok(Err(error)) => Err(RuntimeError::io(&self.socket, &error)),
            Err(_) => Err(timed_out()),
        }
    }

    /// Makes the running proxy route by `policy` and reads it back, from one and the same process.
    ///
    /// # Errors
    /// Any [`RuntimeError`]. After a time-out the command may still be carried out later.
    pub async fn set(&self, policy: &str) -> Result<Process, RuntimeError> {
        let (map, value) = (&self.names.map, escape(policy));
        let mut answer = self.ask(&format!("set map {map} policy {value};get map {map} policy;show info")).await?;
        if before_value(&answer).contains("entry not found") {
            answer = self.create(&value).await?;
        }
        let found = map_value(&answer, &self.map)?;
        let said = before_value(&answer);
        if !said.is_empty() {
            return Err(refusal("set map", said, &self.map));
        }
        let process = process(&answer)?;
        if process.stopping {
            return Err(RuntimeError::Leaving { pid: process.pid });
        }
        match found {
            Some(found) if found == policy => Ok(process),
            found => Err(RuntimeError::Stale { wanted: policy.to_owned(), found: found.unwrap_or_default() }),
        }
    }

    /// Puts the missing key into the map as a new version of it: `add map` alone could add it twice.
    async fn create(&self, value: &str) -> Result<String, RuntimeError> {
        let map = &self.names.map;
        let prepared = self.ask(&format!("prepare map {map}")).await?;
        let version = prepared
            .trim()
            .strip_prefix("New version created: ")
            .filter(|version| version.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(|| refusal("prepare map", &prepared, &self.map))?;
        let add = format!("add map @{version} {map} policy {value};commit map @{version} {map}");
        self.ask(&format!("{add};get map {map} policy;show info")).await
    }

    /// Reads the policy, the process and our back ends at one moment.
    ///
    /// # Errors
    /// Any [`RuntimeError`] but `Stale` and `Leaving`: whether the process is leaving stands in the answer.
    pub async fn look(&self) -> Result<Look, RuntimeError> {
        let answer = self.ask(&self.look).await?;
        let process = process(&answer)?;
        let value = map_value(&answer, &self.map)?;
        Ok(Look { process, value, backends: stat::parse(&answer, &self.names) })
    }
}

/// One line out, everything back.
pub(super) async fn exchange(socket: &Path, line: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    // The write side stays open: closing it early makes HAProxy drop an answer that it has not finished.
    let mut answer = Vec::with_capacity(16 << 10);
    stream.take(LARGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_becomes_an_error_with_the_path_and_the_way_out() {
        let check = |kind: io::ErrorKind, words: &str| {
            let error = RuntimeError::io(Path::new("/run/haproxy/teal.sock"), &kind.into());
            let text = error.to_string();
            assert!(text.contains("/run/haproxy/teal.sock") && text.contains(words), "{text}");
            assert!(error.is_unreachable());
        };
        check(io::ErrorKind::NotFound, "is HAProxy running");
        check(io::ErrorKind::ConnectionRefused, "start it");
        check(io::ErrorKind::PermissionDenied, "socket's group");
        check(io::ErrorKind::ConnectionReset, "connection reset");
    }
}
