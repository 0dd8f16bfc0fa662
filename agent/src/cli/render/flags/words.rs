//! Conditions, rules and moments in words.

use serde_json::Value;
use teal_flags::model::{Condition, Flag, Operator, Otherwise, Percentage, Rule, Serve, Test, Timestamp};

/// Values of a condition that are written out.
const WRITTEN_OUT: usize = 5;

/// Who has a flag, in two or three words: `on`, `on for 25 %`, `off`, `archived`.
pub(super) fn state(flag: &Flag) -> String {
    if flag.archived {
        return "archived".to_owned();
    }
    if !flag.enabled {
        return "off".to_owned();
    }
    match (flag.schedule.ramp.first(), flag.schedule.ramp.last()) {
        (Some(first), Some(last)) => format!("on for {} -> {} %", first.percentage, last.percentage),
        _ => on_for(flag.rollout_percentage),
    }
}

/// [`state`] where there is little room: `on 25 %`.
pub(super) fn brief(flag: &Flag) -> String {
    if flag.enabled && !flag.archived && !flag.schedule.ramp.is_empty() {
        return "on, growing".to_owned();
    }
    state(flag).replace("on for", "on")
}

/// `on`, `off`, `on for 25 %`.
pub(super) fn on_for(share: Percentage) -> String {
    match share {
        Percentage::ALL => "on".to_owned(),
        Percentage::NONE => "off".to_owned(),
        share => format!("on for {share} %"),
    }
}

/// `role is guest and clinic is hcm-3 or hn-1: off`.
pub(super) fn rule(rule: &Rule) -> String {
    let who = conditions(&rule.conditions);
    let what = match &rule.serve {
        Serve::Flag => "on".to_owned(),
        Serve::Variant(variant) => variant.clone(),
        Serve::Split(split) => {
            let parts: Vec<String> = split.iter().map(|(name, weight)| format!("{name} {weight}")).collect();
            format!("dealt {}", parts.join(", "))
        }
        Serve::Off => "off".to_owned(),
    };
    let others = match rule.otherwise {
        Otherwise::Off => "the others off",
        Otherwise::Next => "the others go on",
    };
    let what = match rule.percentage {
        Percentage::ALL => what,
        share => format!("{what} for {share} %, {others}"),
    };
    let name = if rule.name.is_empty() { String::new() } else { format!("   ({})", rule.name) };
    format!("{who}: {what}{name}")
}

/// All of them, joined by `and`.
pub(super) fn conditions(conditions: &[Condition]) -> String {
    if conditions.is_empty() {
        return "everybody".to_owned();
    }
    conditions.iter().map(condition).collect::<Vec<_>>().join(" and ")
}

fn condition(condition: &Condition) -> String {
    let text = match &condition.test {
        Test::Segment(segment) if condition.negate => return format!("not in the segment {segment}"),
        Test::Segment(segment) => return format!("in the segment {segment}"),
        Test::Attribute { attribute, operator, values, ignore_case } => {
            let case = if *ignore_case { " (any case)" } else { "" };
            match (operator, condition.negate) {
                (Operator::Exists, false) => return format!("has {attribute}"),
                (Operator::Exists, true) => return format!("has no {attribute}"),
                (Operator::In, true) => return format!("{attribute} is not {}{case}", any(values)),
                _ => format!("{attribute} {} {}{case}", relation(*operator), any(values)),
            }
        }
    };
    if condition.negate { format!("not ({text})") } else { text }
}

const fn relation(operator: Operator) -> &'static str {
    match operator {
        Operator::Exists => "exists",
        Operator::In => "is",
        Operator::StartsWith => "starts with",
        Operator::EndsWith => "ends with",
        Operator::Contains => "contains",
        Operator::Matches => "matches",
        Operator::Equal => "=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::SemverEqual => "is version",
        Operator::SemverLess => "is older than version",
        Operator::SemverLessOrEqual => "is at most version",
        Operator::SemverGreater => "is newer than version",
        Operator::SemverGreaterOrEqual => "is at least version",
        Operator::Before => "is before",
        Operator::After => "is at or after",
        Operator::Cidr => "is within",
    }
}

