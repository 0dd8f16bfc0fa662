//! The controller's state in the words of the resource's status and events.

use teal_rollout::colour::Colour;
use teal_rollout::machine::View;
use teal_rollout::machine::event::{Backend, EdgeReport, Feed};
use time::{Duration, OffsetDateTime};

use crate::api::{ComponentStatus, Record, Safe, Status};
use crate::cluster::resource::{Evidence, SeenByEdge, colour_name};
use crate::store::kubernetes::{Said, Shown, Story, Told};

/// Records that somebody should look at.
const WARNINGS: [&str; 7] =
    ["bad", "would_roll_back", "no_way_back", "emergency", "shared_outage", "outage_suspected", "selector_drift"];

/// What this agent shows; `own` is its edge's name.
pub(super) fn of(view: &View, status: &Status, own: &str) -> Shown {
    let edges = view.document.edges.iter().zip(&view.edges);
    let names: Vec<&str> = view.document.components.iter().map(|component| component.name.as_str()).collect();
    let own = edges.filter(|(name, _)| *name == own).filter_map(|(name, report)| seen(name, report.as_ref()?, &names));
    Shown { edges: own.collect(), busy: view.document.phase.is_busy(), story: story(view, status) }
}

fn seen(name: &str, report: &EdgeReport, components: &[&str]) -> Option<SeenByEdge> {
    let running = report.running.as_ref()?;
    let epoch = running.epoch;
    let those = |wanted: &dyn Fn(&Backend) -> bool| {
        let all = report.backends.iter().filter(|backend| wanted(backend));
        all.filter_map(|it| Some(colour_name(components.get(it.component)?, it.colour))).collect()
    };
    // Of colours that serve the number changes all the time, and nobody asks.
    let serves = |it: &Backend| running.routes.get(it.component).is_none_or(|route| route.serves(it.colour));
    Some(SeenByEdge {
        name: name.to_owned(),
        release: epoch.release,
        step: epoch.step,
        verdict: epoch.verdict,
        saved: report.running == report.saved,
        watched: report.feed == Feed::Live,
        up: those(&|backend| backend.up > 0),
        draining: those(&|backend| backend.in_flight > 0 && !serves(backend)),
        beat: 0,
    })
}

fn story(view: &View, status: &Status) -> Story {
    let serving: Vec<String> = status.components.iter().map(serving).collect();
    let left = status.watch.as_ref().and_then(|watch| watch.deadline);
    // To the second, and a little longer than it may take.
    let deadline = left.and_then(|left| OffsetDateTime::now_utc().checked_add(Duration::seconds_f64(left.min(1e9))));
    let evidence = view.document.components.iter().zip(&view.components).filter_map(|(component, numbers)| {
        let seen = numbers.evidence.as_ref()?;
        let (component, colour) = (component.name.clone(), component.candidate.colour);
        Some(Evidence { component, colour, requests: seen.requests(), bad: seen.bad() })
    });
    Story {
        serving: serving.join(", "),
        message: message(status),
        deadline: deadline.and_then(|at| at.replace_nanosecond(0).ok()),
        evidence: evidence.collect(),
        conditions: conditions(view, status),
    }
}

/// `api green v2`, or both sides while a part of the traffic goes to the new one.
fn serving(component: &ComponentStatus) -> String {
    let slot = |slot: &crate::api::ColourStatus| {
        let colour = slot.colour.known().map(Colour::to_string).unwrap_or_default();
        format!("{colour} {}", slot.version.as_deref().unwrap_or("nothing"))
    };
    let name = &component.name;
    match &component.candidate {
        Some(candidate) if component.share == teal_rollout::colour::Share::ALL => format!("{name} {}", slot(candidate)),
        Some(candidate) if component.share > teal_rollout::colour::Share::NONE => {
            format!("{name} {} and {} to {}", slot(&component.stable), component.share, slot(candidate))
        }
        _ => format!("{name} {}", slot(&component.stable)),
    }
}

fn message(status: &Status) -> String {
    match (&status.cause, &status.release) {
        (Some(cause), Some(release)) => format!("{release} is bad: {cause}; next: {}", status.next),
        _ => format!("next: {}", status.next),
    }
}

fn conditions(view: &View, status: &Status) -> Vec<Said> {
    let phase = camel(&format!("{:?}", view.document.phase));
    let safe = |kind, safe: &Safe| {
        let reason = if safe.yes { "Yes" } else { "No" };
        Said { kind, holds: Some(safe.yes), reason: reason.to_owned(), message: safe.reason.clone() }
    };
    let said = |kind, holds, reason: &str, message: String| Said {
        kind,
        holds: Some(holds),
        reason: reason.to_owned(),
        message,
    };
    let emergency = &view.document.emergency;
    let (store, paused) = (&status.store, &status.paused);
    vec![
        said("Ready", store.yes, if store.yes { "Reconciling" } else { "StoreFails" }, store.reason.clone()),
        safe("RollbackSafe", &status.rollback_safe),
        safe("ReloadSafe", &status.reload_safe),
        said("Progressing", view.document.phase.is_busy(), &phase, String::new()),
        said(
            "Paused",
            paused.is_some(),
            if paused.is_some() { "ByHand" } else { "No" },
            paused.as_ref().map(|by| format!("by {by}")).unwrap_or_default(),
        ),
        said(
            "Emergency",
            !emergency.is_empty(),
            if emergency.is_empty() { "No" } else { "NothingReady" },
            emergency.join(", "),
        ),
    ]
}

/// A record as an event of the resource.
pub(super) fn told(record: &Record) -> Told {
    Told {
        reason: camel(&record.kind),
        action: "Release".to_owned(),
        note: format!("{}: {}", record.release, record.text),
        is_warning: WARNINGS.contains(&record.kind.as_str()),
    }
}

/// `rolling_back` as `RollingBack`.
fn camel(word: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    word.split('_').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_an_event_with_a_word_for_machines_and_a_sentence() {
        let record = |kind: &str| Record { kind: kind.to_owned(), text: "said".to_owned(), ..Record::default() };
        let check = |kind: &str, reason: &str, is_warning: bool| {
            let told = told(&record(kind));
            assert_eq!((told.reason.as_str(), told.is_warning), (reason, is_warning), "{kind}");
            assert!(told.note.ends_with(": said"), "{}", told.note);
        };
        check("rolling_back", "RollingBack", false);
        check("bad", "Bad", true);
        check("shared_outage", "SharedOutage", true);
    }
}
