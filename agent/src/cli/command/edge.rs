//! `teal edge force`: moves traffic with no agent, store or token alive.

use std::path::PathBuf;
use std::str::FromStr;

use teal_rollout::colour::Colour;

use crate::cli::context::{Context, operator};
use crate::cli::engine::{self, Force};
use crate::cli::{CliError, Exit};

/// Arguments of `teal edge`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Move all traffic to a colour, by the edge alone: the running proxy and its map file, or the Services' selectors.
    Force {
        /// Where.
        #[arg(value_name = "ENV")]
        environment: String,
        /// blue, green, or back: every component to its last good colour.
        colour: Goal,
        /// Why, for the record beside the map or on the Services.
        #[arg(long)]
        reason: String,
        /// Only this component; may be repeated.
        #[arg(long, value_name = "NAME")]
        component: Vec<String>,
        /// Also to a colour without a server that HAProxy calls UP, where everybody gets a 503; without a ready Pod, where
        /// Services are the edge.
        #[arg(long)]
        anyway: bool,
        /// Where Services are the edge: your own way to the API server, instead of the configuration's.
        #[arg(long, value_name = "FILE")]
        kubeconfig: Option<PathBuf>,
    },
}

/// Where traffic is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Goal {
    /// There.
    Colour(Colour),
    /// Where it was good.
    Back,
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "back" => Ok(Self::Back),
            _ => text.parse().map(Self::Colour).map_err(|error| format!("{error}, or `back`")),
        }
    }
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let Args::Force { environment, colour, reason, component, anyway, kubeconfig } = args;
    let loaded = context.load_at_night()?;
    loaded.config.environment(environment)?;
    let colour = match colour {
        Goal::Colour(colour) => Some(*colour),
        Goal::Back if component.is_empty() => None,
        Goal::Back => return Err(CliError::usage("`back` is for every component: name a colour with --component")),
    };
    let force = Force {
        environment: environment.clone(),
        colour,
        components: component.clone(),
        reason: reason.clone(),
        by: operator(),
        anyway: *anyway,
        kubeconfig: kubeconfig.clone(),
    };
    let (exit, text) = context.block_on(engine::edge_force(&loaded, &force))?;
    context
        .terminal()
        .json(&serde_json::json!({ "environment": environment, "colour": colour.map_or("back", Colour::as_str), "text": text, "exit": exit.code() }));
    context.terminal().print(&text);
    Ok(exit)
}
