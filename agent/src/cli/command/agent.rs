//! `teal agent`: the long-running agent.

use crate::cli::context::Context;
use crate::cli::engine::{self, AgentOptions};
use crate::cli::{CliError, Exit};
use crate::config::{self, LoadError};

/// Arguments of `teal agent`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Every role in one process, on loopback, for a laptop.
    #[arg(long)]
    dev: bool,
    /// The flags' port with --dev and without a teal.toml; metrics are on the one before.
    #[arg(long, value_name = "PORT", requires = "dev", default_value_t = 9181)]
    flags_port: u16,
    /// A baseline of N requests, K of them bad, for components without history.
    #[arg(long, value_name = "N,K", value_parser = baseline, hide = true)]
    seed_baseline: Option<(u64, u64)>,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = match config::load(context.config_path()) {
        Err(LoadError::Missing) if args.dev => engine::dev(args.flags_port)?,
        found => found?,
    };
    engine::agent(loaded, &AgentOptions { dev: args.dev, seed_baseline: args.seed_baseline })
}

fn baseline(text: &str) -> Result<(u64, u64), String> {
    let wrong = || "write requests and bad ones, for instance 30000,150".to_owned();
    let (n, k) = text.split_once(',').ok_or_else(wrong)?;
    let (n, k) = (n.parse().map_err(|_| wrong())?, k.parse().map_err(|_| wrong())?);
    if k <= n { Ok((n, k)) } else { Err("there cannot be more bad requests than requests".to_owned()) }
}
