//! What a shim and its visitors say to each other: JSON lines over a unix socket in the instance's folder.
//!
//! ```text
//! shim    {"hello":{...}}            who it is, once
//! shim    {"state":{...}}            how its instance is: at once, and at every change
//! visitor {"stop":{"grace_ms":500}}  end, kill what has not ended after that long
//! ```
//! A state is whole, so a visitor that lags may miss one and loses nothing. Fields may be added, never change their
//! meaning: a shim lives as long as its instance does, through many upgrades of the agent.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

use super::files::{self, InstanceDir};
use super::process::Process;

/// How long a shim may take to introduce itself before it counts as hung.
const INTRODUCTION: Duration = Duration::from_secs(2);

/// Who a shim is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) instance: String,
    pub(super) environment: String,
    pub(super) component: String,
    pub(super) colour: Colour,
    pub(super) slot: u16,
    pub(super) version: String,
    pub(super) release: u64,
    pub(super) port: u16,
    pub(super) shim: Process,
}

/// What a shim does just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// About to start its program for the first time.
    #[default]
    Starting,
    /// The program runs.
    Running,
    /// The program ended or could not be started; the next attempt is some way off.
    Waiting,
    /// The program was told to end.
    Stopping,
    /// The program has ended and so does the shim.
    Stopped,
}

/// How an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) child: Option<Process>,
    /// Starts after the first.
    pub(super) restarts: u32,
    pub(super) crash_looping: bool,
    /// Why it last ended or could not be started; gone once it has settled.
    pub(super) failure: Option<String>,
}

/// A line of a shim's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    Hello(Hello),
    State(State),
}

/// A line of a visitor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    Stop { grace_ms: u64 },
}

/// What a shim leaves on disk while it lives, for the day it is killed and cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trace {
    pub(super) instance: String,
    pub(super) shim: Process,
    pub(super) child: Option<Process>,
}

/// A socket's address is 107 bytes at most, a state folder's may be longer: go through the open folder.
fn short_path(dir: &InstanceDir) -> io::Result<(File, PathBuf)> {
    let folder = File::open(&dir.path)?;
    let path = format!("/proc/self/fd/{}/control.sock", folder.as_raw_fd()).into();
    Ok((folder, path))
}

/// Opens a shim's socket, in place of one that a killed shim left. The caller holds the instance's lock.
pub(super) fn listen(dir: &InstanceDir) -> io::Result<UnixListener> {
    files::remove(&dir.socket()).map_err(|error| error.source)?;
    let (_folder, path) = short_path(dir)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(dir.socket(), Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// One line, as it goes out.
pub(super) fn line(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// A visit to a shim.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) hello: Hello,
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

impl Link {
    /// Connects and hears who it is. An error of kind `TimedOut` means that something is there and says nothing.
    pub(super) async fn open(dir: &InstanceDir) -> io::Result<Self> {
        let (_folder, path) = short_path(dir)?;
        let introduction = async {
            let (read, write) = UnixStream::connect(path).await?.into_split();
            let mut lines = BufReader::new(read).lines();
            let first = lines.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match serde_json::from_str(&first)? {
                Message::Hello(hello) => Ok(Self { hello, lines, write }),
                Message::State(_) => Err(io::ErrorKind::InvalidData.into()),
            }
        };
        tokio::time::timeout(INTRODUCTION, introduction).await?
    }

    /// The next state; `None` when the shim has gone. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<State> {
        loop {
            let line = self.lines.next_line().await.ok()??;
            // A line of a newer shim that says nothing to us is no reason to leave it.
            if let Ok(Message::State(state)) = serde_json::from_str(&line) {
                return Some(state);
            }
        }
    }

    /// Tells the shim to end its instance and itself.
    pub(super) async fn stop(&mut self, grace: Duration) -> io::Result<()> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.write.write_all(&line(&Request::Stop { grace_ms })?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_what_the_module_says() {
        let text = |message: &Message| String::from_utf8(line(message).unwrap()).unwrap();
        let state = State { phase: Phase::Waiting, restarts: 2, ..State::default() };
        assert_eq!(
            text(&Message::State(state)),
            "{\"state\":{\"phase\":\"waiting\",\"child\":null,\"restarts\":2,\"crash_looping\":false,\"failure\":null}}\n"
        );
        assert_eq!(line(&Request::Stop { grace_ms: 500 }).unwrap(), b"{\"stop\":{\"grace_ms\":500}}\n");
    }

    #[tokio::test]
    async fn a_socket_below_a_long_path_can_be_opened_and_visited() {
        let root = tempfile::tempdir().unwrap();
        let dir = InstanceDir { path: root.path().join("d".repeat(120)) };
        files::create_dir(&dir.path).unwrap();
        assert_eq!(Link::open(&dir).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        drop(listen(&dir).unwrap());
        assert_eq!(Link::open(&dir).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let listener = listen(&dir).unwrap();
        assert_eq!(fs::metadata(dir.socket()).unwrap().permissions().mode() & 0o777, 0o600);
        let (link, visitor) = tokio::join!(Link::open(&dir), async { drop(listener.accept().await.unwrap()) });
        assert_eq!((link.unwrap_err().kind(), visitor), (io::ErrorKind::UnexpectedEof, ()));
    }
}
