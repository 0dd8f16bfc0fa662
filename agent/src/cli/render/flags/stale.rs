//! `teal flags stale`: flags that can go, and what to do with each.

use teal_flags::model::Timestamp;

use super::style::{Tone, paint};
use super::table::{Cell, Column, Kind, lines};
use super::words::ago;
use super::wrap::hanging;
use crate::client::flags::{Stale, StaleFlag};

const COLUMNS: [Column; 4] = [
    Column { title: "FLAG", most: 30, kind: Kind::Name },
    Column { title: "WHY", most: 24, kind: Kind::Text },
    Column { title: "SINCE", most: 10, kind: Kind::Text },
    Column { title: "LAST ASKED", most: 10, kind: Kind::Text },
];

/// The table with an advice below each, and what it rests on.
#[must_use]
pub fn stale(report: &Stale, now: Timestamp) -> String {
    let days = report.days;
    let Some(remembered) = report.remembered_since.as_deref() else {
        return "no application has told yet what it asked for: nothing can be said of any flag\n".to_owned();
    };
    if report.flags.is_empty() {
        return format!("ok  each flag is asked for, and was changed or differs, within {days} days\n");
    }
    let rows: Vec<[Cell; 4]> = report.flags.iter().map(|flag| row(flag, now)).collect();
    let (mut text, rows) = lines(COLUMNS, &rows);
    for (row, flag) in rows.iter().zip(&report.flags) {
        text += row;
        text += &hanging("    ", &flag.advice);
    }
    if report.flags.iter().any(|flag| !flag.sure) {
        let since = remembered.get(..10).unwrap_or(remembered);
        let note = format!("? not sure: what applications ask for is remembered since {since} only");
        text += &format!("{}\n", paint(Tone::Faint, &note));
    }
    text
}

fn row(flag: &StaleFlag, now: Timestamp) -> [Cell; 4] {
    let StaleFlag { name, finding, since, sure, last_asked, variants, .. } = flag;
    let served = |variant: &Option<String>| variant.clone().unwrap_or_else(|| "their default".to_owned());
    let why = match finding.as_str() {
        "not_asked" if last_asked.is_none() => "never asked for".to_owned(),
        "not_asked" => "not asked for".to_owned(),
        "constant" => format!("all get {}", variants.iter().map(served).collect::<Vec<_>>().join(", ")),
        other => other.to_owned(),
    };
    let doubt = if *sure { "" } else { " ?" };
    [
        Cell(Tone::Name, name.clone()),
        Cell(if *sure { Tone::Mild } else { Tone::Plain }, format!("{why}{doubt}")),
        day(Some(since), now).into(),
        Cell(Tone::Faint, day(last_asked.as_deref(), now)),
    ]
}

fn day(at: Option<&str>, now: Timestamp) -> String {
    let Some(at) = at else { return "never".to_owned() };
    at.parse().map_or_else(|_| at.to_owned(), |at| ago(at, now))
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::{WIDTH, length};
    use super::*;

    #[test]
    fn each_flag_that_can_go_says_why_and_what_to_do() {
        let flag = |name: &str, finding: &str, sure: bool, last: Option<&str>, variants: &[Option<&str>]| {
            StaleFlag {
            name: name.into(),
            finding: finding.into(),
            since: "2026-10-01T00:00:00Z".into(),
            sure,
            last_asked: last.map(str::to_owned),
            variants: variants.iter().map(|one| one.map(str::to_owned)).collect(),
            advice: "everybody gets `on`: keep only that way in the code, then delete the flag, once no version that asks for it runs".into(),
            ..StaleFlag::default()
        }
        };
        let report = Stale {
            days: 30,
            remembered_since: Some("2026-11-20T00:00:00Z".into()),
            flags: vec![
                flag("telehealth", "constant", true, Some("2026-11-28T09:00:00Z"), &[Some("on")]),
                flag("a_very_long_name_of_a_flag_that_somebody_made_up", "not_asked", false, None, &[]),
                flag("old-billing", "constant", false, Some("2026-11-28T09:00:00Z"), &[None]),
            ],
            ..Stale::default()
        };
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let none = Stale { flags: Vec::new(), ..report.clone() };
        let silent = Stale::default();
        let text = plain(&[stale(&report, now), stale(&none, now), stale(&silent, now)].join("---\n"));
        insta::assert_snapshot!(text);
        assert!(text.lines().all(|line| length(line) <= WIDTH), "{text}");
    }
}
