//! The agent itself, and the demo.

use std::io::IsTerminal;
use std::path::Path;

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

/// What runs without a configuration: flags alone, with all that is kept in a folder below this one.
pub(in crate::cli) fn dev(flags_port: u16) -> Result<Loaded, CliError> {
    let failed = |error| CliError::failed(format!("cannot make {}: {error}", config::DEV_STATE));
    let state = config::make_dev_state(Path::new(".")).map_err(failed)?;
    let path = state.join("teal.toml");
    let (text, warnings, sources) = Default::default();
    Ok(Loaded { config: Config::dev(state, flags_port), path, text, warnings, sources })
}

/// Flags are served in `--dev`, said or not.
fn with_flags(mut config: Config, dev: bool) -> Config {
    if dev {
        config.flags.get_or_insert_default();
    }
    config
}

/// Runs the agent until it is told to end. Builds its own runtime.
pub(in crate::cli) fn agent(loaded: Loaded, options: &AgentOptions) -> Result<Exit, CliError> {
    if options.dev && !loaded.config.agent.listen.ip().is_loopback() {
        let listen = loaded.config.agent.listen;
        return Err(CliError::usage(format!(
            "--dev is for loopback, but agent.listen is {listen}: use 127.0.0.1:9180"
        )));
    }
    let flags = loaded.config.flags.as_ref().map(|flags| flags.listen).filter(|listen| !listen.ip().is_loopback());
    if let Some(listen) = flags.filter(|_| options.dev) {
        let way = "use 127.0.0.1:9181, or leave --dev away";
        return Err(CliError::usage(format!("--dev needs no tokens, but flags.listen is {listen}: {way}")));
    }
    let lines = log(options.dev).map_err(|error| CliError::failed(format!("cannot start threads: {error}")))?;
    // Fails only when a provider is installed already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let path = loaded.path.clone();
    let configuration = Some(loaded.path);
    let dev = options.dev;
    let reload = move || -> Option<Config> {
        match config::load(Some(&path)) {
            Ok(loaded) => Some(with_flags(loaded.config, dev)),
            Err(error) => {
                tracing::error!(%error, "the configuration has mistakes: `teal config check` lists them");
                None
            }
        }
    };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("teal").build();
    let threads = threads.map_err(|error| CliError::failed(format!("cannot start threads: {error}")))?;
    let config = with_flags(loaded.config, dev);
    tracing::info!(state = %config.state.display(), "everything is kept there");
    let options = Options { seed_baseline: options.seed_baseline, dev: options.dev, configuration };
    let ended = threads.block_on(runtime::run(config, options, reload));
    lines.flush();
    ended.map(|()| Exit::Done).map_err(|error| match error {
        RuntimeError::Wiring(_) | RuntimeError::Settings(_) => CliError::usage(error.to_string()),
        error => CliError::failed(error.to_string()),
    })
}

/// What is logged unless `RUST_LOG` says otherwise. Of the client's library errors alone: it warns of each watch that an API server
/// which goes away cuts off, and the agent says that itself, once.
const LOGGED: &str = "info,kube_client=error";

/// JSON lines for a machine that collects them, plain lines for a person. `RUST_LOG` chooses what.
fn log(dev: bool) -> std::io::Result<Log> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
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
