//! `teal flags check`: what a flag answers to one user, and to how many of many.

use std::collections::BTreeMap;

use serde_json::Value;

use super::style::{Tone, paint};
use super::table::{Cell, Column, Kind, table};
use super::words::value;
use super::wrap::labelled;
use crate::client::flags::Checked;

/// What is served, why, and to how many: the key of a count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// The variant's name; none where the caller's default counts.
    pub variant: Option<String>,
    /// In OpenFeature's words, or the error's.
    pub reason: String,
}

/// One answer.
#[must_use]
pub fn check(checked: &Checked, user: Option<&str>, environment: Option<&str>) -> String {
    let tone = if checked.enabled { Tone::Good } else { Tone::Faint };
    let whom = user.map_or_else(|| "somebody unknown".to_owned(), str::to_owned);
    let place = environment.map(|name| format!(" in {name}")).unwrap_or_default();
    let state = if checked.enabled { "on" } else { "off" };
    let mut text = format!("{} is {} for {whom}{place}\n", paint(Tone::Name, &checked.name), paint(tone, state));
    let served = match &checked.value {
        Value::Null => "the caller's default".to_owned(),
        served => value(served),
    };
    text += &labelled("value", &served);
    text += &labelled("variant", checked.variant.as_deref().unwrap_or_default());
    text += &labelled("because", &because(checked.error.as_deref().unwrap_or(&checked.reason)));
    text += &labelled("version", &checked.version.to_string());
    text
}

/// OpenFeature's word, and what it means here.
fn because(reason: &str) -> String {
    let means = match reason {
        "STATIC" => "it serves everybody the same",
        "DEFAULT" => "no rule fits",
        "TARGETING_MATCH" => "a rule fits",
        "SPLIT" => "the user's bucket decides",
        "DISABLED" => {
            "it is off for everybody here: switched off, for other environments, outside its schedule, or a flag that it needs does not hold"
        }
        "TARGETING_KEY_MISSING" => "it is for a share of users, and nothing says which user this is: --user",
        "PARSE_ERROR" => "it cannot be used: a circle of needs, or a segment that is not there",
        "FLAG_NOT_FOUND" => "there is no such flag",
        other => return other.to_owned(),
    };
    format!("{reason}: {means}")
}

const COLUMNS: [Column; 4] = [
    Column { title: "SERVED", most: 40, kind: Kind::Name },
    Column { title: "USERS", most: 12, kind: Kind::Number },
    Column { title: "SHARE", most: 9, kind: Kind::Number },
    Column { title: "BECAUSE", most: 40, kind: Kind::Text },
];

/// How many users are served what.
#[must_use]
pub fn counts(flag: &str, environment: Option<&str>, counts: &BTreeMap<Answer, u64>) -> String {
    let total: u64 = counts.values().sum();
    let mut sorted: Vec<(&Answer, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let row = |(Answer { variant, reason }, count): &(&Answer, &u64)| -> [Cell; 4] {
        let served = variant.clone().unwrap_or_else(|| "the caller's default".to_owned());
        [Cell(Tone::Name, served), count.to_string().into(), share(**count, total).into(), reason.clone().into()]
    };
    let place = environment.map(|name| format!(" in {name}")).unwrap_or_default();
    let rows: Vec<[Cell; 4]> = sorted.iter().map(row).collect();
    format!("{}{place}, {total} users\n{}", paint(Tone::Name, flag), table(COLUMNS, &rows))
}

/// `25.4 %`.
fn share(count: u64, total: u64) -> String {
    if total == 0 {
        return String::new();
    }
    let thousandths = count.saturating_mul(1000) / total;
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::{WIDTH, length};
    use super::*;

    #[test]
    fn an_answer_says_why_and_many_are_counted() {
        let on = Checked {
            name: "telehealth".into(),
            enabled: true,
            value: Value::Bool(true),
            variant: Some("on".into()),
            reason: "SPLIT".into(),
            version: 5,
            ..Checked::default()
        };
        let nobody = Checked {
            name: "telehealth".into(),
            reason: "ERROR".into(),
            error: Some("TARGETING_KEY_MISSING".into()),
            ..Checked::default()
        };
        let off =
            Checked { reason: "DISABLED".into(), variant: Some("off".into()), value: false.into(), ..nobody.clone() };
        let off = Checked { error: None, ..off };
        let answer =
            |variant: Option<&str>, reason: &str| Answer { variant: variant.map(str::to_owned), reason: reason.into() };
        let counted = BTreeMap::from([
            (answer(Some("off"), "SPLIT"), 751),
            (answer(Some("on"), "SPLIT"), 248),
            (answer(None, "TARGETING_KEY_MISSING"), 1),
        ]);
        let text = [
            check(&on, Some("user-7"), Some("prod")),
            check(&nobody, None, None),
            check(&off, Some("user-7"), None),
            counts("telehealth", Some("prod"), &counted),
        ]
        .join("---\n");
        insta::assert_snapshot!(plain(&text));
        assert!(plain(&text).lines().all(|line| length(line) <= WIDTH));
    }
}
