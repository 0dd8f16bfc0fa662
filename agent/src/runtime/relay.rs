//! The relay of an agent that is one: what follows the service, and its door.

mod own_token;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::own_token::OwnToken;
use super::RuntimeError;
use super::flags::door;
use super::watch::Watch;
use crate::config;
use crate::flags::{Keeper, Relay, Upstream};
use crate::http;
use crate::http::access::{Counters, FromHere};
use crate::http::flags::Open;

/// The running relay.
pub(super) struct Running {
    relay: Relay,
    /// What the door answers.
    pub(super) router: Router,
    /// Who came.
    pub(super) counters: Arc<Counters>,
    parts: [JoinHandle<()>; 4],
    /// Who follows ends after the door: counts that come until then are still sent.
    no_more_counts: CancellationToken,
}

/// Starts it. On an error nothing of it is left running once `shutdown` is cancelled.
pub(super) async fn start(
    state: &Path,
    settings: &config::FlagService,
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
    let own = OwnToken::read(upstream.token_file.clone()).await;
    let (relay, follower) = Relay::start(upstream, no_more_counts.clone());
    // It changes nothing, so that whoever is on its machine may ask; others need the token that it has itself.
    let is_loopback = settings.listen.ip().is_loopback();
    if !is_loopback && own.is_missing() {
        let listen = settings.listen;
        tracing::warn!(%listen, "nobody is let in: `upstream_token_file` holds no token that could be asked for");
    }
    let from_here = if is_loopback { FromHere::AnyToken } else { FromHere::Token };
    let (sender, tokens) = watch::channel(own.directory());
    let door = door::settings(settings, from_here, tokens);
    let door = http::flags::start(Keeper::Relay(relay.clone()), None, door, shutdown.child_token()).await;
    let Open { address, router, counters, task: door } = match door {
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
    let questions = tokio::spawn(Keeper::Relay(relay.clone()).keep_questions_until(shutdown.child_token()));
    let stop = shutdown.child_token();
    let own = tokio::spawn(async move {
        stop.run_until_cancelled(own.follow(sender)).await;
    });
    let parts = [
        part("the door", door),
        part("the relay", follower),
        part("counts of questions", questions),
        part("the relay's token", own),
    ];
    Ok(Running { relay, router, counters, parts, no_more_counts })
}

impl Running {
    pub(super) fn relay(&self) -> Relay {
        self.relay.clone()
    }

    /// Waits until all of it has ended after `shutdown` was cancelled.
    pub(super) async fn ended(self) {
        let [door, follower, questions, own_token] = self.parts;
        let _ = tokio::join!(door, questions, own_token);
        Keeper::Relay(self.relay.clone()).keep_questions().await;
        self.no_more_counts.cancel();
        let _ = follower.await;
    }
}
