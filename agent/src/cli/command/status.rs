//! `teal status`: what runs where, what is known about it, what happens next.

use std::time::Duration;

use crate::api::Status;
use crate::cli::context::{Context, client};
use crate::cli::{CliError, Exit, engine, render};
use crate::client::ClientError;
use crate::config::Loaded;

/// How often `--watch` asks.
const PACE: Duration = Duration::from_secs(1);

/// Arguments of `teal status`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// One environment; else all.
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Go on showing it until Ctrl-C.
    #[arg(long, short)]
    watch: bool,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let names: Vec<&str> = match &args.environment {
        Some(name) => {
            loaded.config.environment(name)?;
            vec![name]
        }
        None => loaded.config.environments.keys().map(String::as_str).collect(),
    };
    let mut terminal = context.terminal();
    loop {
        let (texts, exit) = look(context, &loaded, &names, &mut terminal).await?;
        if !args.watch {
            terminal.print(&texts);
            return Ok(exit);
        }
        terminal.live(&texts);
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(exit),
        }
    }
}

/// The status of each environment as text; in JSON each goes out at once, on its own line.
async fn look(
    context: &Context,
    loaded: &Loaded,
    names: &[&str],
    terminal: &mut crate::cli::terminal::Terminal,
) -> Result<(String, Exit), CliError> {
    let (mut texts, mut exit) = (Vec::new(), Exit::Done);
    for name in names {
        let (status, source) = ask(loaded, name).await?;
        if source.is_some() {
            exit = Exit::Unreachable;
        }
        terminal.json(&status);
        if !context.json {
            let note = source
                .map(|error| format!("--  {error}\n    this is what the edge itself says:\n"))
                .unwrap_or_default();
            texts.push(note + &render::status::status(&status));
        }
    }
    Ok((texts.join("\n"), exit))
}

/// The agent's word; else the edge's own, with why the agent's is missing.
async fn ask(loaded: &Loaded, name: &str) -> Result<(Status, Option<ClientError>), CliError> {
    match client(loaded).status(name).await {
        Ok(status) => Ok((status, None)),
        Err(error @ ClientError::Refused(_)) => Err(error.into()),
        Err(error) => match engine::edge_status(loaded, name).await {
            Some(status) => Ok((status, Some(error))),
            None => Err(CliError::from(error).hint("the edge does not answer either")),
        },
    }
}
