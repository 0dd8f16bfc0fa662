//! `teal flags stale`: flags that can go.

use super::now;
use super::target::Service;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, render};

/// Arguments of `teal flags stale`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For how long a flag has to be so.
    #[arg(long, default_value_t = 30, value_name = "N")]
    days: u32,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let report = match service.client.stale(args.days).await {
        Ok(report) => report,
        // It takes the path for a flag's name.
        Err(error) if error.is_unknown() => {
            return Err(CliError::failed("this service makes no report of stale flags: it is older than this teal"));
        }
        Err(error) => return Err(error.into()),
    };
    context.terminal().json(&report);
    context.terminal().print(&render::flags::stale::stale(&report, now()));
    Ok(Exit::Done)
}
