//! A release as it goes: a line that stays for each finished phase, and plain text for the one that runs.
//!
//! ```text
//! ok  deploy      api-green 2/2, web-green 1/1               23 s
//! ..  watch 03:12 of 05:00   green 188 requests, 0 bad   blue's usual 0.2 %
//!     log M -1.9 of 14.5   could exclude > 6.1 %   undo: teal rollback prod
//! ```

use teal_rollout::document::{Outcome, Phase};

use super::words::{self, clock, count, figure, percent, probed, span};
use crate::api::{ColourStatus, ComponentStatus, Happening, Record, ReleaseId, Status, WatchStatus, between, why};
use crate::display::standing;

/// What was already said about a release.
#[derive(Clone, Debug)]
pub struct Progress {
    release: ReleaseId,
    phase: Option<(Phase, String)>,
    /// How it ended, once it has.
    pub ended: Option<Happening>,
    /// Whether a human is awaited.
    pub held: bool,
}

impl Progress {
    /// Nothing said yet.
    #[must_use]
    pub fn new(release: ReleaseId) -> Self {
        Self { release, phase: None, ended: None, held: false }
    }

    /// Takes a record and returns the line it is worth, if any. `status` is newer than the record.
    pub fn record(&mut self, record: &Record, status: &Status) -> Option<String> {
        if record.release != self.release {
            return None;
        }
        let Some(happening) = record.happening() else {
            return Some(line("--", "note", &record.text, None));
        };
        let took = self.phase.as_ref().and_then(|(_, since)| between(since, &record.at)).map(span);
        let acknowledged = |took_us: &Option<u64>| took_us.map(|us| span(us as f64 / 1e6));
        match &happening {
            Happening::Entered { phase } => {
                let before = self.phase.replace((*phase, record.at.clone())).map(|(phase, _)| phase);
                self.held = *phase == Phase::Held;
                match (before, phase) {
                    (Some(Phase::Deploying), Phase::Smoke | Phase::Switching) => {
                        Some(line("ok", "deploy", &capacity(status), took))
                    }
                    (_, Phase::Held) => {
                        let environment = &status.environment;
                        let text = format!("a human decides: teal promote {environment} | teal rollback {environment}");
                        Some(line("--", "held", &text, None))
                    }
                    _ => None,
                }
            }
            Happening::Smoke { total: 0, failed: None, .. } => Some(line("--", "smoke", &record.text, None)),
            Happening::Smoke { failed: None, .. } => Some(line("ok", "smoke", after_name(&record.text), took)),
            Happening::Smoke { .. } => Some(line("!!", "smoke", after_name(&record.text), took)),
            Happening::Switched { share, took_us } => {
                let colour = candidate(status).map_or_else(|| "the new colour".to_owned(), |c| c.colour.to_string());
                Some(line("ok", "switch", &format!("{share} on {colour}"), acknowledged(took_us)))
            }
            Happening::Bad { cause, evidence } => {
                let evidence = evidence.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
                Some(line("!!", "bad", &format!("{}{evidence}", why(cause)), took))
            }
            Happening::Back { took_us } => Some(line("ok", "rollback", "the old colour serves", acknowledged(took_us))),
            Happening::Ended { outcome, .. } => {
                let text = match outcome {
                    Outcome::Completed => ("ok", "completed", exclusion(status)),
                    Outcome::Kept => ("--", "kept", kept(status)),
                    Outcome::RolledBack => ("!!", "rolled back", "the old colour serves as before".to_owned()),
                    Outcome::Aborted => ("!!", "aborted", "traffic never moved".to_owned()),
                };
                let probed = match outcome {
                    Outcome::Completed | Outcome::Kept => by_probes(status),
                    Outcome::RolledBack | Outcome::Aborted => String::new(),
                };
                self.ended = Some(happening);
                Some(line(text.0, text.1, &text.2, None) + &probed)
            }
            Happening::Observed
            | Happening::Extended
            | Happening::KeptIn { .. }
            | Happening::SharedOutageOver
            | Happening::EmergencyOver { .. } => Some(line("--", "note", &record.text, None)),
            Happening::Paused { .. } | Happening::Resumed { .. } => Some(line("--", "note", &record.text, None)),
            Happening::ManualAdopted
            | Happening::ManualPutBack
            | Happening::ByHand { .. }
            | Happening::SelectorDrift { .. } => Some(line("--", "by hand", &record.text, None)),
            Happening::ScalingUp { .. } => Some(line("..", "scale up", &record.text, None)),
            Happening::NotScaledUp { .. } => Some(line("!!", "scale up", &record.text, None)),
            Happening::WouldRollBack { .. } | Happening::NoWayBack { .. } => {
                Some(line("!!", "bad", &record.text, None))
            }
            Happening::SharedOutage { .. } | Happening::OutageSuspected { .. } => {
                Some(line("!!", "outage", &record.text, None))
            }
            Happening::Emergency { .. } => Some(line("!!", "emergency", &record.text, None)),
        }
    }
}

