//! The flag service of an agent that is one: its writer and its door.

use std::path::Path;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RuntimeError;
use super::watch::Watch;
use crate::config::FlagService;
use crate::flags::{self, Keeper, Place, Service};
use crate::http;

/// The running service.
pub(super) struct Running {
    service: Service,
    parts: [JoinHandle<()>; 2],
    /// The writer ends after the door: what was asked for is still done.
    no_more_edits: CancellationToken,
}

/// Starts it. On an error nothing of it is left running once `shutdown` is cancelled.
pub(super) async fn start(
    state: &Path,
    settings: &FlagService,
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
    let (address, door) =
        match http::flags::start(Keeper::Service(service.clone()), settings.listen, shutdown.child_token()).await {
            Ok(started) => started,
            Err(error) => {
                no_more_edits.cancel();
                let _ = writer.await;
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
    Ok(Running { service, parts: [part("the door", door), part("the writer", writer)], no_more_edits })
}

impl Running {
    /// Waits until all of it has ended after `shutdown` was cancelled.
    pub(super) async fn ended(self) {
        let [door, writer] = self.parts;
        let _ = door.await;
        self.no_more_edits.cancel();
        let _ = writer.await;
        self.service.close().await;
    }
}
