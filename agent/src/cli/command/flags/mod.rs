//! `teal flags`: the flag service from the command line, one file a subcommand.
//!
//! ```text
//! target.rs: which service, with what token --> client::flags::FlagClient
//! subcommand --> FlagClient --> render/flags (pure) --> terminal
//! ```

mod get;
mod known;
mod list;
mod target;

use crate::cli::context::Context;
use crate::cli::{CliError, Exit};
use target::Target;

/// Arguments of `teal flags`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All flags, or those that are looked for.
    List(list::Args),
    /// One flag, with all that decides who gets it.
    Get(get::Args),
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let service = args.target.service(context)?;
    match &args.command {
        Command::List(args) => list::run(context, &service, args).await,
        Command::Get(args) => get::run(context, &service, args).await,
    }
}

/// The moment, as this machine's clock has it.
fn now() -> teal_flags::model::Timestamp {
    let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    teal_flags::model::Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Beside the answer, so that it does not stand in what a script reads.
fn warn(text: &str) {
    let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
    anstream::eprintln!("{yellow}warning{yellow:#}: {text}");
}
