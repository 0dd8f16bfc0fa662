//! The HAProxy configuration: printed, checked by HAProxy, compared with what runs.

use std::path::PathBuf;
use std::process::Stdio;

use crate::cli::{CliError, Exit};
use crate::config::{Form, Loaded};
use crate::demo::haproxy::HaProxy;
use crate::proxy::haproxy::force::{Peek, peek};
use crate::proxy::haproxy::render;
use crate::runtime::wiring;

/// The HAProxy configuration of an environment.
pub(in crate::cli) fn proxy_render(loaded: &Loaded, environment: &str, form: Form) -> Result<String, CliError> {
    let configured = loaded.config.environment(environment)?;
    let usage = |error: String| CliError::usage(error);
    let config = wiring::render_config(environment, configured).map_err(|e| usage(e.to_string()))?;
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
    let text = proxy_render(loaded, environment, form)?;
    let haproxy = HaProxy::find(None).map_err(|error| CliError::failed(error.to_string()))?;
    let folder = tempfile::tempdir().map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
    let file = folder.path().join("teal.cfg");
    std::fs::write(&file, text)
        .map_err(|error| CliError::failed(format!("cannot write {}: {error}", file.display())))?;
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
        Ok((Exit::Done, format!("ok  HAProxy {}: {words}", haproxy.version)))
    } else {
        Ok((Exit::Usage, format!("HAProxy {} refuses it:\n{words}", haproxy.version)))
    }
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
