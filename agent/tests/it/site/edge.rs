//! What the edge routes by, asked from outside the agent.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use teal_agent::proxy::haproxy::map_file;
use teal_rollout::policy::Policy;
use teal_testkit::{HaProxy, until};

/// A view of HAProxy that outlives its processes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EdgeView {
    map: PathBuf,
    socket: PathBuf,
}

impl EdgeView {
    pub(super) fn of(haproxy: &HaProxy) -> Self {
        Self { map: haproxy.path().join("edge.map"), socket: haproxy.admin_socket() }
    }

    /// The process that answers and what it routes by; both of one moment. `None` when nothing answers.
    pub(crate) async fn running(&self) -> Option<(u32, Policy)> {
        let line = format!("show info;show map {}", self.map.display());
        let answered = tokio::time::timeout(Duration::from_secs(1), teal_testkit::runtime(&self.socket, &line)).await;
        let answer = answered.ok()?.ok()?;
        let pid = answer.lines().find_map(|line| line.strip_prefix("Pid: ")?.parse().ok())?;
        Some((pid, answer.split_whitespace().last()?.parse().ok()?))
    }

    /// What HAProxy would route by after a restart.
    pub(crate) fn saved(&self) -> Option<Policy> {
        map_file::read(&self.map).ok()
    }

    /// Puts this into the map file, behind the agent's back.
    pub(crate) fn write_file(&self, policy: &Policy) {
        map_file::write(&self.map, policy).unwrap();
    }

    /// From the first answer of a process other than `old` until that one routes by `policy`.
    pub(crate) async fn until_right(self, old: u32, policy: Policy) -> Duration {
        let first = until("another HAProxy answers", || async {
            let (pid, running) = self.running().await?;
            (pid != old).then(|| (Instant::now(), running == policy))
        });
        let (first, right) = first.await;
        if right {
            return Duration::ZERO;
        }
        let right = || async { self.running().await.filter(|(pid, running)| *pid != old && *running == policy) };
        until("HAProxy routes by the policy", right).await;
        first.elapsed()
    }
}
