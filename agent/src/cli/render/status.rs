//! `teal status`: what runs where, what is known about it, what happens next.

use std::fmt::Write;

use teal_rollout::colour::Share;
use teal_rollout::document::Phase;
use teal_rollout::settings::Mode;

use super::progress::usual;
use super::words::{by_hand, changes, clock, count, excluded, figure, moment, probed};
use crate::api::{ColourStatus, ComponentStatus, EdgeStatus, Safe, Status};

/// One environment, in a few lines of at most 80 columns where names allow.
#[must_use]
pub fn status(status: &Status) -> String {
    let mut text = head(status);
    for component in &status.components {
        text += &component_lines(component);
    }
    if let Some(watch) = &status.watch {
        let name = if status.phase.is(&Phase::Retaining) { "kept" } else { "watch" };
        let most = if watch.max > watch.min { format!(", at most {}", clock(watch.max)) } else { String::new() };
        row(&mut text, name, &format!("{} of {}{most}", clock(watch.elapsed), clock(watch.min)));
    }
    if !status.next.is_empty() {
        let deadline = status.watch.as_ref().and_then(|watch| watch.deadline);
        let when = deadline.map(|seconds| format!("in {}: ", clock(seconds))).unwrap_or_default();
        row(&mut text, "next", &format!("{when}{}", status.next));
    }
    row(&mut text, "rollback-safe", &way_back(status));
    row(&mut text, "reload-safe", &safe(&status.reload_safe));
    if !status.store.yes && !status.store.reason.is_empty() {
        row(&mut text, "store", &format!("cannot be written: {}", status.store.reason));
    }
    for edge in &status.edges {
        text += &edge_lines(edge);
    }
    text
}

fn head(status: &Status) -> String {
    let mut text = format!("{}  {}   mode {}   {}", status.environment, status.app, status.mode, status.phase);
    if let Some(release) = status.release {
        let _ = write!(text, "   {release}");
        if let Some(outcome) = &status.outcome {
            let _ = write!(text, " {outcome}");
        }
    }
    text.push('\n');
    // Whatever stands below, nobody may be served.
    for edge in status.edges.iter().filter(|edge| edge.is_dead()) {
        row(&mut text, "EDGE", &format!("{}: {}", edge.name, edge.problem.as_deref().unwrap_or_default()));
    }
    for change in changes(&status.components) {
        row(&mut text, "release", &change);
    }
    if let Some(cause) = &status.cause {
        row(&mut text, "cause", cause);
    }
    if !status.by.is_empty() {
        let since = if status.since.is_empty() { String::new() } else { format!(", since {}", moment(&status.since)) };
        row(&mut text, "by", &format!("{}{since}", status.by));
    }
    if let Some(by) = &status.paused {
        row(&mut text, "paused", &format!("by {by}; teal resume {} ends it", status.environment));
    }
    if !status.emergency.is_empty() {
        let components = status.emergency.join(", ");
        row(&mut text, "EMERGENCY", &format!("{components}: served by a colour that should not serve"));
    }
    if let Some(component) = &status.shared_outage {
        row(&mut text, "OUTAGE", &format!("both colours of {component} fail; nothing is switched"));
    }
    text
}

fn component_lines(component: &ComponentStatus) -> String {
    let mut text = String::new();
    let share = component.share;
    let old = component
        .candidate
        .as_ref()
        .map_or(Share::ALL, |_| Share::ALL.get().checked_sub(share.get()).and_then(Share::new).unwrap_or_default());
    row(&mut text, &component.name, &colour_text(&component.stable, old));
    let Some(candidate) = &component.candidate else { return text };
    row(&mut text, "", &colour_text(candidate, share));
    if let Some(evidence) = &component.evidence {
        let leading = evidence.leading().map(|part| format!("   most of it {}", part.title())).unwrap_or_default();
        let (log_m, threshold) = (figure(evidence.log_m), evidence.threshold);
        row(&mut text, "", &format!("log M {log_m} of {threshold:.1}{leading}   {}", excluded(evidence)));
        if let Some(probed) = probed(evidence) {
            row(&mut text, "", &probed);
        }
        row(&mut text, "", &format!("{} (from {})", usual(component), count(evidence.baseline.n, "request")));
    }
    text
}

