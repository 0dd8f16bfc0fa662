//! `teal demo`: the main job with nothing but this program and HAProxy.

use crate::cli::context::Context;
use crate::cli::engine::{self, DemoOptions};
use crate::cli::{CliError, Exit};

/// Arguments of `teal demo`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    options: DemoOptions,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    engine::demo(&args.options, context.json)
}
