//! The relay of an agent that is one: what follows the service, and its door.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RuntimeError;
use super::flags::door;
use super::watch::Watch;
use crate::access::{Directory, FirstToken, Record, Role, Roles, Token};
use crate::config;
use crate::flags::{Keeper, Relay, Upstream, now};
use crate::http;
use crate::http::access::Counters;
use crate::http::flags::Open;

/// The running relay.
pub(super) struct Running {
    relay: Relay,
    /// What the door answers.
    pub(super) router: Router,
    /// Who came.
    pub(super) counters: Arc<Counters>,
    parts: [JoinHandle<()>; 3],
    /// Who follows ends after the door: counts that come until then are still sent.
    no_more_counts: CancellationToken,
    /// As long as it is held, what is told of tokens stands.
    _tokens: watch::Sender<Arc<Directory>>,
}

/// The relay's own token, for who comes from other machines; read once, at the start.
fn own_token(file: &Path) -> Option<Record> {
    let token: Token = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
    let first = Record::first(&FirstToken::from(&token), now());
    Some(Record { name: "upstream".to_owned(), roles: Roles::of(&[Role::Sdk]), ..first })
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
    let own = upstream.token_file.as_deref().and_then(own_token);
    let (relay, follower) = Relay::start(upstream, no_more_counts.clone());
    // It changes nothing, so that whoever is on its machine may ask; others need the token that it has itself.
    let is_open_here = settings.listen.ip().is_loopback();
    let (keeper, tokens) = watch::channel(Arc::new(Directory::new(own)));
    let door = door::settings(settings, is_open_here, tokens);
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
    let parts = [part("the door", door), part("the relay", follower), part("counts of questions", questions)];
    Ok(Running { relay, router, counters, parts, no_more_counts, _tokens: keeper })
}

impl Running {
    pub(super) fn relay(&self) -> Relay {
        self.relay.clone()
    }

    /// Waits until all of it has ended after `shutdown` was cancelled.
    pub(super) async fn ended(self) {
        let [door, follower, questions] = self.parts;
        let _ = tokio::join!(door, questions);
        Keeper::Relay(self.relay.clone()).keep_questions().await;
        self.no_more_counts.cancel();
        let _ = follower.await;
    }
}
