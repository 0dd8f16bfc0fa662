//! `teal stop`: ends the application's processes, of one environment or of all.

use crate::cli::confirm::confirm;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, engine};

/// Arguments of `teal stop`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// This environment's processes.
    #[arg(value_name = "ENV", required_unless_present = "all", conflicts_with = "all")]
    environment: Option<String>,
    /// Those of every environment.
    #[arg(long)]
    all: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    if let Some(name) = &args.environment {
        loaded.config.environment(name)?;
    }
    let what = args.environment.as_deref().unwrap_or("every environment");
    confirm("STOP", &format!("this stops both colours of {what}: nothing will serve"), args.yes)?;
    let stopped = context.block_on(engine::stop(&loaded, args.environment.as_deref()))?;
    context.terminal().json(&serde_json::json!({ "stopped": stopped }));
    context.terminal().print(&format!("ok  stopped {} of {what}", processes(stopped)));
    Ok(Exit::Done)
}
