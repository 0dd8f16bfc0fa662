//! `teal flags get`: one flag, all that decides in the order in which it decides.

use std::fmt::Write;

use serde_json::json;
use teal_flags::model::{Flag, Kind, Percentage, Prerequisite, Required, Schedule, Timestamp, Variant};

use super::list::tone;
use super::style::{Tone, paint};
use super::table::cut;
use super::words::{ago, moment, on_for, places, rule, state, value};
use super::wrap::{hanging, labelled};

/// Characters of a variant's value that are shown.
const VALUE: usize = 40;

/// The flag.
#[must_use]
pub fn show(flag: &Flag, now: Timestamp) -> String {
    let mut text = format!("{}  {}", paint(Tone::Name, &flag.name), paint(tone(flag), &state(flag)));
    if !flag.environments.is_empty() {
        let _ = write!(text, " in {}", places(&flag.environments));
    }
    text.push('\n');
    if !flag.description.is_empty() {
        text += &hanging("  ", &flag.description);
    }
    text.push('\n');
    text += &gets(flag);
    text += &labelled(
        "where",
        &match flag.environments.as_slice() {
            [] => "everywhere".to_owned(),
            some => format!("{}; off elsewhere", some.join(", ")),
        },
    );
    text += &labelled("needs", &flag.prerequisites.iter().map(needs).collect::<Vec<_>>().join(", "));
    text += &labelled("when", &when(&flag.schedule));
    text += &variants(flag);
    text += &labelled("dealt by", &dealing(flag));
    if flag.kind != Kind::Release {
        let name = Kind::ALL.iter().find(|(kind, _)| *kind == flag.kind).map_or("", |(_, name)| name);
        text += &labelled("kind", name);
    }
    if flag.client_visible {
        text += &labelled("visible", "browsers and mobile applications may be told the answer");
    }
    for (name, unknown) in &flag.extra {
        text += &labelled(name, &unknown.to_string());
    }
    text += &labelled("changed", &changed(flag, now));
    text += &labelled("made", &flag.created_at.map(moment).unwrap_or_default());
    text
}

/// Who gets it: the rules, and what is left.
fn gets(flag: &Flag) -> String {
    if flag.rules.is_empty() && flag.schedule.ramp.is_empty() && !flag.enabled {
        return labelled("who gets it", &format!("nobody; once it is on: {}", users(flag.rollout_percentage)));
    }
    if flag.rules.is_empty() && flag.schedule.ramp.is_empty() {
        return labelled("who gets it", &users(flag.rollout_percentage));
    }
    let title = if flag.enabled {
        "who gets it: the first line that fits"
    } else {
        "who gets it: nobody; once it is on, the first line that fits"
    };
    let mut text = format!("  {}\n", paint(Tone::Faint, title));
    for (number, one) in flag.rules.iter().enumerate() {
        text += &hanging(&format!("  {:>3}. ", number + 1), &rule(one));
    }
    let mark = format!("  {:>3}. ", flag.rules.len() + 1);
    let rest = if flag.rules.is_empty() { "everybody" } else { "everybody else" };
    if flag.schedule.ramp.is_empty() {
        return text + &hanging(&mark, &format!("{rest}: {}", on_for(flag.rollout_percentage)));
    }
    let points: Vec<String> =
        flag.schedule.ramp.iter().map(|point| format!("{} % at {}", point.percentage, moment(point.at))).collect();
    text + &hanging(&mark, &format!("{rest}: growing, {}", points.join(", ")))
}

/// `everybody`, `25 % of users`.
fn users(share: Percentage) -> String {
    match share {
        Percentage::ALL => "everybody".to_owned(),
        Percentage::NONE => "nobody".to_owned(),
        share => format!("{share} % of users"),
    }
}

/// `telehealth on`.
pub(super) fn needs(prerequisite: &Prerequisite) -> String {
    let flag = &prerequisite.flag;
    match &prerequisite.required {
        Required::On => format!("{flag} on"),
        Required::Off => format!("{flag} off"),
        Required::OneOf(variants) => format!("{flag} serving {}", variants.join(" or ")),
    }
}

fn when(schedule: &Schedule) -> String {
    let from = schedule.from.map(|at| format!("from {}", moment(at)));
    let until = schedule.until.map(|at| format!("until {}", moment(at)));
    from.into_iter().chain(until).collect::<Vec<_>>().join(" ")
}

