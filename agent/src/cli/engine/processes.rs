//! The application's processes on this machine, with or without an agent.

use std::ffi::OsString;
use std::process::ExitCode;

use teal_rollout::colour::Colour;

use crate::cli::CliError;
use crate::config::Loaded;
use crate::demo::sample_app;
use crate::platform::local;
use crate::runtime::wiring;

/// The last lines that a component's processes of one colour wrote, for the operator's terminal only.
pub(in crate::cli) fn last_lines(
    loaded: &Loaded,
    environment: &str,
    component: &str,
    colour: Colour,
    count: usize,
) -> Vec<String> {
    let Ok(configured) = loaded.config.environment(environment) else {
        return Vec::new();
    };
    let settings = wiring::local_settings(&loaded.config, environment, configured, std::path::Path::new("teal"));
    let id = settings.components.iter().position(|c| c.name == component);
    id.map(|id| local::last_lines(&settings, id, colour, count)).unwrap_or_default()
}

/// Stops the application's processes of one environment, or of all. Returns how many ran.
pub(in crate::cli) async fn stop(loaded: &Loaded, environment: Option<&str>) -> Result<usize, CliError> {
    let stopped = local::stop_all(&loaded.config.state, environment, None).await;
    stopped.map_err(|error| CliError::failed(error.to_string()))
}

/// Supervises one process; on the process's first thread, before any runtime.
pub(in crate::cli) fn shim(arguments: Vec<OsString>) -> ExitCode {
    local::shim::main(arguments)
}

/// The demo's application. Builds its own runtime.
pub(in crate::cli) fn sample_app(arguments: Vec<OsString>) -> ExitCode {
    sample_app::main(arguments)
}
