//! Moves traffic with no agent, store or token alive: the edge's box, this binary and a person's reason.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use teal_rollout::colour::Colour;
use teal_rollout::policy::{Epoch, Policy, Route, Salt};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use super::super::moves::{Move, Why};
use super::super::moves::{Nowhere, UnknownComponent};
use super::hand;
use super::map_file::{self, MapFileError};
use super::owner::Owner;
use super::runtime::{Look, Runtime, RuntimeError};
use super::servers::{Servers, servers};
use super::settings::EdgeSettings;
use super::standing::{Author, is_same_traffic};

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum ForceError {
    /// A name that is not configured.
    #[error(transparent)]
    Component(#[from] UnknownComponent),
    /// Neither side holds a policy that says which colour was good.
    #[error("nobody knows the last good colour: HAProxy's map and its file hold no policy. Name one, blue or green")]
    NoWayBack,
    /// Everything is where `back` would take it.
    #[error(transparent)]
    Nowhere(Nowhere),
    /// Who was asked would get nothing but 503.
    #[error(
        "nothing was moved: {0}. Everybody would get a 503: HAProxy's health check does not pass there, or not yet. A colour that \
         was started just now is UP within a second: try again then"
    )]
    Dead(String),
    /// Neither the running proxy nor the file took it.
    #[error("nothing was moved. Runtime: {runtime}. File: {file}")]
    Nothing {
        /// Why the running proxy did not.
        runtime: RuntimeError,
        /// Why the file did not.
        file: MapFileError,
    },
}

/// What was moved, and what could not be.
#[derive(Debug)]
pub struct Forced {
    /// The policy before; `None` when neither side held a valid one.
    pub from: Option<Policy>,
    /// The policy now.
    pub to: Policy,
    /// Whether requests are routed by it: if not, only a restart of HAProxy will.
    pub runtime: Result<(), RuntimeError>,
    /// Whether a restart will route by it.
    pub file: Result<(), MapFileError>,
    /// Whether the line in `MAP.forced` could be written.
    pub record: io::Result<PathBuf>,
    /// The agent that drives this HAProxy after all; it takes this for a move by hand.
    pub agent: Option<u32>,
    /// What the goals have of servers, where that is not as it should be or nobody knows.
    pub servers: Option<String>,
}

/// What the edge holds, read without an agent.
#[derive(Debug)]
pub struct Peek {
    /// The running proxy.
    pub runtime: Result<Look, RuntimeError>,
    /// The file.
    pub file: Result<Policy, MapFileError>,
    /// The agent that drives it, by pid.
    pub agent: Option<u32>,
}

/// Reads the edge and writes nothing.
pub async fn peek(settings: &EdgeSettings) -> Peek {
    let looked = Runtime::new(settings).look().await;
    Peek {
        runtime: looked.map_err(|error| error.seen_from_outside(&settings.ports)),
        file: map_file::read(&settings.map),
        agent: Owner::holder(&settings.map),
    }
}

