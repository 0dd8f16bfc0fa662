//! `teal notify test`: whether people would be told.

use crate::cli::context::{Context, environment};
use crate::cli::{CliError, Exit, engine};

/// Arguments of `teal notify`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Send a test by every channel of [notify], from this machine and user.
    Test {
        /// The environment that the message names, where there are several.
        #[arg(value_name = "ENV")]
        environment: Option<String>,
    },
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let Args::Test { environment: name } = args;
    let loaded = context.load()?;
    let name = match name {
        Some(_) => environment(&loaded, name.as_deref())?,
        // Which one it is matters to nobody who is told.
        None => loaded.config.environments.keys().next().map_or("", String::as_str),
    };
    let (said, failed) = context.block_on(engine::notify_test(&loaded, name))?;
    let exit = if failed.is_empty() { Exit::Done } else { Exit::Unreachable };
    context.terminal().json(&serde_json::json!({ "said": said, "failed": failed, "exit": exit.code() }));
    let mut text: Vec<String> = failed.iter().map(|error| format!("!!  {error}")).collect();
    if failed.is_empty() {
        text.push(format!("ok  sent: {said}"));
    }
    context.terminal().print(&text.join("\n"));
    Ok(exit)
}
