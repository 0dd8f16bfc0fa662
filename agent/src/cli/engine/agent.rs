//! The agent itself, and the demo.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::log::Log;
use crate::cli::{CliError, Exit};
use crate::config::{self, Config, Loaded};
use crate::demo::{self, DemoArgs, Ending};
use crate::runtime::{self, Options, RuntimeError};

/// How the agent is run.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct AgentOptions {
    /// Every role, on loopback.
    pub(in crate::cli) dev: bool,
    /// `(n, k)`: a baseline of n requests, k of them bad, for components that have none.
    pub(in crate::cli) seed_baseline: Option<(u64, u64)>,
}

/// Runs the agent until it is told to end. Builds its own runtime.
pub(in crate::cli) fn agent(loaded: Loaded, options: &AgentOptions) -> Result<Exit, CliError> {
    if options.dev && !loaded.config.agent.listen.ip().is_loopback() {
        let listen = loaded.config.agent.listen;
        return Err(CliError::usage(format!(
            "--dev is for loopback, but agent.listen is {listen}: use 127.0.0.1:9180"
        )));
    }
    let lines = log(options.dev).map_err(|error| CliError::failed(format!("cannot start threads: {error}")))?;
    // Fails only when a provider is installed already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let path = loaded.path.clone();
    let reload = move || -> Option<Config> {
        match config::load(Some(&path)) {
            Ok(loaded) => Some(loaded.config),
            Err(error) => {
                tracing::error!(%error, "the configuration has mistakes: `teal config check` lists them");
                None
            }
        }
    };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("teal").build();
    let threads = threads.map_err(|error| CliError::failed(format!("cannot start threads: {error}")))?;
    let options = Options { seed_baseline: options.seed_baseline };
    let ended = threads.block_on(runtime::run(loaded.config, options, reload));
    lines.flush();
    ended.map(|()| Exit::Done).map_err(|error| match error {
        RuntimeError::Wiring(_) | RuntimeError::Settings(_) => CliError::usage(error.to_string()),
        error => CliError::failed(error.to_string()),
    })
}

/// JSON lines for a machine that collects them, plain lines for a person. `RUST_LOG` chooses what.
fn log(dev: bool) -> std::io::Result<Log> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = Log::to(std::io::stderr())?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone());
    let lines = lines.with_target(false).with_ansi(colours);
    if dev || std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().flatten_event(true).init();
    }
    // The default hook writes to standard error itself, which may stall.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a part of the agent failed")));
    Ok(log)
}

/// Plays the demo. Builds its own runtime.
pub(in crate::cli) fn demo(options: &DemoArgs, json: bool) -> Result<Exit, CliError> {
    match demo::run(options, json).map_err(|error| CliError::failed(error.to_string()))? {
        Ending::AsExpected => Ok(Exit::Done),
        Ending::Otherwise | Ending::Interrupted => Ok(Exit::Failed),
    }
}
