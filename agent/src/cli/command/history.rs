//! `teal history`: past releases.

use crate::cli::context::{Context, client, environment};
use crate::cli::{CliError, Exit, render};

/// Arguments of `teal history`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The environment, where there are several.
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// At most so many, the newest first.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    limit: usize,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let name = environment(&loaded, args.environment.as_deref())?;
    let mut releases = client(&loaded).releases(name).await?;
    releases.truncate(args.limit);
    let mode = loaded.config.environment(name)?.mode;
    context.terminal().json(&releases);
    context.terminal().print(&render::history::history(name, mode, &releases));
    Ok(Exit::Done)
}
