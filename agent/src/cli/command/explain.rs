//! `teal explain`: why each decision of a release fell.

use crate::api::ReleaseId;
use crate::cli::command::wait::find;
use crate::cli::context::{Context, client};
use crate::cli::{CliError, Exit, render};

/// Arguments of `teal explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The release, r-0043 or 43; else the last one.
    release: Option<ReleaseId>,
    /// Its environment, where there are several.
    #[arg(long, short, value_name = "ENV")]
    env: Option<String>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let (environment, release) = find(&loaded, args.env.as_deref(), args.release).await?;
    let explanation = client(&loaded).explain(&environment, release).await?;
    context.terminal().json(&explanation);
    context.terminal().print(&render::explain::explain(&explanation));
    Ok(Exit::Done)
}
