//! `teal edge force`: moves traffic with no agent, store or token alive.

use teal_rollout::colour::Colour;

use crate::cli::context::{Context, operator};
use crate::cli::engine::{self, Force};
use crate::cli::{CliError, Exit};

/// Arguments of `teal edge`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Move all traffic to a colour, by the running proxy and its map file alone.
    Force {
        /// Where.
        #[arg(value_name = "ENV")]
        environment: String,
        /// blue or green.
        colour: Colour,
        /// Why, for the record beside the map.
        #[arg(long)]
        reason: String,
        /// Only this component; may be repeated.
        #[arg(long, value_name = "NAME")]
        component: Vec<String>,
    },
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let Args::Force { environment, colour, reason, component } = args;
    let loaded = context.load()?;
    loaded.config.environment(environment)?;
    let force = Force {
        environment: environment.clone(),
        colour: *colour,
        components: component.clone(),
        reason: reason.clone(),
        by: operator(),
    };
    let (exit, text) = context.block_on(engine::edge_force(&loaded, &force))?;
    context
        .terminal()
        .json(&serde_json::json!({ "environment": environment, "colour": colour, "text": text, "exit": exit.code() }));
    context.terminal().print(&text);
    Ok(exit)
}
