//! An environment's state as it is sent: the machine's view and what the edges count.

use std::time::Duration;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Component, Phase, Slot};
use teal_rollout::machine::{ComponentView, View};
use teal_rollout::settings::Mode;

use super::{Shown, ShownEnvironment};
use crate::api::{
    self, ColourStatus, ComponentStatus, EdgeStatus, Known, ReleaseId, Safe, ScaleUpStatus, Status, WatchStatus,
};
use crate::controller::Snapshot;
use crate::proxy::haproxy::edge::EdgeMonitor;

pub(super) fn of(shown: &Shown, environment: &ShownEnvironment) -> Status {
    status_of(&shown.app, environment)
}

/// An environment's state.
#[must_use]
pub fn status_of(app: &str, environment: &ShownEnvironment) -> Status {
    let snapshot = environment.handle.snapshot();
    let Snapshot { view, since, .. } = snapshot.as_ref();
    let doc = &view.document;
    let release = environment.handle.journal().release(doc.epoch.release).map(|judged| judged.release);
    Status {
        environment: environment.name.clone(),
        app: app.to_owned(),
        mode: Known::Known(view.mode),
        phase: Known::Known(doc.phase),
        release: (doc.epoch.release > 0).then_some(ReleaseId(doc.epoch.release)),
        epoch: doc.epoch.to_string(),
        outcome: doc.outcome.map(Known::Known),
        cause: doc.cause.as_ref().map(api::why),
        // The history knows whose hand was behind a move that the machine calls somebody else's.
        by: release.as_ref().map_or_else(|| doc.by.clone(), |release| release.by.clone()),
        since: since.clone(),
        paused: doc.paused.as_ref().map(|p| p.by.clone()),
        components: components(&snapshot, release.as_ref()),
        watch: watch(view),
        rollback_safe: match (&view.rollback_unsafe, scale_up(view)) {
            (Some(reason), _) => Safe::no(reason),
            (None, Some(scale_up)) => Safe::after(scale_up.words()),
            (None, None) => Safe::yes(),
        },
        scale_up: scale_up(view),
        reload_safe: reload_safe(view, environment),
        edges: environment.edges.iter().map(|(name, monitor)| edge(name, monitor)).collect(),
        store: if view.store_failing { Safe::no("Teal goes on trying") } else { Safe::yes() },
        emergency: doc.emergency.clone(),
        shared_outage: view.shared_outage.clone(),
        next: next(view),
        seq: environment.handle.journal().last_seq(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn components(snapshot: &Snapshot, release: Option<&api::Release>) -> Vec<ComponentStatus> {
    let view = &snapshot.view;
    let all = view.document.components.iter().zip(&view.components).enumerate();
    all.map(|(id, (c, numbers))| {
        let status = component(c, numbers, snapshot.evidence(id));
        // A colour that was stopped runs nothing; what was released there stands in the history.
        let released = release.filter(|_| status.candidate.is_some()).and_then(|release| release.to.get(&c.name));
        ComponentStatus { released: released.cloned(), ..status }
    })
    .collect()
}

fn component(c: &Component, numbers: &ComponentView, evidence: Option<api::Evidence>) -> ComponentStatus {
    let slot = |slot: &Slot| {
        let capacity = numbers.capacity[usize::from(slot.colour == Colour::Green)].as_ref();
        ColourStatus {
            colour: Known::Known(slot.colour),
            version: slot.version.clone(),
            ready: capacity.map_or(0, |c| c.ready),
            wanted: capacity.map_or(0, |c| c.wanted),
            failure: capacity.and_then(|c| c.failure.clone()),
            requests: 0,
            bad: 0,
        }
    };
    let mut stable = slot(&c.stable);
    (stable.requests, stable.bad) = (numbers.history.n0, numbers.history.k0);
    let candidate = c.takes_part().then(|| {
        let mut candidate = slot(&c.candidate);
        if let Some(e) = &numbers.evidence {
            (candidate.requests, candidate.bad) = (e.requests(), e.bad());
        }
        candidate
    });
    let share = if c.takes_part() { c.share } else { Share::NONE };
    ComponentStatus { name: c.name.clone(), stable, candidate, released: None, share, evidence }
}

fn watch(view: &View) -> Option<WatchStatus> {
    let limit = view.limit?;
    if !matches!(view.document.phase, Phase::Watching | Phase::Retaining) {
        return None;
    }
    let max = if view.document.phase == Phase::Watching { view.watch_max.max(limit) } else { limit };
    Some(WatchStatus {
        elapsed: view.elapsed.as_secs_f64(),
        min: limit.as_secs_f64(),
        max: max.as_secs_f64(),
        deadline: Some(limit.saturating_sub(view.elapsed).as_secs_f64()),
    })
}

fn scale_up(view: &View) -> Option<ScaleUpStatus> {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    view.scale_up.map(|it| ScaleUpStatus { takes: seconds(it.takes), under_way: seconds(it.under_way) })
}

fn reload_safe(view: &View, environment: &ShownEnvironment) -> Safe {
    if view.reload_safe {
        return Safe::yes();
    }
    let reason = environment.edges.iter().find_map(|(_, edge)| {
        let status = edge.status();
        status.file_error.or(status.runtime_error)
    });
    Safe::no(reason.unwrap_or_else(|| "the map file and the running proxy differ".to_owned()))
}

fn edge(name: &str, monitor: &EdgeMonitor) -> EdgeStatus {
    let status = monitor.status();
    let counters = monitor.counters();
    let problems = [status.runtime_error, status.file_error, status.feed_error];
    EdgeStatus {
        name: name.to_owned(),
        pid: status.pid,
        version: status.version,
        policy: status.running.map(|p| p.to_string()),
        drift: counters.drift.get(),
        evidence_lost: counters.lost.get() + counters.missing.get(),
        feed: match status.feed {
            teal_rollout::machine::event::Feed::Live => "live".to_owned(),
            teal_rollout::machine::event::Feed::Lost => "lost".to_owned(),
        },
        old_workers: u32::try_from(status.old_workers.len()).unwrap_or(u32::MAX),
        problem: problems.into_iter().flatten().next(),
    }
}

/// What happens next and when, in words.
fn next(view: &View) -> String {
    let doc = &view.document;
    let left = view.limit.map(|limit| limit.saturating_sub(view.elapsed).as_secs());
    let within = |what: &str| left.map_or_else(|| what.to_owned(), |s| format!("{what} within {s} s"));
    match doc.phase {
        _ if !view.started => "asking edges and platform where things stand".to_owned(),
        _ if view.shared_outage.is_some() => {
            "the evidence starts anew when the old colour has answered well for 1 s".to_owned()
        }
        Phase::Idle if view.mode != Mode::Act => "watching for somebody to move traffic; Teal moves none".to_owned(),
        Phase::Idle => "waiting for a deploy".to_owned(),
        Phase::Deploying => within("the new colour must be ready"),
        Phase::Smoke => within("the smoke suite must end"),
        Phase::Switching => within("every edge must acknowledge"),
        Phase::Watching if doc.paused.is_some() => {
            "paused: the watch stands still, a bad release is still taken back".to_owned()
        }
        Phase::Watching if doc.share < Share::ALL => "a greater share".to_owned(),
        Phase::Watching => "the end of the watch".to_owned(),
        Phase::Held => "a human decides: `teal promote` or `teal rollback`".to_owned(),
        Phase::Retaining if doc.is_coming_back() => "traffic goes back once the old colour has scaled up".to_owned(),
        Phase::Retaining => "the old colour is stopped".to_owned(),
        Phase::RollingBack => "the new colour is stopped once its requests are answered".to_owned(),
    }
}
