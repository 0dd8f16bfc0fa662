//! The edge without an agent: read it, and move traffic by hand.

use std::path::PathBuf;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Policy, Route, Verdict};
use teal_rollout::settings::Mode;

use crate::api::{ColourStatus, ComponentStatus, EdgeStatus, Known, ReleaseId, Safe, Status};
use crate::break_glass::author;
use crate::cli::{CliError, Exit};
use crate::config::{Loaded, PlatformKind, SwitchBy};
use crate::proxy::haproxy::force::{ForceError, Forced, Peek, force, peek};
use crate::proxy::moves::{Move, Nowhere, Why};
use crate::runtime::wiring;

/// What the edge itself says, when no agent answers. `None` when it does not answer either.
pub(in crate::cli) async fn edge_status(loaded: &Loaded, environment: &str) -> Option<Status> {
    let configured = loaded.config.environment(environment).ok()?;
    let settings = wiring::edge_settings(environment, configured);
    let Peek { runtime, file, .. } = peek(&settings).await;
    let (look, problem) = match runtime {
        Ok(look) => (Some(look), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let running: Option<Policy> = look.as_ref().and_then(|l| l.value.as_deref()?.parse().ok());
    let saved = file.ok();
    let present = running.clone().or_else(|| saved.clone())?;
    let policy = author(&loaded.config, environment, configured).standing(present).policy().clone();
    let up = |component: usize, colour: Colour| {
        let backends = look.iter().flat_map(|l| &l.backends);
        backends.filter(|b| b.component == component && b.colour == colour).map(|b| b.up).sum()
    };
    let component = |(id, (name, route)): (usize, (&String, &Route))| {
        let of = |colour| {
            let ready = up(id, colour);
            ColourStatus { colour: Known::Known(colour), ready, wanted: ready, ..ColourStatus::default() }
        };
        ComponentStatus {
            name: name.clone(),
            stable: of(route.stable),
            candidate: (route.candidate != route.stable).then(|| of(route.candidate)),
            released: None,
            share: route.share,
            evidence: None,
        }
    };
    let names = configured.components.keys();
    Some(Status {
        environment: environment.to_owned(),
        app: loaded.config.app.clone(),
        mode: Known::Known(configured.mode),
        phase: Known::Other("no_agent".to_owned()),
        release: Some(ReleaseId(policy.epoch.release)),
        epoch: policy.epoch.to_string(),
        cause: (policy.epoch.verdict == Verdict::Bad).then(|| "called bad".to_owned()),
        components: names.zip(&policy.routes).enumerate().map(component).collect(),
        rollback_safe: Safe::no("no agent answers: `teal edge force` moves traffic by hand"),
        reload_safe: if running.is_some() && running == saved {
            Safe::yes()
        } else {
            Safe::no("the map file and the running proxy differ, or one cannot be read")
        },
        edges: vec![EdgeStatus {
            name: configured.edge.name.clone(),
            pid: look.as_ref().map(|l| l.process.pid),
            version: look.as_ref().map(|l| l.process.version.clone()),
            policy: running.map(|p| p.to_string()),
            feed: "lost".to_owned(),
            problem,
            ..EdgeStatus::default()
        }],
        store: Safe::no("no agent answers"),
        next: "nothing by itself: the edge goes on as it is".to_owned(),
        ..Status::default()
    })
}

/// Moves traffic by hand: what was asked for.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Force {
    pub(in crate::cli) environment: String,
    /// `None`: each component's last good one.
    pub(in crate::cli) colour: Option<Colour>,
    /// Empty means all.
    pub(in crate::cli) components: Vec<String>,
    pub(in crate::cli) reason: String,
    pub(in crate::cli) by: String,
    /// Also to a colour without a server.
    pub(in crate::cli) anyway: bool,
    /// Another way to the API server than the configuration's, where Services are the edge.
    pub(in crate::cli) kubeconfig: Option<PathBuf>,
}

fn failure(error: &ForceError, wanted: &Force) -> CliError {
    let environment = &wanted.environment;
    let exit = match error {
        ForceError::Component(_) | ForceError::NoWayBack => Exit::Usage,
        ForceError::Nowhere(_) | ForceError::Dead(_) => Exit::Refused,
        ForceError::Nothing { .. } => Exit::Unreachable,
    };
    let failure = CliError::new(exit, error.to_string());
    match error {
        ForceError::Nowhere(Nowhere { other: Some(colour), .. }) => {
            failure.hint(format!("teal edge force {environment} {colour} --reason WHY"))
        }
        ForceError::Nowhere(Nowhere { other: None, .. }) => {
            failure.hint(format!("teal edge force {environment} COLOUR --component NAME --reason WHY"))
        }
        ForceError::Dead(_) => {
            let goal = wanted.colour.map_or("back", Colour::as_str);
            failure
                .hint(format!("teal edge force {environment} {goal} --reason WHY --anyway   moves there all the same"))
        }
        _ => failure,
    }
}

/// Moves traffic by hand, with no agent alive. The text says what was moved and what could not be.
pub(in crate::cli) async fn edge_force(loaded: &Loaded, wanted: &Force) -> Result<(Exit, String), CliError> {
    let configured = loaded.config.environment(&wanted.environment)?;
    let what = match wanted.colour {
        None => Move::Back,
        Some(colour) if wanted.components.is_empty() => Move::All(colour),
        Some(colour) => Move::Some(wanted.components.iter().map(|name| (name.clone(), colour)).collect()),
    };
    if configured.switch.by == SwitchBy::Selector {
        return super::services::force(loaded, wanted, &what).await;
    }
    if wanted.kubeconfig.is_some() {
        return Err(CliError::usage(
            "`--kubeconfig` is for `switch.by = \"selector\"`: HAProxy is moved by its socket",
        ));
    }
    let settings = wiring::edge_settings(&wanted.environment, configured);
    let author = author(&loaded.config, &wanted.environment, configured);
    let why = Why { reason: &wanted.reason, by: &wanted.by, anyway: wanted.anyway };
    let forced = force(&settings, &author, &what, &why).await;
    let Forced { from, to, runtime, file, record, agent, servers } = forced.map_err(|error| failure(&error, wanted))?;
    let before = from.map_or_else(|| "no valid policy".to_owned(), |p| p.to_string());
    let mut lines = vec![format!("was  {before}"), format!("now  {to}")];
    let exit = match (&runtime, &file) {
        (Err(error), _) if error.is_unreachable() => Exit::Unreachable,
        (Ok(()), Ok(())) => Exit::Done,
        _ => Exit::Failed,
    };
    lines.extend(servers.map(|servers| format!("note {servers}")));
    lines.push(match runtime {
        Ok(()) => "ok   HAProxy routes by it".to_owned(),
        Err(error) => format!("!!   HAProxy does not route by it yet, a restart will: {error}"),
    });
    lines.push(match file {
        Ok(()) => "ok   a restart of HAProxy routes by it too".to_owned(),
        Err(error) => format!("!!   not reload-safe, the map file could not be written: {error}"),
    });
    if let Err(error) = record {
        lines.push(format!("!!   the move could not be noted beside the map: {error}"));
    }
    if agent.is_none() && loaded.config.platform.kind == PlatformKind::Kubernetes {
        lines.push(format!(
            "note who calls from within the cluster comes by the Services' selectors, which stay: `teal break-glass {}` has the \
             lines of kubectl",
            wanted.environment
        ));
    }
    if let Some(pid) = agent {
        let share = to.routes.iter().map(|r| r.share).max().unwrap_or(Share::NONE);
        lines.push(match (configured.mode, share) {
            (Mode::Observe | Mode::Advise, _) => {
                format!("note an agent (pid {pid}) only watches this edge and leaves the move alone")
            }
            (Mode::Act, Share::NONE) => format!("note an agent (pid {pid}) drives this edge and adopts a move back"),
            (Mode::Act, _) => format!(
                "note an agent (pid {pid}) drives this edge: it puts back a move to an unproven colour; `teal pause {}` \
                 first to keep its hands off",
                wanted.environment
            ),
        });
    }
    Ok((exit, lines.join("\n")))
}
