//! `teal explain`: why each decision of a release fell.
//!
//! ```text
//! what and how it ended, what failed | each component's evidence, part by part | the time line | what to do next
//! ```

mod story;
mod table;

pub(super) use story::nearest;

use std::fmt::Write;

use teal_rollout::document::Outcome;

use super::words::{by_hand, count, figure, moment, outcome, percent, probed, versions};
use crate::api::{Explanation, Happening, Judgement, Release};

/// The whole explanation; 80 columns where names allow.
#[must_use]
pub fn explain(explanation: &Explanation) -> String {
    let release = &explanation.release;
    let mut text = head(release);
    text += &failed(explanation);
    for judgement in &explanation.judgements {
        text += &judged(judgement);
    }
    text.push('\n');
    text += &story::story(explanation);
    text.push('\n');
    text + &next(explanation)
}

fn head(release: &Release) -> String {
    let outcome = outcome(release);
    let mut text =
        format!("{} {}  {}   {outcome}\n", release.id, release.environment, versions(&release.from, &release.to));
    if !release.by.is_empty() {
        let _ = writeln!(text, "  asked for by {} at {}", release.by, moment(&release.started));
    }
    if let Some(cause) = &release.cause {
        let _ = writeln!(text, "  cause: {cause}");
    }
    text
}

/// What the bad requests have in common, of each component that is suspicious.
fn failed(explanation: &Explanation) -> String {
    let mut text = String::new();
    for Judgement { component, requests, bad, evidence, .. } in &explanation.judgements {
        let slow = evidence.slow.as_ref().map(ToString::to_string);
        let over = evidence.log_m >= evidence.threshold;
        let suspicious = !evidence.suspects.is_empty() || over && (*bad > 0 || slow.is_some());
        if !suspicious {
            continue;
        }
        let nothing = || format!("{bad} of {requests} bad; no route, method or server stands out");
        let mut lines: Vec<String> = slow.into_iter().collect();
        lines.extend(evidence.suspects.iter().map(ToString::to_string));
        if lines.is_empty() {
            lines.push(nothing());
        }
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { component.as_str() } else { "" };
            let _ = writeln!(text, "  {name:<12}  {line}");
        }
    }
    if text.is_empty() { text } else { format!("\nwhat failed\n{text}") }
}

/// A component's evidence: its parts, and what bounds what they can say.
fn judged(judgement: &Judgement) -> String {
    let Judgement { component, requests, bad, evidence, set_aside, set_aside_requests } = judgement;
    let (log_m, threshold) = (evidence.log_m, evidence.threshold);
    let mut text = format!("\nevidence on {component}: {}, {bad} bad", count(*requests, "request"));
    let _ = writeln!(text, "; log M {} of {threshold:.1}", figure(log_m));
    text += &table::parts(evidence);
    if evidence.tempered {
        let _ = writeln!(
            text,
            "  each error counts for less than one: the old colour's come in clusters, D {:.1}",
            evidence.dispersion
        );
    }
    let _ = match evidence.excludable_percent {
        Some(above) => writeln!(text, "  watched well enough to exclude > {}", percent(above)),
        None => writeln!(text, "  too few requests to exclude any error rate"),
    };
    if let Some(probed) = probed(evidence) {
        let _ = writeln!(text, "  {probed}");
    }
    if *set_aside > 0 {
        let of = if set_aside_requests > set_aside { format!(" of {set_aside_requests}") } else { String::new() };
        let _ = writeln!(text, "  {set_aside}{of} requests set aside, bad: the old colour failed too");
    }
    text
}

fn next(explanation: &Explanation) -> String {
    let Explanation { release, events, timeline, .. } = explanation;
    let (id, environment) = (release.id, &release.environment);
    // Moved by somebody else, and Teal only watched.
    let observed = events.iter().any(|event| matches!(event.happening(), Some(Happening::Observed)));
    let undo = if observed { by_hand(environment) } else { format!("teal rollback {environment}") };
    let mut text = String::new();
    match (&release.outcome, &release.ended) {
        (None, None) => {
            let _ = writeln!(text, "  undo: {undo}");
        }
        (Some(outcome), _) if outcome.is(&Outcome::Completed) || outcome.is(&Outcome::Kept) => {
            let _ = writeln!(text, "  undo, while the old colour is kept: {undo}");
        }
        (Some(_), _) if observed => {}
        (Some(_), _) => {
            let _ = writeln!(text, "  next, once it is mended: teal deploy {environment} VERSION");
        }
        // Found bad and left alone.
        (None, Some(_)) => {
            let _ = writeln!(text, "  undo: {undo}");
        }
    }
    if timeline.is_some() {
        let _ = writeln!(text, "  plot: teal explain {id} --env {environment} --svg {id}.svg");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{explained, kept_through_an_outage};
    use super::*;
    use crate::api::{Baseline, Evidence};

    #[test]
    fn a_rollback_is_explained_from_its_cause_to_the_next_command() {
        insta::assert_snapshot!(explain(&explained()));
    }

    #[test]
    fn what_was_set_aside_and_the_windows_of_an_outage_are_told() {
        insta::assert_snapshot!(explain(&kept_through_an_outage()));
    }

    #[test]
    fn an_explanation_fits_eighty_columns() {
        for text in [explained(), kept_through_an_outage()].map(|explanation| explain(&explanation)) {
            let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(long.is_empty(), "{long:#?}");
        }
    }

    #[test]
    fn an_older_agents_explanation_has_less_and_breaks_nothing() {
        let mut explanation = explained();
        explanation.timeline = None;
        let baseline = Baseline { n: 31_000, k: 62, source: "history".into(), p0: 0.0075 };
        let evidence = Evidence { log_m: 15.2, threshold: 14.5, baseline, ..Evidence::default() };
        explanation.judgements.truncate(1);
        explanation.judgements[0].evidence = evidence;
        insta::assert_snapshot!(explain(&explanation));
        assert!(explain(&Explanation::default()).starts_with("r-0000"));
    }
}