fn variants(flag: &Flag) -> String {
    let total: u64 = flag.variants.iter().map(|variant| u64::from(variant.weight)).sum();
    let mut text = String::new();
    for (number, variant) in flag.variants.iter().enumerate() {
        text += &labelled(if number == 0 { "variants" } else { "" }, &self::variant(variant, Some(total)));
    }
    text + &labelled("while off", flag.off_variant.as_deref().unwrap_or_default())
}

/// `wide = {"columns":3}   weight 2 (67 %)`.
pub(super) fn variant(variant: &Variant, total: Option<u64>) -> String {
    let Variant { name, value: served, weight, .. } = variant;
    let value = if *served == json!(name) { String::new() } else { format!(" = {}", cut(&value(served), VALUE)) };
    let share = match total {
        Some(0) => " (0 %)".to_owned(),
        Some(total) => format!(" ({} %)", (u64::from(*weight) * 200 + total) / (2 * total)),
        None => String::new(),
    };
    format!("{name}{value}   weight {weight}{share}")
}

/// Nothing where it is as usual: salt, function and what is dealt.
fn dealing(flag: &Flag) -> String {
    let mut parts = Vec::new();
    if !flag.stickiness.is_empty() {
        parts.push(flag.stickiness.join(", else "));
    }
    let json = flag.to_value();
    for field in ["salt", "bucketing"] {
        match json.get(field) {
            Some(serde_json::Value::String(text)) => parts.push(format!("{field} {text}")),
            Some(other) => parts.push(format!("{field} {other}")),
            None => {}
        }
    }
    parts.join("; ")
}

fn changed(flag: &Flag, now: Timestamp) -> String {
    let Some(at) = flag.updated_at else { return String::new() };
    format!("{} ({}), version {}", ago(at, now), moment(at), flag.version)
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::{WIDTH, length};
    use super::*;

    #[test]
    fn a_flag_tells_all_that_decides() {
        let read = |json: &str| Flag::from_value(serde_json::from_str(json).unwrap()).unwrap();
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let plain_one = read(
            r#"{"id": 8, "name": "telehealth", "description": "Telehealth", "updated_at": "2026-11-28T07:00:00Z",
                "created_at": "2026-11-01T07:00:00Z", "rollout_percentage": 25}"#,
        );
        let rich = read(
            r#"{"id": 12, "name": "price-page", "enabled": true, "rollout_percentage": 50, "off_variant": "old", "environments": ["prod"],
                "description": "The page with prices, which has been drawn anew by three people, and is told in so many words that a line is too short.",
                "kind": "experiment", "client_visible": true, "salt": "prices", "stickiness": ["clinic", "user_id"],
                "bucketing": {"hash": "md5", "input": "{name}-{user}", "modulo": 100},
                "variants": [{"name": "old", "value": {"columns": 2}, "weight": 0}, {"name": "wide", "value": {"columns": 3}, "weight": 2},
                    {"name": "narrow", "weight": 1}],
                "rules": [
                    {"name": "not for guests", "conditions": [{"attribute": "role", "value": "guest"}], "off": true},
                    {"conditions": [{"segment": "staff"}, {"attribute": "email", "operator": "ends_with", "values": ["@clinic.example", "@another.example"]}], "variant": "wide"},
                    {"percentage": 50, "otherwise": "next", "conditions": [{"attribute": "country", "value": "vn"}], "variants": {"wide": 1, "narrow": 1}}],
                "prerequisites": [{"flag": "telehealth"}, {"flag": "old-billing", "enabled": false}, {"flag": "x", "variants": ["wide", "y"]}],
                "schedule": {"from": "2026-12-01T01:00:00Z", "until": "2027-03-01T00:00:00Z"},
                "version": 5, "updated_at": "2026-11-28T07:00:00Z"}"#,
        );
        let ramp = read(
            r#"{"name": "ramped", "enabled": true, "schedule": {"ramp": [{"at": "2026-12-01T00:00:00Z", "percentage": 1},
                {"at": "2026-12-08T00:00:00Z", "percentage": 100}]}}"#,
        );
        let text: String = [plain_one, rich, ramp].iter().map(|flag| plain(&show(flag, now)) + "\n").collect();
        insta::assert_snapshot!(text);
        assert!(text.lines().all(|line| length(line) <= WIDTH));
    }
}
