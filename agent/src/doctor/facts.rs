//! What was seen, as plain values: nothing here looks at anything.

use std::path::PathBuf;
use std::time::Duration;

use teal_rollout::policy::Policy;
use time::OffsetDateTime;

use crate::api::Status;

/// Everything that the findings about one environment are made of.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The environment's name.
    pub environment: String,
    /// This program's version.
    pub version: String,
    /// When it was looked, by this machine's clock.
    pub now: OffsetDateTime,
    /// Where the configuration stands.
    pub configuration: PathBuf,
    /// What it is warned of.
    pub warnings: Vec<String>,
    /// Who writes state and map: the agent's user while one runs, else whoever asks.
    pub user: User,
    /// The state folder; `None` where there is none.
    pub state: Option<Node>,
    /// Its path.
    pub state_path: PathBuf,
    /// Room on its disk; `None` where it cannot be told.
    pub space: Option<Space>,
    /// The agent.
    pub agent: Agent,
    /// The HAProxy program of this machine, or why there is none to use.
    pub program: Result<Program, String>,
    /// Whether HAProxy switches; if not, the selectors of Services do, and no edge is looked at.
    pub has_proxy: bool,
    /// The HAProxy in front.
    pub proxy: Proxy,
    /// HAProxy's processes on this machine; `None` where they cannot be listed.
    pub processes: Option<Processes>,
    /// The kernel's `net.unix.max_dgram_qlen`, where evidence comes by datagrams.
    pub queue: Option<Result<u64, String>>,
    /// Whether anybody is told, or why not.
    pub told: Result<String, String>,
    /// How many checks the smoke suite has, or why it cannot be read.
    pub smoke: Result<Option<usize>, String>,
    /// Files that hold secrets.
    pub secrets: Vec<Secret>,
    /// Certificates that are served.
    pub certificates: Vec<Certificate>,
    /// The clock.
    pub clock: Clock,
}

/// A process's user and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// As the system calls it, else its number.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its groups' numbers.
    pub gids: Vec<u32>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The path.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// The twelve bits of its mode.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The group's name, else its number.
    pub group: String,
}

/// What a path may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    File,
    Folder,
    Socket,
    Other,
}

impl Node {
    /// Whether `user` may, by owner, group and mode: `bit` is 4 to read, 2 to write. Root may everything.
    #[must_use]
    pub fn may(&self, user: &User, bit: u32) -> bool {
        let shift = if user.uid == self.uid {
            6
        } else if user.gids.contains(&self.gid) {
            3
        } else {
            0
        };
        user.uid == 0 || self.mode >> shift & bit != 0
    }

    /// Whether everybody may do what `bit` says.
    #[must_use]
    pub const fn everybody(&self, bit: u32) -> bool {
        self.mode & bit != 0
    }
}

/// Room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Free bytes for who is not root.
    pub bytes: u64,
    /// Free files; `None` where the file system does not count them.
    pub files: Option<u64>,
}

/// The agent of this machine.
#[derive(Clone, Debug)]
pub struct Agent {
    /// What it says of the environment, or why it says nothing.
    pub answer: Result<Box<Status>, String>,
    /// The agent that holds the lock of this edge.
    pub holder: Option<u32>,
    /// Its open files, where they can be seen.
    pub files: Option<OpenFiles>,
}

/// Open files of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// How many it may have.
    pub limit: u64,
    /// How many it has, where that can be seen.
    pub used: Option<u64>,
}

/// An HAProxy that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where.
    pub path: PathBuf,
    /// Such as `2.6.12`.
    pub version: String,
}

/// The HAProxy in front, as far as it can be asked.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What answers on the socket, or why nothing does.
    pub running: Result<Running, String>,
    /// Nothing answers, and its ports are served all the same.
    pub is_detached: bool,
    /// The socket's file.
    pub socket: Option<Node>,
    /// Its path.
    pub socket_path: PathBuf,
    /// The group it is configured to have.
    pub socket_group: Option<String>,
    /// The map's file.
    pub map: Option<Node>,
    /// Its path.
    pub map_path: PathBuf,
    /// The folder it is in.
    pub map_folder: Option<Node>,
    /// What stands in it, or why that is no policy.
    pub saved: Result<Policy, String>,
    /// Files that it was started with; `None` where that cannot be seen.
    pub files: Option<Vec<PathBuf>>,
    /// What is missing in them of Teal's; `None` where they cannot be read.
    pub missing: Option<Vec<String>>,
    /// Whether what `teal proxy render` writes now stands in them as it is.
    pub is_rendered: bool,
    /// HAProxy's own word on them, where it could be asked.
    pub checked: Option<Result<(), String>>,
    /// How long an old process may live.
    pub hard_stop_after: Duration,
}

/// An HAProxy that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its pid, as it sees itself.
    pub pid: u32,
    /// When it was started, seconds since 1970.
    pub started: u64,
    /// Its version.
    pub version: String,
    /// What its map holds.
    pub policy: Option<String>,
    /// Whether the socket is of level operator.
    pub is_operator: bool,
    /// Connections that it has, and may have.
    pub connections: Option<(u64, u64)>,
    /// Log lines that it could not send.
    pub dropped_logs: u64,
}

/// HAProxy's processes on this machine that have this environment's map or socket in their configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    /// Whether the one that answers is among them; not so in another container.
    pub is_here: bool,
    /// Those that a reload left behind.
    pub old: Vec<u32>,
    /// Those that belong to another HAProxy.
    pub strays: Vec<Stray>,
}

/// A process that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its pid.
    pub pid: u32,
    /// Its command line, shortened.
    pub command: String,
}

/// A file that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The key of the configuration that names it.
    pub key: &'static str,
    /// The file, or why it cannot be looked at.
    pub file: Result<Node, String>,
}

/// A certificate that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The key of the configuration that names it.
    pub key: &'static str,
    /// Its file.
    pub path: PathBuf,
    /// Until when it is good, or why that cannot be told.
    pub until: Result<OffsetDateTime, String>,
}

/// This machine's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Whether it is held to other clocks; `None` where nobody says.
    pub is_synchronised: Option<bool>,
    /// A file of Teal's that was written in the future, and how far.
    pub ahead: Option<(PathBuf, Duration)>,
}
