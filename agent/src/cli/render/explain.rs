//! `teal explain`: why each decision of a release fell.

use std::fmt::Write;

use super::words::{count, moment, outcome, percent, probed, versions};
use crate::api::{Explanation, Judgement};

/// The release, its events in order, and the evidence at the last decision.
#[must_use]
pub fn explain(explanation: &Explanation) -> String {
    let release = &explanation.release;
    let outcome = outcome(release);
    let mut text =
        format!("{} {}  {}   {outcome}\n", release.id, release.environment, versions(&release.from, &release.to));
    if !release.by.is_empty() {
        let _ = writeln!(text, "  asked for by {} at {}", release.by, moment(&release.started));
    }
    if let Some(cause) = &release.cause {
        let _ = writeln!(text, "  cause: {cause}");
    }
    text.push('\n');
    for record in &explanation.events {
        // The day stands above; within a release the time of day is what is compared.
        let at = record.at.get(11..23).unwrap_or(&record.at);
        let _ = writeln!(text, "  {at:<12}  {}", record.text);
    }
    if !explanation.judgements.is_empty() {
        text.push('\n');
    }
    for judgement in &explanation.judgements {
        text += &judgement_lines(judgement);
    }
    text
}

fn judgement_lines(judgement: &Judgement) -> String {
    let Judgement { component, requests, bad, evidence, set_aside } = judgement;
    let baseline = &evidence.baseline;
    let mut text = format!("  {component}: {}, {bad} bad", count(*requests, "request"));
    let _ = writeln!(text, "; log M {:.1} of {:.1}", evidence.log_m, evidence.threshold);
    let _ = writeln!(
        text,
        "    compared with p0 {} (baseline: {}, {} of {} bad)",
        percent(baseline.p0 * 100.0),
        baseline.source,
        baseline.k,
        baseline.n
    );
    let _ = match evidence.excludable_percent {
        Some(above) => writeln!(text, "    watched well enough to exclude > {}", percent(above)),
        None => writeln!(text, "    too few requests to exclude any error rate"),
    };
    if let Some(probed) = probed(evidence) {
        let _ = writeln!(text, "    {probed}");
    }
    if *set_aside > 0 {
        let _ = writeln!(text, "    {} set aside: the old colour failed too", count(*set_aside, "bad request"));
    }
    text
}

#[cfg(test)]
mod tests {
    use teal_rollout::document::{Cause, Outcome, Phase};

    use super::super::fixtures::{night, record, watching};
    use super::*;
    use crate::api::{Happening, Release, ReleaseId, Versions};

    #[test]
    fn an_explanation_has_the_events_and_the_evidence() {
        let version = |version: &str| Versions::from([("api".to_owned(), version.to_owned())]);
        let cause = Cause::Errors { component: "api".into() };
        let evidence = Some("6 of 31 requests bad, log M 15.2 of 14.5".to_owned());
        let explanation = Explanation {
            release: Release {
                id: ReleaseId(43),
                environment: "prod".into(),
                from: version("v1.2.2"),
                to: version("v1.2.3"),
                by: "ops@laptop".into(),
                started: "2026-01-02T03:04:05.000Z".into(),
                ended: Some("2026-01-02T03:04:47.000Z".into()),
                outcome: Some(Outcome::RolledBack.into()),
                cause: Some("errors of api".into()),
            },
            events: vec![
                record(0, &Happening::Entered { phase: Phase::Deploying }),
                record(40, &Happening::Bad { cause, evidence }),
            ],
            judgements: vec![
                Judgement {
                    component: "api".into(),
                    requests: 31,
                    bad: 6,
                    evidence: watching().components[0].evidence.clone().unwrap(),
                    set_aside: 3,
                },
                Judgement {
                    component: "web".into(),
                    requests: 3,
                    bad: 0,
                    evidence: night().components[1].evidence.clone().unwrap(),
                    set_aside: 0,
                },
            ],
        };
        insta::assert_snapshot!(explain(&explanation));
    }
}
