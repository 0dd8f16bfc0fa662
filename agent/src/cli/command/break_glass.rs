//! `teal break-glass`: the filled-in page for 2 a.m.

use crate::cli::context::Context;
use crate::cli::engine::{self, Page, Source};
use crate::cli::render::span;
use crate::cli::{CliError, Exit};

/// Arguments of `teal break-glass`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Where.
    #[arg(value_name = "ENV")]
    environment: String,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load_at_night()?;
    let name = args.environment.as_str();
    let Page { text, source, because } = context.block_on(engine::break_glass(&loaded, name))?;
    let from = match source {
        Source::Edge => None,
        Source::File => Some("this page is made of the map's file, which a restart routes by".to_owned()),
        Source::Kept(age) => Some(format!("this page was kept {} ago, by the agent", span(age.as_secs_f64()))),
        Source::Configuration => Some("this page is made of the configuration alone".to_owned()),
    };
    let from = from.filter(|_| because.is_some());
    let exit = if from.is_some() { Exit::Unreachable } else { Exit::Done };
    let age = if let Source::Kept(age) = source { Some(age.as_secs()) } else { None };
    context.terminal().json(&serde_json::json!({
        "environment": name, "page": text, "source": source.name(), "age_seconds": age, "because": because,
        "exit": exit.code(),
    }));
    let because = because.unwrap_or_default();
    let note = from.map(|from| format!("--  {because}\n    {from}\n\n")).unwrap_or_default();
    context.terminal().print(&(note + &text));
    Ok(exit)
}
