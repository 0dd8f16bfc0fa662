//! What every command needs: the configuration, the agent's client, where output goes.

use std::future::Future;
use std::path::{Path, PathBuf};

use time::macros::format_description;

use super::CliError;
use super::error::Json;
use super::terminal::Terminal;
use crate::client::Client;
use crate::config::{self, LoadError, Loaded, Notify};

/// The global options.
#[derive(Debug)]
pub(super) struct Context {
    config: Option<PathBuf>,
    /// What named it.
    pub(super) named_by: NamedBy,
    /// Answer in JSON.
    pub(super) json: bool,
}

/// What named the configuration's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) enum NamedBy {
    /// The option.
    #[serde(rename = "--config")]
    Option,
    /// The environment variable.
    #[serde(rename = "TEAL_CONFIG")]
    Variable,
    /// Nothing: it is in one of the usual places.
    #[serde(rename = "place")]
    Place,
}

impl Context {
    pub(super) fn new(config: Option<PathBuf>, json: bool) -> Self {
        let named_by = if config.is_some() { NamedBy::Option } else { NamedBy::Place };
        Self { config, named_by, json }
    }

    /// `--config` or `$TEAL_CONFIG`.
    pub(super) fn config_path(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The configuration, valid or an error with all of its mistakes.
    pub(super) fn load(&self) -> Result<Loaded, CliError> {
        Ok(config::load(self.config_path())?)
    }

    /// The same for a tool of the night: while the file has mistakes, what the agent of that file runs with.
    pub(super) fn load_at_night(&self) -> Result<Loaded, CliError> {
        let error = match config::load(self.config_path()) {
            Err(error @ LoadError::Invalid { .. }) => error,
            found => return Ok(found?),
        };
        let LoadError::Invalid { path, .. } = &error else { return Err(error.into()) };
        let Some(kept) = config::kept(path) else {
            let pages = config::kept_pages(path);
            let page = |page: &PathBuf| format!("cat {}   # the page for 2 a.m. that the agent kept", page.display());
            let hints: Vec<String> = pages.iter().map(page).collect();
            return Err(hints.into_iter().fold(error.into(), CliError::hint));
        };
        let since = time::OffsetDateTime::from(kept.since);
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        let since = since.format(format).unwrap_or_default();
        anstream::eprintln!(
            "--  {error} (`teal config check` lists them): this goes by the configuration that the agent has run with since \
             {since}"
        );
        Ok(kept.loaded)
    }

    /// The client of the agent on this machine: the configured one, or the one that runs here without a configuration.
    pub(super) fn agent(&self) -> Result<Client, CliError> {
        Ok(Client::new(self.socket()?))
    }

    /// Its socket.
    pub(super) fn socket(&self) -> Result<PathBuf, CliError> {
        let dev = Path::new(config::DEV_STATE).join("agent.sock");
        match config::load(self.config_path()) {
            Ok(loaded) => Ok(loaded.config.agent.socket),
            Err(LoadError::Missing) if dev.exists() => Ok(dev),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn terminal(&self) -> Terminal {
        Terminal::new(self.json)
    }

    /// Shows why a command failed.
    pub(super) fn report(&self, error: &CliError) {
        if self.json {
            let json: Json<'_> = error.json();
            anstream::println!("{}", serde_json::to_string(&json).unwrap_or_default());
            return;
        }
        let red = anstyle::AnsiColor::Red.on_default().bold();
        anstream::eprintln!("{red}error{red:#}: {error}");
        for hint in &error.hints {
            anstream::eprintln!("  {hint}");
        }
    }

    /// Runs a command that talks to the agent.
    pub(super) fn block_on<T>(&self, command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| CliError::failed(format!("cannot start: {error}")))?.block_on(command)
    }
}

/// The client of the configured agent.
pub(super) fn client(loaded: &Loaded) -> Client {
    Client::new(&loaded.config.agent.socket)
}

/// What to say once where nobody would hear of trouble.
pub(super) fn unheard(loaded: &Loaded) -> Option<&'static str> {
    (loaded.config.notify == Notify::default())
        .then_some("--  nobody will be told when something goes wrong: set [notify]")
}

/// The environment that is meant: the named one, or the only one.
pub(super) fn environment<'a>(loaded: &'a Loaded, name: Option<&'a str>) -> Result<&'a str, CliError> {
    let environments = &loaded.config.environments;
    match (name, environments.len()) {
        (Some(name), _) => {
            loaded.config.environment(name)?;
            Ok(name)
        }
        (None, 1) => Ok(environments.keys().next().map_or("", String::as_str)),
        (None, _) => {
            let names: Vec<&str> = environments.keys().map(String::as_str).collect();
            Err(CliError::usage(format!("which environment? The configuration has {}", names.join(", "))))
        }
    }
}

/// `user@host`, for the record: the person behind sudo where there is one.
pub(super) fn operator() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    let user = user.unwrap_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{user}@{}", host.trim())
}
