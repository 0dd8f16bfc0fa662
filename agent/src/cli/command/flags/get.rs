//! `teal flags get`: one flag, with all that decides who gets it.

use super::target::Service;
use super::{known, now};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, render};

/// Arguments of `teal flags get`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name or number.
    flag: String,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let fetched = known::flag(service, &args.flag).await?;
    context.terminal().json(&fetched.json);
    context.terminal().print(&render::flags::show::show(&fetched.flag, now()));
    Ok(Exit::Done)
}
