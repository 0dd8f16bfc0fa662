//! `teal smoke`: the smoke suite, now.

use teal_rollout::colour::Colour;

use crate::cli::context::{Context, environment};
use crate::cli::engine::{self, SmokeTarget};
use crate::cli::{CliError, Exit};

/// Arguments of `teal smoke`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// An environment, or an address such as https://staging.example.
    target: String,
    /// Straight at this colour's own servers, past the edge.
    #[arg(long)]
    colour: Option<Colour>,
    /// Whose suite is run against an address, where there are several environments.
    #[arg(long, short, value_name = "ENV")]
    env: Option<String>,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let is_url = args.target.starts_with("http://") || args.target.starts_with("https://");
    let (name, target) = match (is_url, args.colour) {
        (true, None) => (environment(&loaded, args.env.as_deref())?, SmokeTarget::Url(args.target.clone())),
        (true, Some(_)) => return Err(CliError::usage("--colour needs an environment, not an address")),
        (false, Some(colour)) => (environment(&loaded, Some(&args.target))?, SmokeTarget::Colour(colour)),
        (false, None) => (environment(&loaded, Some(&args.target))?, SmokeTarget::Environment),
    };
    context.block_on(engine::smoke(&loaded, name, target, context.json))
}
