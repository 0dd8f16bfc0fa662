//! `teal flags audit`: who changed a flag, when, what and why.

use serde_json::json;

use super::target::Service;
use super::{known, now};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, render};
use crate::client::flags::Audit;

/// Entries that are asked for at once.
const PAGE: usize = 100;

/// Arguments of `teal flags audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name or number, also of a deleted flag.
    flag: String,
    /// At most so many, the newest first.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    limit: usize,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let mut entries: Vec<Audit> = Vec::new();
    while entries.len() < args.limit {
        let (before, most) = (entries.last().map(|entry| entry.id), PAGE.min(args.limit - entries.len()));
        let page = match service.client.audit(&args.flag, before, most).await {
            Ok(page) => page,
            Err(error) => return Err(known::unknown(service, &args.flag, error).await),
        };
        let is_last = page.len() < most;
        entries.extend(page);
        if is_last {
            break;
        }
    }
    context.terminal().json(&json!({ "entries": entries }));
    context.terminal().print(&render::flags::audit::audit(&entries, now()));
    Ok(Exit::Done)
}
