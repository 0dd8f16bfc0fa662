//! `teal rollback`: traffic back to the old colour, at once and without a question.

use std::time::{Duration, Instant};

use teal_rollout::document::Phase;
use teal_rollout::settings::Mode;

use crate::api::{Accepted, Happening, Order, OrderRequest, ReleaseId, Status, Versions};
use crate::cli::context::{Context, client, operator};
use crate::cli::follow::follow;
use crate::cli::{CliError, Exit, engine, remote};
use crate::client::{Client, ClientError};
use crate::config::Loaded;
use crate::display::words::by_hand;

/// How long the edges' acknowledgement is waited for before the terminal is given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much longer scaling up may take where another agent takes over meanwhile.
pub(in crate::cli) const HANDOVER: Duration = Duration::from_secs(60);

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
    let (text, word, exit) = match acknowledged(context, &client, loaded, name, &accepted).await? {
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
    /// Traffic stays on the new colour.
    NotScaledUp(String),
    Nothing,
}

/// Waits until every edge has acknowledged, for as long as the old colour may take to scale up first; the order stands whether
/// it is seen or not.
async fn acknowledged(
    context: &Context,
    client: &Client,
    loaded: &Loaded,
    name: &str,
    accepted: &Accepted,
) -> Result<Seen, CliError> {
    let status = client.status(name).await.ok();
    // Ordered before: then nothing is told of it once more.
    let mut scales_up = status.as_ref().is_some_and(is_scaling_up);
    let longest = loaded.config.environment(name)?.longest_start() + HANDOVER;
    let (mut started, mut after) = (Instant::now(), accepted.after);
    while started.elapsed() < if scales_up { longest } else { PATIENCE } {
        let Ok(records) = client.events(name, after, Duration::from_secs(1)).await else {
            if !scales_up {
                return Ok(Seen::Nothing);
            }
            // An agent that starts again goes on with it.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        for record in records.iter().filter(|record| record.release == accepted.release) {
            match record.happening() {
                Some(Happening::Back { .. } | Happening::Ended { .. }) => return Ok(Seen::Back(record.text.clone())),
                Some(Happening::NotScaledUp { .. }) => return Ok(Seen::NotScaledUp(record.text.clone())),
                Some(Happening::ScalingUp { .. }) => {
                    scales_up = true;
                    context.terminal().print(&format!("..  scale up   {}", record.text));
                }
                Some(Happening::Bad { .. }) => (scales_up, started) = (false, Instant::now()),
                _ => {}
            }
        }
        after = records.last().map_or(after, |record| record.seq);
        if scales_up && records.is_empty() {
            let status = client.status(name).await;
            // Who leads is told why, and this agent may be another.
            if status.is_ok_and(|status| status.phase.is(&Phase::Retaining) && !is_scaling_up(&status)) {
                let text = "the old colour did not scale up, traffic stays where it is; the agent that leads says why";
                return Ok(Seen::NotScaledUp(text.to_owned()));
            }
        }
    }
    let stuck = format!(
        "the old colour has not scaled up in {} s, traffic stays where it is: `teal status {name}`, or by hand `teal edge force {name} back`",
        longest.as_secs()
    );
    Ok(if scales_up { Seen::NotScaledUp(stuck) } else { Seen::Nothing })
}

fn is_scaling_up(status: &Status) -> bool {
    status.scale_up.as_ref().is_some_and(|it| it.under_way.is_some())
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