/// Routes by hand: the running proxy first, then the file; one is enough.
///
/// Everything moved to its stable colour makes the release BAD, for ever; any other move counts its step up, and where hands
/// alone write it is a release of its own ([`super::standing`]).
///
/// # Errors
/// [`ForceError`] when nothing was moved.
pub async fn force(settings: &EdgeSettings, author: &Author, what: &Move, why: &Why<'_>) -> Result<Forced, ForceError> {
    let names: Vec<&str> = settings.components.iter().map(|component| component.name.as_str()).collect();
    let goals = what.goals(&names)?;
    let components = names.len();
    let Peek { runtime, file, agent } = peek(settings).await;
    let (look, unseen) = match runtime {
        Ok(look) => (Some(look), None),
        Err(error) => (None, Some(error)),
    };
    let running = look.as_ref().and_then(|look| look.value.as_ref()).and_then(|value| value.parse::<Policy>().ok());
    let (running, file) = (fitting(running, components), fitting(file.ok(), components));
    let standing = present(components, running.clone(), file.clone()).map(|present| author.standing(present));
    let to = match (&standing, what) {
        (Some(standing), Move::Back) => {
            let to = standing.back();
            let is_there = |side: &Option<Policy>| {
                let alike = |side: &Policy| is_same_traffic(side, &to) && (standing.is_by_hand() || *side == to);
                side.as_ref().is_some_and(alike)
            };
            if is_there(&running) && is_there(&file) {
                return Err(ForceError::Nowhere(Nowhere::at(&names, &to)));
            }
            to
        }
        (None, Move::Back) => return Err(ForceError::NoWayBack),
        (Some(standing), _) => standing.to(&goals),
        (None, _) => from_nothing(&goals),
    };
    let from = running.or(file);
    let servers = match (&look, unseen) {
        (Some(look), _) => {
            let named = what.named(&goals, components);
            servers(settings, &look.backends, &to, &named)
        }
        (None, unseen) => Servers::Unknown(unseen.map(|error| error.to_string()).unwrap_or_default()),
    };
    let servers = match servers {
        Servers::Dead(words) if !why.anyway => return Err(ForceError::Dead(words)),
        Servers::Dead(words) | Servers::Nowhere(words) => Some(words),
        Servers::Unknown(because) => Some(format!("nobody knows whether a server is UP there: {because}")),
        Servers::Fine => None,
    };

    // An agent may see the move before the record below is on the disk. That one tells of a folder that takes no file.
    let _ = hand::note(&settings.map, &to, why.by, why.reason);
    let runtime = Runtime::new(settings).set(&to.to_string()).await.map(|_| ());
    let runtime = runtime.map_err(|error| error.seen_from_outside(&settings.ports));
    let file = map_file::write(&settings.map, &to);
    if let (Err(runtime), Err(file)) = (&runtime, &file) {
        return Err(ForceError::Nothing { runtime: runtime.clone(), file: file.clone() });
    }
    let mut forced = Forced { from, to, runtime, file, record: Ok(PathBuf::new()), agent, servers };
    forced.record = record(&settings.map, &forced, why);
    Ok(forced)
}

fn fitting(policy: Option<Policy>, components: usize) -> Option<Policy> {
    policy.filter(|policy| policy.routes.len() == components)
}

/// What a move starts from: the routes of what serves now, and the greatest epoch of both sides, because the file may be a step
/// ahead or behind. `None` when neither side holds a policy of so many components.
#[must_use]
pub fn present(components: usize, running: Option<Policy>, saved: Option<Policy>) -> Option<Policy> {
    let (running, saved) = (fitting(running, components), fitting(saved, components));
    let epoch = [&running, &saved].into_iter().flatten().map(|policy| policy.epoch).max()?;
    Some(Policy { epoch, ..running.or(saved)? })
}

/// What is written where nothing valid is anywhere: a policy from nothing still beats an edge without one.
#[must_use]
pub fn from_nothing(goals: &[Option<Colour>]) -> Policy {
    let settled = |goal: &Option<Colour>| Route::settled(goal.unwrap_or(Colour::Blue));
    let salt = Salt::try_from("forced".to_owned()).unwrap_or_else(|_| unreachable!("a valid salt"));
    Policy { epoch: Epoch::default(), routes: goals.iter().map(settled).collect(), salt, dead_man: 0 }
}

/// Appends one JSON line to `MAP.forced`, so that an agent that comes back and the people around know.
fn record(map: &Path, forced: &Forced, why: &Why<'_>) -> io::Result<PathBuf> {
    #[derive(Serialize)]
    struct Line<'a> {
        at: String,
        by: &'a str,
        reason: &'a str,
        from: Option<String>,
        to: String,
        runtime: String,
        file: String,
    }
    let told = |error: Option<String>| error.unwrap_or_else(|| "ok".to_owned());
    let line = Line {
        at: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        by: why.by,
        reason: why.reason,
        from: forced.from.as_ref().map(Policy::to_string),
        to: forced.to.to_string(),
        runtime: told(forced.runtime.as_ref().err().map(RuntimeError::to_string)),
        file: told(forced.file.as_ref().err().map(MapFileError::to_string)),
    };
    let path = map_file::beside(map, "forced");
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(&path)?;
    let line = serde_json::to_string(&line)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()?;
    Ok(path)
}
