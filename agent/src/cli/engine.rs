//! What works without an agent, or is one: each function is the one call of its command into the rest of Teal.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use teal_rollout::colour::Colour;

use super::{CliError, Exit};
use crate::api::Status;
use crate::config::{Form, Loaded};

fn unwired(what: &str) -> CliError {
    CliError::failed(format!("{what} is not part of this build"))
}

/// Runs the agent until it is told to end. Builds its own runtime.
pub(super) fn agent(_loaded: Loaded, _options: &AgentOptions) -> Result<Exit, CliError> {
    Err(unwired("the agent"))
}

/// How the agent is run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AgentOptions {
    /// Every role, on loopback.
    pub(super) dev: bool,
    /// `(n, k)`: a baseline of n requests, k of them bad, for components that have none.
    pub(super) seed_baseline: Option<(u64, u64)>,
}

/// What the edge itself says, when no agent answers. `None` when it does not answer either.
pub(super) async fn edge_status(_loaded: &Loaded, _environment: &str) -> Option<Status> {
    None
}

/// The last lines that a component's processes of one colour wrote, for the operator's terminal only.
pub(super) fn last_lines(
    _loaded: &Loaded,
    _environment: &str,
    _component: &str,
    _colour: Colour,
    _count: usize,
) -> Vec<String> {
    Vec::new()
}

/// Moves traffic by hand: what was asked for.
#[derive(Clone, Debug)]
pub(super) struct Force {
    pub(super) environment: String,
    pub(super) colour: Colour,
    /// Empty means all.
    pub(super) components: Vec<String>,
    pub(super) reason: String,
    pub(super) by: String,
}

/// Moves traffic by hand, with no agent alive. The text says what was moved and what could not be.
pub(super) async fn edge_force(_loaded: &Loaded, _force: &Force) -> Result<(Exit, String), CliError> {
    Err(unwired("edge force"))
}

/// Runs the smoke suite and prints each check.
pub(super) async fn smoke(
    _loaded: &Loaded,
    _environment: &str,
    _target: SmokeTarget,
    _json: bool,
) -> Result<Exit, CliError> {
    Err(unwired("smoke"))
}

/// Against what the smoke suite runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SmokeTarget {
    /// A colour's own servers.
    Colour(Colour),
    /// The environment's `url`, or its edge.
    Environment,
    /// Any address.
    Url(String),
}

/// Stops the application's processes of one environment, or of all. Returns how many ran.
pub(super) async fn stop(_loaded: &Loaded, _environment: Option<&str>) -> Result<usize, CliError> {
    Err(unwired("stop"))
}

/// The HAProxy configuration of an environment.
pub(super) fn proxy_render(_loaded: &Loaded, _environment: &str, _form: Form) -> Result<String, CliError> {
    Err(unwired("proxy render"))
}

/// Lets HAProxy itself check the rendered configuration, after `beside` for a fragment. The text is its verdict.
pub(super) async fn proxy_check(
    _loaded: &Loaded,
    _environment: &str,
    _form: Form,
    _beside: &[PathBuf],
) -> Result<(Exit, String), CliError> {
    Err(unwired("proxy check"))
}

/// What the running HAProxy says: process, version, policy, servers.
pub(super) async fn proxy_show(_loaded: &Loaded, _environment: &str, _json: bool) -> Result<String, CliError> {
    Err(unwired("proxy show"))
}

/// The options of the demo.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct DemoOptions {
    /// Requests a second.
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(super) rps: u32,
}

/// Plays the demo. Builds its own runtime.
pub(super) fn demo(_options: DemoOptions, _json: bool) -> Result<Exit, CliError> {
    Err(unwired("the demo"))
}

/// Supervises one process; on the process's first thread, before any runtime.
pub(super) fn shim(_arguments: Vec<OsString>) -> ExitCode {
    ExitCode::from(Exit::Failed)
}

/// The demo's application. Builds its own runtime.
pub(super) fn sample_app(_arguments: Vec<OsString>) -> ExitCode {
    ExitCode::from(Exit::Failed)
}

/// Reads a smoke suite with its own rules, for `config check`: the mistakes in words.
pub(super) fn smoke_mistakes(_suite: &crate::config::Smoke, _base: &Path) -> Vec<String> {
    Vec::new()
}
