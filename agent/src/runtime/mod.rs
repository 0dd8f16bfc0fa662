//! Builds an agent from its configuration, runs it, and ends it so that nothing it serves notices.
//!
//! ```text
//! Config --wiring--> ports + controller, one set an environment --> admin API, metrics
//! SIGHUP: read the configuration again and build anew; SIGTERM, SIGINT: end. HAProxy and the application go on.
//! ```

mod cluster;
mod environment;
mod error;
mod flags;
mod hearing;
mod lock;
mod observer;
mod ports;
mod relay;
mod watch;
pub mod wiring;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use environment::Running;
use environment::Shared;
pub use error::RuntimeError;

use crate::api::Known;
use crate::cluster::client::connect;
use crate::cluster::nodes::Heard;
use crate::config::{self, Config, FlagService, PlatformKind};
use crate::flags::Relay;
use crate::http;
use crate::store::Sqlite;

/// How an agent is to run beyond its configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Start with this much history of every component, requests and bad ones: for demonstrations.
    pub seed_baseline: Option<(u64, u64)>,
    /// Whoever is on this machine needs no token: for developers.
    pub dev: bool,
    /// Where the configuration stands, for pages that tell people what to type.
    pub configuration: Option<PathBuf>,
}

/// Runs an agent until it is told to end. `reload` reads the configuration again on SIGHUP; when that fails, or when no
/// agent can be built from what was read, the agent says so and goes on with what it had.
///
/// # Errors
/// Whatever keeps it from starting, and a part of it that ended by itself. Other trouble while it runs is reported in
/// `status` and the log instead.
pub async fn run(
    config: Config,
    options: Options,
    mut reload: impl FnMut() -> Option<Config>,
) -> Result<(), RuntimeError> {
    let failed = RuntimeError::Signals;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut config = config;
    let mut door = None;
    let mut agent = Agent::start(&config, &options, &mut door).await?;
    tell(None, &config);
    keep(&config, &options);
    loop {
        let next = loop {
            tokio::select! {
                _ = terminate.recv() => break None,
                _ = interrupt.recv() => break None,
                Some(part) = agent.ends.recv() => {
                    agent.stop().await.close();
                    return Err(RuntimeError::Ended { part });
                }
                _ = hangup.recv() => match reload() {
                    Some(config) => break Some(config),
                    None => tracing::error!("the configuration was not reloaded; the agent goes on with the old one"),
                },
            }
        };
        let kept = agent.stop().await;
        let Some(next) = next else {
            kept.close();
            return Ok(());
        };
        door = Some(kept);
        agent = match Agent::start(&next, &options, &mut door).await {
            Ok(agent) => {
                tell(Some(&config), &next);
                config = next;
                keep(&config, &options);
                agent
            }
            Err(error) => {
                tracing::error!(%error, "no agent can be built from the new configuration; it goes on with the old one");
                let agent = Agent::start(&config, &options, &mut door).await?;
                tell(None, &config);
                agent
            }
        };
    }
}

/// Keeps what the agent runs with for the tools of the night. An observer has no state, and none of those tools.
fn keep(config: &Config, options: &Options) {
    let Some(file) = options.configuration.as_ref().filter(|_| config.agent.observer.is_none()) else { return };
    if let Err(error) = config::keep(config, file) {
        tracing::warn!(%error, "the configuration that the agent runs with could not be kept in its state folder");
    }
}

/// Says in the log what runs, and what a new configuration changed: `prod: observe -> act`.
fn tell(before: Option<&Config>, now: &Config) {
    let modes = now.environments.iter().map(|(name, environment)| {
        let (mode, old) = (environment.mode, before.and_then(|old| old.environments.get(name)).map(|old| old.mode));
        match old.filter(|old| *old != mode) {
            Some(old) => format!("{name}: {} -> {}", Known::Known(old), Known::Known(mode)),
            None => format!("{name}: {}", Known::Known(mode)),
        }
    });
    let modes = modes.collect::<Vec<_>>().join(", ");
    let said = if before.is_some() { "the agent runs with the new configuration" } else { "the agent runs" };
    tracing::info!(app = now.app, socket = %now.agent.socket.display(), modes, "{said}");
}

/// What serves flags.
enum Flags {
    /// With a database of its own.
    Service(flags::Running),
    /// As another service says.
    Relay(relay::Running),
}