/// The phase that runs, in a line or two without bars: what is shown now and then where there is no terminal.
#[must_use]
pub fn live(status: &Status, now: &str) -> String {
    let took = clock(between(&status.since, now).unwrap_or_default());
    let undo = format!("undo: {}", words::undo(&status.mode, &status.environment));
    match (status.phase.known(), &status.watch) {
        (Some(Phase::Watching), Some(watch)) => watch_text(status, watch, &undo),
        (Some(Phase::Deploying), _) => {
            format!("..  deploy {took}   {}   {}", capacity(status), status.next).trim_end().to_owned()
        }
        (Some(Phase::Held), _) => format!("..  held {took}   {}", status.next),
        (Some(Phase::Retaining), Some(watch)) => {
            format!("ok  kept {} of {}   {undo}", clock(watch.elapsed), clock(watch.min))
        }
        _ => standing(status, now),
    }
}

fn line(mark: &str, name: &str, text: &str, took: Option<String>) -> String {
    let took = took.unwrap_or_default();
    format!("{mark}  {name:<11} {text:<41}  {took}").trim_end().to_owned()
}

/// The text of a smoke record without its first word, which the line's name says already.
fn after_name(text: &str) -> &str {
    text.strip_prefix("smoke ").unwrap_or(text)
}

fn candidate(status: &Status) -> Option<&ColourStatus> {
    status.components.iter().find_map(|component| component.candidate.as_ref())
}

