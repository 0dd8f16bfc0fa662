//! The rows of one component: the traffic of each colour, and the evidence against the new one.

use anstyle::{AnsiColor, Style};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::Phase;

use super::super::line::Line;
use super::super::words::{count, figure, percent, probed};
use super::grid::{Grid, Row};
use crate::api::{ColourStatus, ComponentStatus, Evidence, Known, Status};

/// Part of the threshold from which the evidence is drawn in red.
const ALARMING: f64 = 0.5;

pub(super) fn rows(grid: &mut Grid, component: &ComponentStatus, status: &Status) {
    let ComponentStatus { stable, candidate, share, evidence, .. } = component;
    let judged = !status.phase.is(&Phase::Deploying) && !status.phase.is(&Phase::Smoke);
    let evidence = evidence.as_ref().filter(|_| judged && candidate.is_some());
    let rest = Share::ALL.get() - share.get();
    let old = if candidate.is_some() { Share::new(rest).unwrap_or_default() } else { Share::ALL };
    let usual = evidence.map(usual);
    grid.row(colour(component.name.clone(), stable, "nothing", old, usual.map(Line::of)));
    let Some(candidate) = candidate else { return };
    let seen = (candidate.requests > 0).then(|| {
        let bad = format!("{} bad", candidate.bad);
        let style = if candidate.bad > 0 { AnsiColor::Red.on_default().bold() } else { Style::new() };
        Line::of(format!("{}, ", count(candidate.requests, "request"))).styled(style, bad)
    });
    // Of a colour that was asked in this release and taken back, nothing is left.
    let nothing = if seen.is_some() { "stopped" } else { "nothing" };
    grid.row(colour(String::new(), candidate, nothing, *share, seen));
    let Some(evidence) = evidence else { return };
    grid.row(log_m(evidence, stable, status));
    if let Some(part) = evidence.leading() {
        grid.note(Line::of(format!("most of it: {}", part.title())));
    }
    if let Some(probed) = probed(evidence) {
        grid.note(Line::of(probed));
    }
}

/// `api  green v1.2.3  ━━━━━━━━  100 %  150 requests, 0 bad`; `nothing` where it has no version, `seen` where all its
/// instances are ready.
fn colour(name: String, colour: &ColourStatus, nothing: &str, share: Share, seen: Option<Line>) -> Row {
    let ColourStatus { ready, wanted, failure, version, .. } = colour;
    let version = version.as_deref().unwrap_or(nothing);
    let readiness = || match failure {
        Some(failure) => format!("{ready}/{wanted} ready ({failure})"),
        None if *wanted > 0 => format!("{ready}/{wanted} ready"),
        None => String::new(),
    };
    let tail = seen.filter(|_| ready >= wanted).unwrap_or_else(|| Line::of(readiness()));
    Row {
        mark: "",
        name,
        label: format!("{:<5} {version}", colour.colour),
        bar: Some((share.fraction(), style(&colour.colour))),
        figure: Line::of(share.to_string()),
        tail,
    }
}

/// The palette's dark blue cannot be read on black, nor its bright green on white.
fn style(colour: &Known<Colour>) -> Style {
    match colour.known() {
        Some(Colour::Blue) => AnsiColor::BrightBlue.on_default(),
        Some(Colour::Green) => AnsiColor::Green.on_default(),
        None => Style::new(),
    }
}

/// `log M -1.9  ──────── of 14.5  could exclude > 6.1 %`: full is bad.
fn log_m(evidence: &Evidence, stable: &ColourStatus, status: &Status) -> Row {
    let full = if evidence.threshold > 0.0 { evidence.log_m / evidence.threshold } else { 0.0 };
    let colour = if full >= ALARMING { AnsiColor::Red } else { AnsiColor::Yellow };
    let tail = if full >= 1.0 {
        let asks = status.phase.is(&Phase::Watching);
        let text = if asks { format!("over: {} is asked too", stable.colour) } else { "over: bad".to_owned() };
        Line::default().styled(AnsiColor::Red.on_default().bold(), text)
    } else {
        let excludable = evidence.excludable_percent;
        Line::of(excludable.map_or("nothing excluded yet".to_owned(), |p| format!("could exclude > {}", percent(p))))
    };
    Row {
        mark: "",
        name: String::new(),
        label: format!("log M {}", figure(evidence.log_m)),
        bar: Some((full, colour.on_default())),
        figure: Line::of(format!("of {:.1}", evidence.threshold)),
        tail,
    }
}

/// What the old colour is known to do, or what is put up with.
fn usual(evidence: &Evidence) -> String {
    let baseline = &evidence.baseline;
    if baseline.source == "policy" || baseline.n == 0 {
        return format!("up to {} bad is fine", percent(baseline.p0 * 100.0));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate to two digits")]
    let rate = baseline.k as f64 / baseline.n as f64;
    format!("usually {} bad", percent(rate * 100.0))
}
