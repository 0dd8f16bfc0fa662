//! The HAProxy configuration: printed, checked by HAProxy, compared with what runs.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use teal_rollout::document::Document;

use crate::cli::{CliError, Exit};
use crate::config::{Form, Loaded};
use crate::proxy::haproxy::force::{Peek, peek};
use crate::proxy::haproxy::program::HaProxy;
use crate::proxy::haproxy::render;
use crate::runtime::wiring;

/// The HAProxy configuration of an environment.
pub(in crate::cli) fn proxy_render(loaded: &Loaded, environment: &str, form: Form) -> Result<String, CliError> {
    render_with(loaded, environment, form, None)
}

/// With another map file than the configured one, for a check before that one exists.
fn render_with(loaded: &Loaded, environment: &str, form: Form, map: Option<&Path>) -> Result<String, CliError> {
    let configured = loaded.config.environment(environment)?;
    let usage = |error: String| CliError::usage(error);
    let mut config = wiring::render_config(environment, configured).map_err(|e| usage(e.to_string()))?;
    if let Some(map) = map {
        map.clone_into(&mut config.map);
    }
    let form = match form {
        Form::Whole => render::Form::Whole,
        Form::Fragment => render::Form::Fragment,
    };
    render::render(&config, form).map_err(|e| usage(e.to_string()))
}

/// Lets HAProxy itself check the rendered configuration, after `beside` for a fragment. The text is its verdict.
pub(in crate::cli) async fn proxy_check(
    loaded: &Loaded,
    environment: &str,
    form: Form,
    beside: &[PathBuf],
) -> Result<(Exit, String), CliError> {
    let haproxy = HaProxy::find(None).map_err(|error| CliError::failed(error.to_string()))?;
    let folder = tempfile::tempdir().map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
    let put = |name: &str, text: &str| {
        let file = folder.path().join(name);
        let written = std::fs::write(&file, text);
        written.map_err(|error| CliError::failed(format!("cannot write {}: {error}", file.display())))?;
        Ok::<_, CliError>(file)
    };
    let configured = &loaded.config.environment(environment)?;
    let map = &configured.edge.map;
    let first = first_map(loaded, environment)?;
    let (stand_in, hint) = if map.exists() {
        (None, String::new())
    } else {
        let hint = format!(
            "\n--  {0} does not exist yet, and HAProxy will not start without it: an agent in mode `act` writes it, or \
             once by hand:\n    echo '{1}' > {0}",
            map.display(),
            first.trim_end(),
        );
        (Some(put("first.map", &first)?), hint)
    };
    let file = put("teal.cfg", &render_with(loaded, environment, form, stand_in.as_deref())?)?;
    let mut command = tokio::process::Command::new(&haproxy.path);
    command.arg("-c").stdin(Stdio::null());
    for theirs in beside {
        command.arg("-f").arg(theirs);
    }
    let said = command.arg("-f").arg(&file).output().await;
    let said = said.map_err(|error| CliError::failed(format!("cannot run {}: {error}", haproxy.path.display())))?;
    let words = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
    let words = words.trim().to_owned();
    if said.status.success() {
        let words = if words.is_empty() { "Configuration file is valid".to_owned() } else { words };
        Ok((Exit::Done, format!("ok  HAProxy {}: {words}{hint}", haproxy.version)))
    } else {
        Ok((Exit::Usage, format!("HAProxy {} refuses it:\n{words}", haproxy.version)))
    }
}

/// The map's first line: everything to blue, before any release.
fn first_map(loaded: &Loaded, environment: &str) -> Result<String, CliError> {
    let settings = loaded.config.settings(environment)?;
    let names = settings.components.into_iter().map(|c| c.name);
    let policy = Document::new(names, settings.salt, settings.edges).policy();
    Ok(format!("policy {policy}\n"))
}

/// What the running HAProxy says: process, version, policy, servers.
pub(in crate::cli) async fn proxy_show(loaded: &Loaded, environment: &str, json: bool) -> Result<String, CliError> {
    let configured = loaded.config.environment(environment)?;
    let settings = wiring::edge_settings(environment, configured);
    let Peek { runtime, file, agent } = peek(&settings).await;
    let saved = file.as_ref().map(ToString::to_string);
    let look = runtime.map_err(|error| CliError::new(Exit::Unreachable, error.to_string()))?;
    let backends = look.backends.iter().map(|b| {
        let name = &settings.components[b.component].name;
        (name, b.colour, b.up, b.in_flight)
    });
    if json {
        let backends: Vec<_> = backends
            .map(|(component, colour, up, in_flight)| {
                serde_json::json!({ "component": component, "colour": colour, "up": up, "in_flight": in_flight })
            })
            .collect();
        let shown = serde_json::json!({
            "environment": environment, "pid": look.process.pid, "version": look.process.version,
            "running": look.value, "saved": saved.ok(), "agent": agent, "backends": backends,
        });
        return Ok(shown.to_string());
    }
    let mut text = format!(
        "HAProxy {} pid {}\nrunning  {}\nfile     {}\n",
        look.process.version,
        look.process.pid,
        look.value.as_deref().unwrap_or("no policy"),
        saved.unwrap_or_else(|error| error.to_string()),
    );
    for (component, colour, up, in_flight) in backends {
        text += &format!("{component:<12} {colour:<6} {up} up, {in_flight} in flight\n");
    }
    text += &agent.map_or("no agent drives it".to_owned(), |pid| format!("driven by the agent with pid {pid}"));
    Ok(text)
}