/// `a, b or c`; of many values some, and how many there are.
fn any(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().take(WRITTEN_OUT).map(value).collect();
    if values.len() > WRITTEN_OUT {
        return format!("one of {} values ({}, ...)", values.len(), texts.join(", "));
    }
    match texts.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// A text as it is where that is clear, otherwise as JSON.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) if is_clear(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a text can stand without quotes and be taken for nothing else.
fn is_clear(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | ',' | '(' | ')');
    !text.is_empty() && text.chars().all(plain) && serde_json::from_str::<Value>(text).is_err()
}

/// Where it applies: `everywhere`, `prod`, `dev, staging`.
pub(super) fn places(environments: &[String]) -> String {
    if environments.is_empty() { "everywhere".to_owned() } else { environments.join(", ") }
}

/// `3 h ago`, up to a month; then the day.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.millis() - at.millis()) / 1000;
    match seconds {
        ..0 => moment(at),
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        172_800..2_592_000 => format!("{} d ago", seconds / 86_400),
        _ => at.to_string().get(..10).unwrap_or_default().to_owned(),
    }
}

/// `2026-01-02 03:04:05Z`.
pub(super) fn moment(at: Timestamp) -> String {
    super::super::words::moment(&at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rule: &str) -> Rule {
        let flag: Value =
            serde_json::from_str(&format!(r#"{{"name":"f","variants":[{{"name":"wide"}}],"rules":[{rule}]}}"#))
                .unwrap();
        Flag::from_value(flag).unwrap().rules.remove(0)
    }

    #[test]
    fn each_rule_reads_as_a_sentence() {
        let check = |json: &str, expected: &str| assert_eq!(rule(&read(json)), expected);
        check(r#"{}"#, "everybody: on");
        check(
            r#"{"off": true, "conditions": [{"segment": "staff", "negate": true}]}"#,
            "not in the segment staff: off",
        );
        check(
            r#"{"name": "our clinics", "conditions": [{"attribute": "clinic", "values": ["hcm-3", "hn-1", "a b"]}]}"#,
            "clinic is hcm-3, hn-1 or \"a b\": on   (our clinics)",
        );
        check(
            r#"{"percentage": 12.5, "otherwise": "next", "variant": "wide", "conditions": [
                {"attribute": "age", "operator": "lt", "value": 18, "negate": true}, {"attribute": "vip", "operator": "exists"}]}"#,
            "not (age < 18) and has vip: wide for 12.5 %, the others go on",
        );
        check(
            r#"{"variants": {"wide": 2}, "percentage": 1, "conditions": [
                {"attribute": "v", "operator": "semver_gte", "value": "2.4.0"}]}"#,
            "v is at least version 2.4.0: dealt wide 2 for 1 %, the others off",
        );
        check(
            r#"{"conditions": [{"attribute": "user_id", "values": ["1", "2", "3", "4", "5", "6"], "ignore_case": true}]}"#,
            "user_id is one of 6 values (\"1\", \"2\", \"3\", \"4\", \"5\", ...) (any case): on",
        );
        check(r#"{"conditions": [{"attribute": "role", "value": "guest", "negate": true}]}"#, "role is not guest: on");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = Timestamp::from_millis(1_795_849_681_000);
        let check = |seconds: i64, expected: &str| {
            assert_eq!(ago(Timestamp::from_millis(now.millis() - seconds * 1000), now), expected);
        };
        check(5, "just now");
        check(300, "5 min ago");
        check(7_300, "2 h ago");
        check(200_000, "2 d ago");
        check(40 * 86_400, "2026-10-19");
        check(-60, "2026-11-28 07:09:01Z");
    }
}
