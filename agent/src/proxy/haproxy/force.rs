//! Moves traffic with no agent, store or token alive: the edge's box, this binary and a person's reason.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Epoch, Policy, Route, Salt, Verdict};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::map_file::{self, MapFileError};
use super::owner::Owner;
use super::runtime::{Look, Runtime, RuntimeError};
use super::settings::EdgeSettings;

/// What to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Every component to this colour.
    All(Colour),
    /// These components, by name; the others stay.
    Some(Vec<(String, Colour)>),
    /// Every component to its last good colour, which need not be the same for all.
    Back,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum ForceError {
    /// A name that is not configured.
    #[error("unknown component `{name}`: this environment has {known}")]
    Component {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Neither side holds a policy that says which colour was good.
    #[error("nobody knows the last good colour: HAProxy's map and its file hold no policy. Name one, blue or green")]
    NoWayBack,
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
    Peek {
        runtime: Runtime::new(settings).look().await,
        file: map_file::read(&settings.map),
        agent: Owner::holder(&settings.map),
    }
}

/// Routes by hand: the running proxy first, then the file; one is enough.
///
/// Everything moved to its stable colour makes the release BAD, for ever; any other move counts its step up.
///
/// # Errors
/// [`ForceError`] when nothing was moved.
pub async fn force(settings: &EdgeSettings, what: &Move, reason: &str, by: &str) -> Result<Forced, ForceError> {
    let goals = goals(settings, what)?;
    let components = settings.components.len();
    let Peek { runtime, file, agent } = peek(settings).await;
    let running = runtime.ok().and_then(|look| look.value).and_then(|value| value.parse::<Policy>().ok());
    let (running, file) = (fitting(running, components), fitting(file.ok(), components));
    let present = present(components, running.clone(), file.clone());
    let to = match (&present, what) {
        (Some(present), Move::Back) => back(present),
        (None, Move::Back) => return Err(ForceError::NoWayBack),
        (present, _) => forced(present.as_ref(), &goals),
    };
    let from = running.or(file);

    let runtime = Runtime::new(settings).set(&to.to_string()).await.map(|_| ());
    let file = map_file::write(&settings.map, &to);
    if let (Err(runtime), Err(file)) = (&runtime, &file) {
        return Err(ForceError::Nothing { runtime: runtime.clone(), file: file.clone() });
    }
    let mut forced = Forced { from, to, runtime, file, record: Ok(PathBuf::new()), agent };
    forced.record = record(&settings.map, &forced, reason, by);
    Ok(forced)
}

/// For each component the colour it is to go to; `None` leaves it.
fn goals(settings: &EdgeSettings, what: &Move) -> Result<Vec<Option<Colour>>, ForceError> {
    let named = match what {
        Move::All(colour) => return Ok(vec![Some(*colour); settings.components.len()]),
        // What that is only a policy says.
        Move::Back => return Ok(Vec::new()),
        Move::Some(named) => named,
    };
    let mut goals = vec![None; settings.components.len()];
    for (name, colour) in named {
        let Some(index) = settings.components.iter().position(|component| component.name == *name) else {
            let known: Vec<&str> = settings.components.iter().map(|component| component.name.as_str()).collect();
            return Err(ForceError::Component { name: name.clone(), known: known.join(", ") });
        };
        goals[index] = Some(*colour);
    }
    Ok(goals)
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

/// What `edge force` would write to move every component to `colour` from `present` (see [`present`]).
#[must_use]
pub fn everything_to(components: usize, present: Option<&Policy>, colour: Colour) -> Policy {
    forced(present.filter(|policy| policy.routes.len() == components), &vec![Some(colour); components])
}

/// What `edge force ENV back` would write: every component on its last good colour.
#[must_use]
pub fn back(present: &Policy) -> Policy {
    forced(Some(present), &present.routes.iter().map(|route| Some(route.stable)).collect::<Vec<_>>())
}

fn forced(from: Option<&Policy>, goals: &[Option<Colour>]) -> Policy {
    let Some(from) = from else {
        // Nothing valid anywhere: a policy from nothing still beats an edge without one.
        let settled = |goal: &Option<Colour>| Route::settled(goal.unwrap_or(Colour::Blue));
        let salt = Salt::try_from("forced".to_owned()).unwrap_or_else(|_| unreachable!("a valid salt"));
        return Policy { epoch: Epoch::default(), routes: goals.iter().map(settled).collect(), salt, dead_man: 0 };
    };
    let routes: Vec<Route> = from.routes.iter().zip(goals).map(|(route, goal)| moved(*route, *goal)).collect();
    let released = routes.iter().any(|route| route.stable != route.candidate);
    let mut epoch = from.epoch;
    if released && routes.iter().all(|route| route.share == Share::NONE) {
        epoch.verdict = Verdict::Bad;
    } else if from.routes != routes {
        epoch.step = epoch.step.saturating_add(1);
    }
    Policy { epoch, routes, ..from.clone() }
}

/// One component moved to `goal`; what can be is kept as the way back.
fn moved(route: Route, goal: Option<Colour>) -> Route {
    match goal {
        None => route,
        Some(colour) if colour == route.stable => Route { share: Share::NONE, ..route },
        Some(colour) => Route { candidate: colour, share: Share::ALL, ..route },
    }
}

/// Appends one JSON line to `MAP.forced`, so that an agent that comes back and the people around know.
fn record(map: &Path, forced: &Forced, reason: &str, by: &str) -> io::Result<PathBuf> {
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
        by,
        reason,
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
