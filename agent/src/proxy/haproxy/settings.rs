//! What the adapter needs to know about one HAProxy and one environment.

use std::path::PathBuf;
use std::time::Duration;

pub use super::bad_when::BadWhen;

/// One HAProxy, one environment.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// The environment's name, as it stands in HAProxy's proxy names (`teal_ENV_...`).
    pub environment: String,
    /// In the order of their names; the index is the component's id. At most 16.
    pub components: Vec<EdgeComponent>,
    /// The policy map, written exactly as HAProxy's configuration names it: HAProxy knows a map by that text.
    pub map: PathBuf,
    /// The Runtime API's socket, `level operator`.
    pub socket: PathBuf,
    /// The ports that it serves users on: whoever listens there while the socket is dead is an HAProxy without it.
    pub ports: Vec<u16>,
    /// The master process's socket (`-S`), where HAProxy runs as master and workers; reaches old workers.
    pub master_socket: Option<PathBuf>,
    /// Where the request log is read from.
    pub log: LogSource,
    /// How long one exchange with HAProxy may take before it counts as hung.
    pub timeout: Duration,
}

impl EdgeSettings {
    /// The default of [`Self::timeout`]: long against a busy machine's 40 ms, short against a person's patience.
    pub const TIMEOUT: Duration = Duration::from_millis(500);
}

/// One component as the edge sees it.
#[derive(Clone, Debug)]
pub struct EdgeComponent {
    /// Its name.
    pub name: String,
    /// How long its routes may take.
    pub limits: LatencyLimits,
    /// Which answers are bad.
    pub bad: BadWhen,
}

/// Where the request log is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// The ring `teal_ENV_log`, through the Runtime API's socket. Loses nothing.
    Ring,
    /// A unix datagram socket that HAProxy logs to, made by the adapter; it must lie where HAProxy still sees it
    /// after its `chroot`. Loses lines where the kernel's queue is short.
    Datagram(PathBuf),
}

/// The latency limit of each route group of a component, in whole milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyLimits([u32; Self::GROUPS]);

impl LatencyLimits {
    /// Groups 0 (any other path) to 32.
    pub const GROUPS: usize = 33;
    /// Where nothing is configured.
    pub const DEFAULT: Duration = Duration::from_secs(1);

    /// The same limit for every group.
    #[must_use]
    pub fn uniform(limit: Duration) -> Self {
        Self([millis(limit); Self::GROUPS])
    }

    /// Sets the limit of one group; a group above 32 is ignored.
    pub fn set(&mut self, group: u8, limit: Duration) {
        if let Some(slot) = self.0.get_mut(usize::from(group)) {
            *slot = millis(limit);
        }
    }

    /// Milliseconds allowed for `group`.
    #[must_use]
    pub fn get(&self, group: u8) -> u32 {
        self.0.get(usize::from(group)).copied().unwrap_or_else(|| self.largest())
    }

    /// The largest limit, in milliseconds: a request older than this is overdue whatever its route.
    #[must_use]
    pub fn largest(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }
}

impl Default for LatencyLimits {
    fn default() -> Self {
        Self::uniform(Self::DEFAULT)
    }
}

fn millis(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).unwrap_or(u32::MAX)
}
