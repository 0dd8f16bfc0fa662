//! `teal status`: what runs where, what is known about it, what happens next.

use std::time::Duration;

use crate::api::{Status, timestamp};
use crate::cli::context::{Context, client, unheard};
use crate::cli::remote::{Remote, Shown};
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
    let loaded = context.load_at_night()?;
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
        let exit = if found.iter().any(Found::is_unreachable) { Exit::Unreachable } else { Exit::Done };
        if !args.watch {
            terminal.print(&found.iter().map(Found::page).collect::<Vec<_>>().join("\n"));
            if let Some(line) = unheard(&loaded) {
                terminal.print(line);
            }
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
        match &one.said {
            Said::Status(status) => {
                block.push(Line::default().styled(anstyle::Style::new().bold(), headline(status)));
                block.extend(one.note().iter().map(|line| Line::marked(line)));
                block.extend(terminal.panel(status).lines());
            }
            Said::Resource(shown) => block.extend(shown.text().lines().map(Line::marked)),
        }
    }
    terminal.draw(block);
    for one in found {
        let Said::Status(status) = &one.said else {
            terminal.plain("", &one.page());
            continue;
        };
        let text = live(status, &timestamp(time::OffsetDateTime::now_utc()));
        let name = if found.len() > 1 { format!("{}  ", status.environment) } else { String::new() };
        terminal.plain(&status.environment, &format!("{name}{text}"));
    }
}

/// What is known of an environment.
struct Found {
    said: Said,
    /// Why the agent does not say it, but the edge.
    error: Option<ClientError>,
}

/// By whom it is known.
enum Said {
    /// The agent on this machine, or the edge.
    Status(Status),
    /// The cluster's API server: nobody on this machine knows anything, as on a laptop.
    Resource(Shown),
}

impl Found {
    /// Whether the agent or an edge does not answer.
    fn is_unreachable(&self) -> bool {
        let has_dead_edge = |status: &Status| status.edges.iter().any(crate::api::EdgeStatus::is_dead);
        self.error.is_some() || matches!(&self.said, Said::Status(status) if has_dead_edge(status))
    }

    fn note(&self) -> Vec<String> {
        let Some(error) = &self.error else { return Vec::new() };
        vec![format!("--  {error}"), "    this is what the edge itself says:".to_owned()]
    }

    fn page(&self) -> String {
        let note: String = self.note().into_iter().map(|line| line + "\n").collect();
        match &self.said {
            Said::Status(status) => note + &render::status::status(status),
            Said::Resource(shown) => shown.text(),
        }
    }
}

/// Each environment; in JSON each goes out at once, on its own line.
async fn look(loaded: &Loaded, names: &[&str], terminal: &mut Terminal) -> Result<Vec<Found>, CliError> {
    let mut all = Vec::new();
    for name in names {
        let found = ask(loaded, name).await?;
        match &found.said {
            Said::Status(status) => terminal.json(status),
            Said::Resource(shown) => terminal.json(shown),
        }
        all.push(found);
    }
    Ok(all)
}

/// The agent's word; else the edge's own, with why the agent's is missing; else, of a cluster, what its API server holds.
async fn ask(loaded: &Loaded, name: &str) -> Result<Found, CliError> {
    let error = match client(loaded).status(name).await {
        Ok(status) => return Ok(Found { said: Said::Status(status), error: None }),
        Err(error @ ClientError::Refused(_)) => return Err(error.into()),
        Err(error) => error,
    };
    if let Some(status) = engine::edge_status(loaded, name).await {
        return Ok(Found { said: Said::Status(status), error: Some(error) });
    }
    match Remote::of(loaded, name).await? {
        Some(remote) => Ok(Found { said: Said::Resource(remote.look().await?), error: None }),
        None => Err(CliError::from(error).hint("the edge does not answer either")),
    }
}