impl Flags {
    async fn start(
        state: &Path,
        settings: &FlagService,
        is_dev: bool,
        watch: &watch::Watch,
        shutdown: &CancellationToken,
    ) -> Result<Self, RuntimeError> {
        match &settings.upstream {
            None => flags::start(state, settings, is_dev, watch, shutdown).await.map(Self::Service),
            Some(upstream) => relay::start(state, settings, upstream, watch, shutdown).await.map(Self::Relay),
        }
    }

    fn relay(&self) -> Option<Relay> {
        match self {
            Self::Service(_) => None,
            Self::Relay(running) => Some(running.relay()),
        }
    }

    /// What its door answers, and who came.
    fn door(&self) -> (&axum::Router, &Arc<http::access::Counters>) {
        match self {
            Self::Service(running) => (&running.router, &running.counters),
            Self::Relay(running) => (&running.router, &running.counters),
        }
    }

    async fn ended(self) {
        match self {
            Self::Service(running) => running.ended().await,
            Self::Relay(running) => running.ended().await,
        }
    }
}

/// Everything that runs for one configuration.
struct Agent {
    environments: Vec<Running>,
    server: http::Server,
    flags: Option<Flags>,
    /// What else ends with it.
    parts: Vec<JoinHandle<()>>,
    ends: watch::Ends,
    shutdown: CancellationToken,
    _lock: lock::Lock,
}

impl Agent {
    /// `door`: the operators' socket of the agent before, taken when it is needed.
    async fn start(config: &Config, options: &Options, door: &mut Option<http::Door>) -> Result<Self, RuntimeError> {
        if let Some(observer) = &config.agent.observer {
            return Self::observe(config, observer, door).await;
        }
        let lock = lock::take(&config.state)?;
        let public = http::bind(config.agent.listen).await?;
        let store = Sqlite::open(&config.state.join("teal.db")).await?;
        let shutdown = CancellationToken::new();
        let (watch, ends) = watch::watch();
        let flags = match &config.flags {
            Some(settings) => Some(Flags::start(&config.state, settings, options.dev, &watch, &shutdown).await?),
            None => None,
        };
        let cluster = match config.platform.kind {
            PlatformKind::Local => None,
            PlatformKind::Kubernetes => Some(connect(&wiring::cluster_settings(&config.platform)).await?),
        };
        let heard: BTreeMap<String, Heard> =
            config.environments.keys().map(|name| (name.clone(), Heard::default())).collect();
        let shared = Shared { config, store: &store, cluster: cluster.as_ref(), heard: &heard, options, watch: &watch };
        let mut environments = Vec::new();
        for (name, environment) in &config.environments {
            let token = shutdown.child_token();
            let running = environment::start(&shared, name, environment, token).await;
            match running {
                Ok(running) => environments.push(running),
                Err(error) => {
                    stop(environments, flags, &shutdown).await;
                    return Err(error);
                }
            }
        }
        let hearing = match hearing::start(config, &heard, &shutdown).await {
            Ok(hearing) => hearing,
            Err(error) => {
                stop(environments, flags, &shutdown).await;
                return Err(error);
            }
        };
        let hearing = hearing.map(|task| watch.over("the observers' door".to_owned(), async { drop(task.await) }));
        let shown = Arc::new(http::Shown {
            app: config.app.clone(),
            environments: environments.iter().map(Running::shown).collect(),
            relay: flags.as_ref().and_then(Flags::relay),
            flags: flags.as_ref().map(|flags| flags.door().1.clone()),
        });
        let router = flags.as_ref().map(|flags| flags.door().0.clone());
        match http::start(shown, &config.agent.socket, door.take(), public, router, shutdown.child_token()) {
            Ok(server) => {
                let parts = hearing.into_iter().collect();
                Ok(Self { environments, server, flags, parts, ends, shutdown, _lock: lock })
            }
            Err(error) => {
                stop(environments, flags, &shutdown).await;
                Err(error.into())
            }
        }
    }

    async fn stop(self) -> http::Door {
        stop(self.environments, self.flags, &self.shutdown).await;
        let door = self.server.ended().await;
        for part in self.parts {
            // As above: what panicked has said so.
            let _ = part.await;
        }
        door
    }
}

async fn stop(environments: Vec<Running>, flags: Option<Flags>, shutdown: &CancellationToken) {
    shutdown.cancel();
    if let Some(flags) = flags {
        flags.ended().await;
    }
    for environment in environments {
        environment.ended().await;
    }
}
