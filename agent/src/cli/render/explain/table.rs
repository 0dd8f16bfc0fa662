//! The parts of a component's evidence as a small table.

use std::fmt::Write;

use super::super::words::{figure, percent};
use crate::api::{Baseline, Evidence, Part, PartKind};

/// Parts that are shown; routes beyond them are counted.
const MOST: usize = 6;

/// A line a part, the one that carries most of M first.
pub(super) fn parts(evidence: &Evidence) -> String {
    if evidence.parts.is_empty() {
        // An agent that does not tell parts.
        return format!("  compared with {}\n", compared(&evidence.baseline));
    }
    let mut text = String::new();
    row(&mut text, ["part", "weight", "seen", "bad", "compared with", "log M", "of"]);
    // The errors of all requests are what everybody looks for; of a route without a request there is nothing to say.
    let mut room = MOST - 1;
    let shown: Vec<&Part> = evidence
        .parts
        .iter()
        .filter(|part| {
            let is_errors = part.kind.is(&PartKind::Errors);
            let fits = is_errors || part.seen.requests > 0 && room > 0;
            room -= usize::from(fits && !is_errors);
            fits
        })
        .collect();
    for part in &shown {
        let Part { weight, log_m, threshold, seen, baseline, .. } = part;
        row(
            &mut text,
            [
                &short(part.title()),
                &percent(weight * 100.0),
                &seen.requests.to_string(),
                &seen.bad.to_string(),
                &compared(baseline),
                &figure(*log_m),
                &format!("{threshold:.1}"),
            ],
        );
    }
    match evidence.parts.len() - shown.len() {
        0 => {}
        1 => text.push_str("  and one route of which nothing is to be said\n"),
        more => {
            let _ = writeln!(text, "  and {more} routes of which less is to be said");
        }
    }
    text
}

fn row(text: &mut String, [part, weight, seen, bad, compared, log_m, of]: [&str; 7]) {
    let _ = writeln!(text, "  {part:<16} {weight:>6}{seen:>8}{bad:>6}  {compared:<27}{log_m:>6}{of:>6}");
}

/// Of a long name the beginning.
fn short(title: String) -> String {
    if title.chars().count() <= 16 { title } else { title.chars().take(15).chain(['~']).collect() }
}

/// `0.75 %, history 62/31000`.
fn compared(baseline: &Baseline) -> String {
    let Baseline { n, k, source, p0 } = baseline;
    let counts = format!("{k}/{n}");
    match source.as_str() {
        "history" => format!("{}, history {counts}", rate(*p0)),
        "policy" if *n > 0 => format!("{}, policy; {counts} known", rate(*p0)),
        "policy" => format!("{}, policy", rate(*p0)),
        "waits" => format!("{}, {n} waits", rate(*p0)),
        other if *p0 > 0.0 => format!("{}, {other} {counts}", rate(*p0)),
        other => format!("{other} {counts}"),
    }
}

/// A small rate in percent, two digits that tell something: `0.75 %`, `2.6 %`, `15 %`.
fn rate(rate: f64) -> String {
    let percent = rate * 100.0;
    let digits = if percent >= 10.0 {
        0
    } else if percent >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{percent:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}
