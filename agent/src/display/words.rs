//! Small pieces of text that several views share.

use std::collections::BTreeMap;

use teal_rollout::settings::Mode;

use crate::api::{ComponentStatus, Evidence, Known, Probes, Release, Versions};

/// Seconds as `03:12`, or `1:02:03` from an hour on.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = whole(seconds);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// Seconds as people say them: `0.4 ms`, `1.9 s`, `23 s`, `5 min`, `2 h 10 min`.
pub(crate) fn span(seconds: f64) -> String {
    let whole = whole(seconds.round());
    match seconds {
        s if s < 0.1 => format!("{:.1} ms", s * 1000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{whole} s"),
        s if s < 7200.0 => format!("{} min", whole / 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Whole seconds; a negative time is none.
#[expect(clippy::cast_possible_truncation, reason = "a float too large becomes the largest number")]
fn whole(seconds: f64) -> u64 {
    seconds.max(0.0) as u64
}

/// `2026-01-02 03:04:05Z` from a time of the wire.
pub(crate) fn moment(at: &str) -> String {
    match (at.get(..10), at.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time}Z"),
        _ => at.to_owned(),
    }
}

/// How a release ended. One that was only observed and found bad has no end of its own: it is somebody else's.
pub(crate) fn outcome(release: &Release) -> String {
    match (&release.outcome, &release.ended) {
        (Some(outcome), _) => outcome.to_string(),
        (None, Some(_)) => "would go back".to_owned(),
        (None, None) => "under way".to_owned(),
    }
}

/// A fraction in percent with as many digits as tell something: `0.2 %`, `6.1 %`, `51 %`.
pub(crate) fn percent(percent: f64) -> String {
    let digits = match percent {
        p if p >= 10.0 => 0,
        p if p >= 0.1 => 1,
        _ => 3,
    };
    let text = format!("{percent:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

/// A logarithm with one decimal, never `-0.0`.
pub(crate) fn figure(number: f64) -> String {
    let text = format!("{number:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// What so many requests of users exclude: `could exclude > 6.1 %`.
pub(crate) fn excluded(evidence: &Evidence) -> String {
    evidence
        .excludable_percent
        .map_or_else(|| "too few to exclude any error rate".to_owned(), |p| format!("could exclude > {}", percent(p)))
}

/// What Teal's own requests have shown: `60 probes, 0 failed: excludes > 39 % of what is probed`.
pub(crate) fn probed(evidence: &Evidence) -> Option<String> {
    let Probes { sent, failed, excludable_percent } = evidence.probes.as_ref().filter(|probes| probes.sent > 0)?;
    let excludes = match excludable_percent {
        Some(above) => format!("excludes > {} of what is probed", percent(*above)),
        None => "too few to exclude anything".to_owned(),
    };
    Some(format!("{}, {failed} failed: {excludes}", count(*sent, "probe")))
}

/// `1 request`, `2 requests`.
pub(crate) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What takes traffic back: Teal where it acts, else the human who moved it by hand.
pub(crate) fn undo(mode: &Known<Mode>, environment: &str) -> String {
    match mode.known() {
        Some(Mode::Observe | Mode::Advise) => by_hand(environment),
        Some(Mode::Act) | None => format!("teal rollback {environment}"),
    }
}

/// The same where Teal only watches.
pub(crate) fn by_hand(environment: &str) -> String {
    format!("teal edge force {environment} back --reason \"why\"")
}

/// What changes, components with the same change together: `api,web v1.2.2 -> v1.2.3   blue -> green`.
pub(crate) fn changes(components: &[ComponentStatus]) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for component in components {
        let Some(candidate) = &component.candidate else { continue };
        let stable = &component.stable;
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "nothing".to_owned());
        let released = if candidate.version.is_some() { &candidate.version } else { &component.released };
        let (from, to) = (version(&stable.version), version(released));
        let text = format!("{from} -> {to}   {} -> {}", stable.colour, candidate.colour);
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(&component.name),
            None => groups.push((text, vec![&component.name])),
        }
    }
    groups.into_iter().map(|(text, names)| format!("{} {text}", names.join(","))).collect()
}

/// The same from versions alone: `api,web v1.2.2 -> v1.2.3`.
pub(crate) fn versions(from: &Versions, to: &Versions) -> String {
    let mut groups: BTreeMap<(Option<&String>, &String), Vec<&str>> = BTreeMap::new();
    for (component, version) in to {
        groups.entry((from.get(component), version)).or_default().push(component);
    }
    let mut parts: Vec<String> = groups
        .into_iter()
        .map(|((from, to), names)| match from {
            Some(from) => format!("{} {from} -> {to}", names.join(",")),
            None => format!("{} {to}", names.join(",")),
        })
        .collect();
    parts.sort();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(clock(192.9), "03:12");
        assert_eq!(clock(3723.0), "1:02:03");
        assert_eq!(clock(-1.0), "00:00");
        for (seconds, text) in [
            (0.000_412, "0.4 ms"),
            (0.143, "143 ms"),
            (1.94, "1.9 s"),
            (23.4, "23 s"),
            (300.0, "5 min"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(moment("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05Z");
        assert_eq!(moment("soon"), "soon");
    }

    #[test]
    fn percentages_have_the_digits_that_tell_something() {
        for (number, text) in
            [(0.2, "0.2 %"), (6.14, "6.1 %"), (51.3, "51 %"), (0.0, "0 %"), (0.05, "0.05 %"), (100.0, "100 %")]
        {
            assert_eq!(percent(number), text);
        }
    }
}
