//! The relay of an agent that is one: what follows the service, and its door.

use std::net::SocketAddr;
use std::path::Path;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RuntimeError;
use super::watch::Watch;
use crate::config;
use crate::flags::{Keeper, Relay, Upstream};
use crate::http;

/// The running relay.
pub(super) struct Running {
    relay: Relay,
    parts: [JoinHandle<()>; 2],
    /// Who follows ends after the door: counts that come until then are still sent.
    no_more_counts: CancellationToken,
}

/// Starts it. On an error nothing of it is left running once `shutdown` is cancelled.
pub(super) async fn start(
    state: &Path,
    listen: SocketAddr,
    upstream: &config::Upstream,
    watch: &Watch,
    shutdown: &CancellationToken,
) -> Result<Running, RuntimeError> {
    let no_more_counts = CancellationToken::new();
    let upstream = Upstream {
        addresses: upstream.addresses.clone(),
        token_file: upstream.token_file.clone(),
        authority: upstream.ca_file.clone(),
        report_every: upstream.report_every,
        snapshot: state.join("relay.snapshot"),
    };
    let (relay, follower) = Relay::start(upstream, no_more_counts.clone());
    let door = http::flags::start(Keeper::Relay(relay.clone()), listen, shutdown.child_token()).await;
    let (address, door) = match door {
        Ok(started) => started,
        Err(error) => {
            no_more_counts.cancel();
            let _ = follower.await;
            return Err(error.into());
        }
    };
    let position = relay.reads().state().position().to_string();
    tracing::info!(%address, upstream = relay.upstream(), position, "flags are relayed");
    let part = |name: &str, task: JoinHandle<()>| {
        watch.over(format!("flags: {name}"), async move {
            // A part that panicked was reported where it happened.
            let _ = task.await;
        })
    };
    Ok(Running { relay, parts: [part("the door", door), part("the relay", follower)], no_more_counts })
}

impl Running {
    pub(super) fn relay(&self) -> Relay {
        self.relay.clone()
    }

    /// Waits until all of it has ended after `shutdown` was cancelled.
    pub(super) async fn ended(self) {
        let [door, follower] = self.parts;
        let _ = door.await;
        self.no_more_counts.cancel();
        let _ = follower.await;
    }
}
