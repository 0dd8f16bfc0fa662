//! `teal rollback`: traffic back to the old colour, at once and without a question.

use std::time::{Duration, Instant};

use teal_rollout::settings::Mode;

use crate::api::{Accepted, Happening, Order, OrderRequest, ReleaseId, Versions};
use crate::cli::context::{Context, client, operator};
use crate::cli::follow::follow;
use crate::cli::{CliError, Exit, engine, remote};
use crate::client::{Client, ClientError};
use crate::config::Loaded;
use crate::display::words::by_hand;

/// How long the edges' acknowledgement is waited for before the terminal is given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `teal rollback`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Where.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Release again what this release had brought, through readiness and smoke tests.
    #[arg(long, value_name = "RELEASE")]
    to: Option<ReleaseId>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    // A release is nothing for the night.
    let loaded = if args.to.is_some() { context.load()? } else { context.load_at_night()? };
    let name = args.environment.as_str();
    loaded.config.environment(name)?;
    match args.to {
        Some(release) => redeploy(context, &loaded, name, release).await,
        None => back(context, &loaded, name).await,
    }
}

async fn back(context: &Context, loaded: &Loaded, name: &str) -> Result<Exit, CliError> {
    let client = client(loaded);
    let order = OrderRequest { order: Order::Rollback, by: operator() };
    let acts = loaded.config.environment(name)?.mode == Mode::Act;
    let ordered = remote::order(loaded, name, &order).await.map_err(|error| way_out(error, name, acts))?;
    let (accepted, remote) = ordered;
    if let Some(remote) = remote {
        return remote.follow_back(context, loaded, accepted.release).await.map(|exit| match exit {
            // What was asked for.
            Exit::RolledBack => Exit::Done,
            exit => exit,
        });
    }
    let release = accepted.release;
    let (text, word, exit) = match acknowledged(context, &client, name, &accepted).await {
        Seen::Back(text) => (text, "rolled_back", Exit::Done),
        Seen::NotScaledUp(text) => (text, "not_scaled_up", Exit::Failed),
        Seen::Nothing => ("taken, not yet acknowledged by every edge".to_owned(), "accepted", Exit::Done),
    };
    context.terminal().json(&serde_json::json!({ "release": release, "environment": name, "result": word }));
    let mark = if exit == Exit::Done { "ok" } else { "!!" };
    context
        .terminal()
        .print(&format!("{mark}  rollback   {release}: {text}\n    next: teal explain {release} --env {name}"));
    Ok(exit)
}

/// What was seen of a rollback.
enum Seen {
    Back(String),
    NotScaledUp(String),
    Nothing,
}

/// Waits until every edge has acknowledged, for as long as the old colour has to scale up first; the order stands whether it
/// is seen or not.
async fn acknowledged(context: &Context, client: &Client, name: &str, accepted: &Accepted) -> Seen {
    let (started, mut after, mut scales_up) = (Instant::now(), accepted.after, false);
    while scales_up || started.elapsed() < PATIENCE {
        let Ok(records) = client.events(name, after, Duration::from_secs(1)).await else { return Seen::Nothing };
        for record in records.iter().filter(|record| record.release == accepted.release) {
            match record.happening() {
                Some(Happening::Back { .. } | Happening::Ended { .. }) => return Seen::Back(record.text.clone()),
                Some(Happening::NotScaledUp { .. }) => return Seen::NotScaledUp(record.text.clone()),
                Some(Happening::ScalingUp { .. }) => {
                    scales_up = true;
                    context.terminal().print(&format!("..  scale up   {}", record.text));
                }
                _ => {}
            }
        }
        after = records.last().map_or(after, |record| record.seq);
    }
    Seen::Nothing
}

/// A rollback must work at 2 a.m., with the agent dead or only watching: say how.
fn way_out(error: ClientError, name: &str, acts: bool) -> CliError {
    let error = CliError::from(error);
    match error.exit {
        Exit::Unreachable => error.hint(format!("{}   moves traffic without an agent", by_hand(name))),
        Exit::Refused if !acts => error.hint(format!("{}   is the way back meanwhile", by_hand(name))),
        _ => error,
    }
}

/// Past its retention the old colour is gone, so this is a release like any other.
async fn redeploy(context: &Context, loaded: &Loaded, name: &str, release: ReleaseId) -> Result<Exit, CliError> {
    let client = client(loaded);
    let versions: Versions = client.explain(name, release).await?.release.to;
    if versions.is_empty() {
        return Err(CliError::usage(format!("{release} of {name} brought no versions")));
    }
    engine::refuse_missing(loaded.config.environment(name)?, &versions)?;
    let order = OrderRequest { order: Order::Deploy { versions }, by: operator() };
    let accepted = client.order(name, &order).await?;
    follow(context, loaded, name, accepted.release).await
}
