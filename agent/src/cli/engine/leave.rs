//! A configuration of HAProxy that goes on without Teal, and what Teal leaves behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Policy, Route};

use crate::break_glass;
use crate::cli::{CliError, Exit};
use crate::config::{Form, Loaded, SwitchBy};
use crate::platform::local;
use crate::proxy::haproxy::force::{Peek, peek, present};
use crate::proxy::haproxy::program::HaProxy;
use crate::proxy::haproxy::render;
use crate::runtime::wiring;

/// What it takes to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Leave {
    /// The configuration.
    pub(in crate::cli) text: String,
    /// The colour of each component, by name.
    pub(in crate::cli) serves: Vec<(String, Colour)>,
    /// What keeps running under Teal's shims, a line each.
    pub(in crate::cli) processes: Vec<String>,
    /// Files and folders that nothing needs any more.
    pub(in crate::cli) remove: Vec<PathBuf>,
    /// HAProxy's word on the text; `None` where it cannot be asked here.
    pub(in crate::cli) checked: Option<Result<(), String>>,
}

/// Writes down what serves now. Changes nothing.
pub(in crate::cli) async fn leave(loaded: &Loaded, environment: &str) -> Result<Leave, CliError> {
    let configured = loaded.config.environment(environment)?;
    if configured.switch.by == SwitchBy::Selector {
        return Err(CliError::usage(format!(
            "{environment} is switched by the selectors of its Services, which stay as they are: end the agent, and that is all"
        )));
    }
    let settings = wiring::edge_settings(environment, configured);
    let Peek { runtime, file, .. } = peek(&settings).await;
    let (running, why) = match runtime {
        Ok(look) => {
            (look.value.and_then(|value| value.parse::<Policy>().ok()), "HAProxy's map has no policy".to_owned())
        }
        Err(error) => (None, error.to_string()),
    };
    let names: Vec<&String> = configured.components.keys().collect();
    let policy = present(names.len(), running, file.ok()).ok_or_else(|| {
        CliError::new(Exit::Unreachable, format!("nobody knows which colour serves: {why}"))
            .hint(format!("teal edge force {environment} COLOUR --reason \"...\"   says so"))
    })?;
    let colours = names.iter().zip(&policy.routes).map(|(name, route)| settled(environment, name, *route));
    let colours = colours.collect::<Result<Vec<Colour>, _>>()?;
    let form = match configured.edge.form {
        Form::Whole => render::Form::Whole,
        Form::Fragment => render::Form::Fragment,
    };
    let usage = |error: String| CliError::usage(error);
    let config = wiring::render_config(environment, configured).map_err(|error| usage(error.to_string()))?;
    let text = render::leave(&config, form, &colours).map_err(|error| usage(error.to_string()))?;
    let checked = if form == render::Form::Whole { check(&text).await } else { None };
    let state = &loaded.config.state;
    let processes = local::list(state, Some(environment)).await.unwrap_or_default();
    let described = processes.iter().map(|one| {
        let serves = names.iter().zip(&colours).any(|(name, colour)| **name == one.component && *colour == one.colour);
        let pid = one.pid.map_or_else(|| "no process".to_owned(), |pid| format!("pid {pid}"));
        let fate = if serves { "serves" } else { "is not needed any more" };
        format!("{} {} on port {}, {} ({pid}): {fate}", one.component, one.version, one.port, one.colour)
    });
    let processes = described.collect();
    let map = &settings.map;
    let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", map.display()));
    let mut remove = vec![map.clone(), beside("lock"), beside("forced"), beside("hand"), settings.socket.clone()];
    remove.push(break_glass::path(state, environment));
    if loaded.config.environments.len() == 1 {
        remove.extend([state.clone(), loaded.path.clone()]);
    }
    let serves = names.into_iter().cloned().zip(colours).collect();
    Ok(Leave { text, serves, processes, remove: remove.into_iter().filter(|path| path.exists()).collect(), checked })
}

/// The one colour of a component; a share cannot be written down for good.
fn settled(environment: &str, name: &str, route: Route) -> Result<Colour, CliError> {
    match route {
        Route { stable, share: Share::NONE, .. } => Ok(stable),
        Route { stable, candidate, .. } if stable == candidate => Ok(stable),
        Route { candidate, share: Share::ALL, .. } => Ok(candidate),
        Route { stable, candidate, share } => {
            let message =
                format!("{share} of {name} is on {candidate}, the rest on {stable}: only one of them can stay");
            Err(CliError::new(Exit::Refused, message)
                .hint(format!("teal promote {environment}   or   teal rollback {environment}   settles it")))
        }
    }
}

async fn check(text: &str) -> Option<Result<(), String>> {
    let haproxy = HaProxy::find(None).ok()?;
    let file = tempfile::NamedTempFile::new().ok()?;
    std::fs::write(file.path(), text).ok()?;
    let said = asked(&haproxy.path, file.path()).await?;
    Some(if said.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said.stderr).trim().to_owned()) })
}

async fn asked(haproxy: &Path, file: &Path) -> Option<std::process::Output> {
    let mut command = tokio::process::Command::new(haproxy);
    command.arg("-c").arg("-f").arg(file).stdin(Stdio::null()).output().await.ok()
}
