//! `teal status`: what runs where, what is known about it, what happens next.

use std::time::Duration;

use crate::api::{Status, timestamp};
use crate::cli::context::{Context, client};
use crate::cli::render::progress::live;
use crate::cli::terminal::Terminal;
use crate::cli::{CliError, Exit, engine, render};
use crate::client::ClientError;
use crate::config::Loaded;
use crate::display::{Line, headline};

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
        let found = look(&loaded, &names, &mut terminal).await?;
        let exit = if found.iter().any(|found| found.error.is_some()) { Exit::Unreachable } else { Exit::Done };
        if !args.watch {
            terminal.print(&found.iter().map(Found::page).collect::<Vec<_>>().join("\n"));
            return Ok(exit);
        }
        show(&found, &mut terminal);
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(exit),
        }
        if terminal.is_closed() {
            return Ok(exit);
        }
    }
}

/// Draws all environments below each other; off a terminal each gets a line now and then.
fn show(found: &[Found], terminal: &mut Terminal) {
    let mut block = Vec::new();
    for one in found {
        if !block.is_empty() {
            block.push(Line::default());
        }
        block.push(Line::default().styled(anstyle::Style::new().bold(), headline(&one.status)));
        block.extend(one.note().iter().map(|line| Line::marked(line)));
        block.extend(terminal.panel(&one.status).lines());
    }
    terminal.draw(block);
    for Found { status, .. } in found {
        let text = live(status, &timestamp(time::OffsetDateTime::now_utc()));
        let name = if found.len() > 1 { format!("{}  ", status.environment) } else { String::new() };
        terminal.plain(&status.environment, &format!("{name}{text}"));
    }
}

/// What is known of an environment.
struct Found {
    status: Status,
    /// Why the agent does not say it, but the edge.
    error: Option<ClientError>,
}

impl Found {
    fn note(&self) -> Vec<String> {
        let Some(error) = &self.error else { return Vec::new() };
        vec![format!("--  {error}"), "    this is what the edge itself says:".to_owned()]
    }

    fn page(&self) -> String {
        let note: String = self.note().into_iter().map(|line| line + "\n").collect();
        note + &render::status::status(&self.status)
    }
}

/// Each environment; in JSON each goes out at once, on its own line.
async fn look(loaded: &Loaded, names: &[&str], terminal: &mut Terminal) -> Result<Vec<Found>, CliError> {
    let mut all = Vec::new();
    for name in names {
        let (status, error) = ask(loaded, name).await?;
        terminal.json(&status);
        all.push(Found { status, error });
    }
    Ok(all)
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