fn colour_text(colour: &ColourStatus, share: Share) -> String {
    // What serves is something, whether or not anybody told what yet.
    let is_unknown = colour.wanted == 0 && colour.ready == 0 && share > Share::NONE;
    let version = colour.version.as_deref().unwrap_or(if is_unknown { "unknown" } else { "nothing" });
    let told = || format!("{}/{} ready", colour.ready, colour.wanted);
    let ready = if is_unknown { "readiness not known".to_owned() } else { told() };
    let mut text = format!("{:<5}  {version:<12} {ready}   {share}", colour.colour);
    if colour.requests > 0 {
        let _ = write!(text, "   {}, {} bad", count(colour.requests, "request"), colour.bad);
    }
    if let Some(failure) = &colour.failure {
        let _ = write!(text, "   ({failure})");
    }
    text
}

fn edge_lines(edge: &EdgeStatus) -> String {
    let mut text = String::new();
    let process = match (&edge.version, edge.pid) {
        (Some(version), Some(pid)) => format!("HAProxy {version}, pid {pid}"),
        _ => "cannot be reached".to_owned(),
    };
    let mut line = format!("{process}   evidence {}   drift {}", edge.feed, edge.drift);
    if edge.evidence_lost > 0 {
        let _ = write!(line, "   evidence of {} lost", count(edge.evidence_lost, "request"));
    }
    if edge.old_workers > 0 {
        let _ = write!(line, "   {}", count(edge.old_workers.into(), "old worker"));
    }
    row(&mut text, &edge.name, &line);
    row(&mut text, "", edge.policy.as_deref().unwrap_or("no policy"));
    if let Some(problem) = &edge.problem {
        row(&mut text, "", problem);
    }
    text
}

/// Where Teal only watches, it takes nothing back: a human can.
fn way_back(status: &Status) -> String {
    match (status.mode.known(), status.rollback_safe.yes) {
        (Some(Mode::Observe | Mode::Advise), true) => format!("by hand: {}", by_hand(&status.environment)),
        _ => safe(&status.rollback_safe),
    }
}

fn safe(safe: &Safe) -> String {
    match (safe.yes, safe.reason.as_str()) {
        (true, "") => "yes".to_owned(),
        (true, first) => format!("yes, {first}"),
        // An agent that does not know the question.
        (false, "") => "unknown".to_owned(),
        (false, reason) => format!("no ({reason})"),
    }
}

fn row(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{}", format!("  {name:<13}  {value}").trim_end());
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{deploying, night, rolled_back, watching};
    use super::*;
    use crate::api::{Part, PartKind};

    #[test]
    fn each_phase_shows_what_matters_in_it() {
        let mut trouble = watching();
        trouble.paused = Some("ops@laptop".into());
        trouble.emergency = vec!["web".into()];
        trouble.shared_outage = Some("api".into());
        trouble.store = Safe::no("disk full");
        trouble.reload_safe = Safe::no("the map's file cannot be written: disk full");
        trouble.edges[0] = EdgeStatus {
            name: "edge".into(),
            feed: "lost".into(),
            evidence_lost: 12,
            problem: Some("connection refused".into()),
            ..EdgeStatus::default()
        };
        let mut retaining = rolled_back();
        retaining.phase = Phase::Retaining.into();
        retaining.watch =
            Some(crate::api::WatchStatus { elapsed: 3700.0, min: 86_400.0, max: 86_400.0, deadline: Some(82_700.0) });
        retaining.next = "blue is stopped".into();
        let mut suspicious = watching();
        let evidence = suspicious.components[0].evidence.as_mut().unwrap();
        evidence.log_m = 6.3;
        evidence.parts = vec![
            Part {
                kind: PartKind::Group.into(),
                name: "patients".into(),
                log_m: 8.9,
                threshold: 17.1,
                ..Part::default()
            },
            Part { log_m: 1.1, threshold: 14.9, ..Part::default() },
        ];
        let texts = [
            &Status { environment: "prod".into(), ..Status::default() },
            &deploying(),
            &watching(),
            &suspicious,
            &night(),
            &trouble,
            &rolled_back(),
            &retaining,
        ]
        .map(status);
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn a_status_fits_eighty_columns() {
        for status in [deploying(), watching(), night(), rolled_back()].map(|s| status(&s)) {
            assert!(status.lines().all(|line| line.chars().count() <= 80), "{status}");
        }
    }
}