/// `api-green 2/2, web-green 1/1`, and why one is not ready.
fn capacity(status: &Status) -> String {
    let part = |component: &ComponentStatus| {
        let ColourStatus { colour, ready, wanted, failure, .. } = component.candidate.as_ref()?;
        let failure = failure.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        Some(format!("{}-{colour} {ready}/{wanted}{failure}", component.name))
    };
    status.components.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

fn watch_text(status: &Status, watch: &WatchStatus, undo: &str) -> String {
    let limit = if watch.elapsed <= watch.min { clock(watch.min) } else { format!("at most {}", clock(watch.max)) };
    let judged = status.components.iter().filter_map(|c| Some((c, c.candidate.as_ref()?)));
    let (requests, bad) = judged.clone().fold((0, 0), |(n, k), (_, c)| (n + c.requests, k + c.bad));
    // The component nearest to its threshold is the one to look at.
    let worst = judged
        .filter_map(|(component, candidate)| Some((component, candidate, component.evidence.as_ref()?)))
        .max_by(|a, b| (a.2.log_m - a.2.threshold).total_cmp(&(b.2.log_m - b.2.threshold)));
    let Some((component, candidate, evidence)) = worst else {
        return format!("..  watch {} of {limit}   no evidence yet\n    {undo}", clock(watch.elapsed));
    };
    let share = if component.share.get() < 100_000 {
        format!("   {} on {}", component.share, candidate.colour)
    } else {
        String::new()
    };
    let name = if status.components.len() > 1 { format!(" ({})", component.name) } else { String::new() };
    let probes = evidence.probes.as_ref().filter(|probes| probes.sent > 0);
    let probes = probes.map(|p| format!("   {}, {} failed", count(p.sent, "probe"), p.failed)).unwrap_or_default();
    let excludable =
        evidence.excludable_percent.map(|p| format!("   could exclude > {}", percent(p))).unwrap_or_default();
    format!(
        "..  watch {} of {limit}{share}   {} {}, {bad} bad   {}\n    log M {} of {:.1}{name}{excludable}{probes}   {undo}",
        clock(watch.elapsed),
        candidate.colour,
        count(requests, "request"),
        usual(component),
        figure(evidence.log_m),
        evidence.threshold,
    )
}

/// `blue's usual 0.2 %`, or what the policy takes for it.
pub(super) fn usual(component: &ComponentStatus) -> String {
    let Some(evidence) = &component.evidence else { return String::new() };
    let baseline = &evidence.baseline;
    if baseline.source == "policy" || baseline.n == 0 {
        format!("tolerated {} (baseline: policy)", percent(baseline.p0 * 100.0))
    } else {
        let rate = baseline.k as f64 / baseline.n as f64;
        format!("{}'s usual {}", component.stable.colour, percent(rate * 100.0))
    }
}

/// How well the release was watched, by the component that was watched least; `None` where that one shows nothing.
fn excludable(status: &Status) -> Option<f64> {
    let each = status.components.iter().filter_map(|c| c.evidence.as_ref()).map(|e| e.excludable_percent);
    each.collect::<Option<Vec<f64>>>()?.into_iter().max_by(f64::total_cmp)
}

fn exclusion(status: &Status) -> String {
    excludable(status).map_or_else(String::new, |p| format!("watched well enough to exclude > {}", percent(p)))
}

fn kept(status: &Status) -> String {
    match excludable(status) {
        Some(above) => format!("too little traffic to prove it good: excludes > {}", percent(above)),
        None => "too little traffic to exclude any error rate".to_owned(),
    }
}

/// What Teal's own requests add to it, a line for each component that had any.
fn by_probes(status: &Status) -> String {
    let several = status.components.iter().filter(|c| c.candidate.is_some()).count() > 1;
    let found = |component: &ComponentStatus| {
        let probed = probed(component.evidence.as_ref()?)?;
        let name = if several { format!("{}: ", component.name) } else { String::new() };
        Some(format!("\n    {name}{probed}"))
    };
    status.components.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use teal_rollout::colour::Share;
    use teal_rollout::document::Cause;

    use super::super::fixtures::{deploying, night, record, rolled_back, watching};
    use super::*;
    use crate::display::headline;

    /// All lines of a release whose records come with the status that follows.
    fn lines(story: &[(u32, Happening, Status)]) -> String {
        let mut progress = Progress::new(ReleaseId(43));
        story
            .iter()
            .filter_map(|(at, happening, status)| progress.record(&record(*at, happening), status))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn beginning() -> Vec<(u32, Happening, Status)> {
        vec![
            (0, Happening::Entered { phase: Phase::Deploying }, deploying()),
            (23, Happening::Entered { phase: Phase::Smoke }, watching()),
            (
                25,
                Happening::Smoke { passed: 7, total: 7, slowest: Some(("bhyt".into(), 143)), failed: None },
                watching(),
            ),
            (25, Happening::Entered { phase: Phase::Switching }, watching()),
            (25, Happening::Switched { share: Share::ALL, took_us: Some(412) }, watching()),
            (25, Happening::Entered { phase: Phase::Watching }, watching()),
        ]
    }

    #[test]
    fn a_good_release_is_a_line_a_phase() {
        let mut story = beginning();
        story.push((325, Happening::Ended { outcome: Outcome::Completed, cause: None }, watching()));
        insta::assert_snapshot!(format!("{}\n{}", headline(&deploying()), lines(&story)));
    }

    #[test]
    fn a_bad_release_says_what_was_seen_and_that_it_is_over() {
        let cause = Cause::Errors { component: "api".into() };
        let mut story = beginning();
        let evidence = Some("6 of 31 requests bad, log M 15.2 of 14.5".to_owned());
        story.push((40, Happening::Bad { cause: cause.clone(), evidence }, watching()));
        story.push((40, Happening::Entered { phase: Phase::RollingBack }, watching()));
        story.push((40, Happening::Back { took_us: Some(380) }, watching()));
        story.push((41, Happening::Ended { outcome: Outcome::RolledBack, cause: Some(cause) }, rolled_back()));
        insta::assert_snapshot!(lines(&story));
    }

    #[test]
    fn a_release_that_hardly_anybody_asked_says_what_was_excluded() {
        let mut story = beginning();
        story.push((1825, Happening::Ended { outcome: Outcome::Kept, cause: None }, night()));
        insta::assert_snapshot!(format!("{}\n\n{}", lines(&story), live(&night(), "2026-01-02T03:14:17.000Z")));
    }

    #[test]
    fn a_release_that_never_moved_traffic_says_so() {
        let cause = Cause::Smoke { reason: "login: expected 200, got 500".into() };
        let failed = Some("login: expected 200, got 500".to_owned());
        let story = [
            (0, Happening::Entered { phase: Phase::Deploying }, deploying()),
            (9, Happening::Entered { phase: Phase::Smoke }, watching()),
            (10, Happening::Smoke { passed: 3, total: 7, slowest: None, failed }, watching()),
            (10, Happening::Ended { outcome: Outcome::Aborted, cause: Some(cause) }, deploying()),
        ];
        insta::assert_snapshot!(lines(&story));
    }

    #[test]
    fn live_text_tells_the_phase_the_evidence_and_the_way_back() {
        let mut starting = deploying();
        starting.components[0].candidate.as_mut().unwrap().failure = Some("exit status 1".into());
        let mut one = watching();
        one.components.truncate(1);
        let mut late = one.clone();
        late.components[0].share = Share::percent(10);
        late.watch.as_mut().unwrap().elapsed = 430.0;
        let evidence = late.components[0].evidence.as_mut().unwrap();
        (evidence.baseline.source, evidence.baseline.p0, evidence.excludable_percent) = ("policy".into(), 0.01, None);
        let mut held = watching();
        held.phase = Phase::Held.into();
        held.next = "a human promotes or rolls back".into();
        let live = |status| live(status, "2026-01-02T03:04:17.000Z");
        let texts = [&starting, &watching(), &one, &late, &held].map(live);
        insta::assert_snapshot!(texts.join("\n\n"));
    }

    #[test]
    fn records_of_other_releases_are_passed_over_and_newer_kinds_are_shown_as_they_are() {
        let mut progress = Progress::new(ReleaseId(44));
        let other = record(1, &Happening::Extended);
        assert_eq!(progress.record(&other, &watching()), None);
        let mut progress = Progress::new(ReleaseId(43));
        let newer = Record { kind: "load_tested".into(), text: "load test passed".into(), ..other };
        assert_eq!(progress.record(&newer, &watching()).as_deref(), Some("--  note        load test passed"));
    }
}
