//! The flag service of an agent that is one: its writer, its tokens and its door.

pub(super) mod door;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RuntimeError;
use super::watch::Watch;
use crate::config::FlagService;
use crate::flags::{self, Keeper, Place, Service};
use crate::http;
use crate::http::access::{Counters, FromHere};
use crate::http::flags::Open;

/// The running service.
pub(super) struct Running {
    service: Service,
    /// What the door answers.
    pub(super) router: Router,
    /// Who came.
    pub(super) counters: Arc<Counters>,
    parts: [JoinHandle<()>; 4],
    /// The writer ends after the door: what was asked for is still done.
    no_more_edits: CancellationToken,
}

/// Starts it. On an error nothing of it is left running once `shutdown` is cancelled.
pub(super) async fn start(
    state: &Path,
    settings: &FlagService,
    is_dev: bool,
    watch: &Watch,
    shutdown: &CancellationToken,
) -> Result<Running, RuntimeError> {
    let no_more_edits = CancellationToken::new();
    let place = match &settings.postgres_file {
        Some(dsn) => Place::Postgres { dsn: dsn.clone() },
        None => Place::File(state.join("flags.db")),
    };
    let opened = flags::Settings { place, may_migrate: settings.migrate, seen: state.join("flags.seen") };
    let (service, writer) = Service::open(opened, no_more_edits.clone()).await?;
    let position = service.state().position().to_string();
    let (tokens, keeper) = service.keep_tokens(settings.first_token.clone(), no_more_edits.clone()).await;
    door::warn(settings, is_dev);
    let from_here = if is_dev { FromHere::Nothing } else { FromHere::Token };
    let settings = door::settings(settings, from_here, tokens.watch());
    let keeps = Keeper::Service(service.clone());
    let opened = http::flags::start(keeps.clone(), Some(tokens), settings, shutdown.child_token()).await;
    let Open { address, router, counters, task: door } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            no_more_edits.cancel();
            let _ = tokio::join!(writer, keeper);
            return Err(error.into());
        }
    };
    if service.state().is_loaded() {
        tracing::info!(%address, position, "flags are served");
    } else {
        tracing::warn!(%address, "flags will be served when their database answers; until then every request is answered by 503");
    }
    let part = |name: &str, task: JoinHandle<()>| {
        watch.over(format!("flags: {name}"), async move {
            // A part that panicked was reported where it happened.
            let _ = task.await;
        })
    };
    let questions = tokio::spawn(keeps.keep_questions_until(shutdown.child_token()));
    let parts = [
        part("the door", door),
        part("the writer", writer),
        part("the tokens", keeper),
        part("counts of questions", questions),
    ];
    Ok(Running { service, router, counters, parts, no_more_edits })
}

impl Running {
    /// Waits until all of it has ended after `shutdown` was cancelled.
    pub(super) async fn ended(self) {
        let [door, writer, tokens, questions] = self.parts;
        let _ = tokio::join!(door, questions);
        Keeper::Service(self.service.clone()).keep_questions().await;
        self.no_more_edits.cancel();
        let _ = tokio::join!(writer, tokens);
        self.service.close().await;
    }
}
