//! One field of a flag or segment as JSON, in words.

use serde_json::Value;
use teal_flags::model::{Flag, Segment};

use super::show::{needs, variant};
use super::words::{conditions, places, rule, value};

/// A field in words: one text, or a line for each member.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    One(String),
    Many(Vec<String>),
}

impl Told {
    pub(super) fn many(self) -> Vec<String> {
        match self {
            Self::Many(lines) => lines,
            Self::One(text) if text == NOTHING => Vec::new(),
            Self::One(text) => vec![text],
        }
    }
}

/// No text reads so: it would be in quotes.
const NOTHING: &str = "(nothing)";

/// The field of this JSON, or what its absence means.
pub(super) fn told(field: &str, json: &Value) -> Told {
    let given = json.get(field).filter(|value| !value.is_null());
    let switch = |yes: &str, no: &str| Told::One(if given == Some(&Value::Bool(true)) { yes } else { no }.to_owned());
    match field {
        "enabled" => switch("on", "off"),
        "archived" | "client_visible" => switch("yes", "no"),
        "rollout_percentage" => Told::One(format!("{} %", given.map_or_else(|| "100".to_owned(), value))),
        "environments" => Told::One(places(&texts(given))),
        "salt" => Told::One(given.or_else(|| json.get("name")).map_or_else(|| NOTHING.to_owned(), value)),
        "kind" => Told::One(given.map_or_else(|| "release".to_owned(), value)),
        "bucketing" => Told::One(given.map_or_else(|| "teal1".to_owned(), value)),
        "stickiness" => Told::One(match given {
            Some(Value::Array(_)) => texts(given).join(", else "),
            Some(one) => value(one),
            None => "user_id".to_owned(),
        }),
        "description" => Told::One(given.map_or_else(|| NOTHING.to_owned(), Value::to_string)),
        "rules" | "variants" | "prerequisites" => Told::Many(of_flag(field, json, given)),
        "include" | "exclude" => Told::Many(texts(given)),
        "any" => Told::Many(groups(json, given)),
        _ => match given {
            None => Told::One(NOTHING.to_owned()),
            Some(given) => Told::One(value(given)),
        },
    }
}

/// Each rule, variant or prerequisite; as JSON where this version cannot read the flag.
fn of_flag(field: &str, json: &Value, given: Option<&Value>) -> Vec<String> {
    let Ok(flag) = Flag::from_value(json.clone()) else { return members(given) };
    match field {
        "rules" => flag.rules.iter().map(rule).collect(),
        "variants" => flag.variants.iter().map(|one| variant(one, None)).collect(),
        _ => flag.prerequisites.iter().map(needs).collect(),
    }
}

fn groups(json: &Value, given: Option<&Value>) -> Vec<String> {
    let Ok(segment) = Segment::from_value(json.clone()) else { return members(given) };
    segment.any.iter().map(|group| conditions(group)).collect()
}

fn members(given: Option<&Value>) -> Vec<String> {
    given.and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect()
}

fn texts(given: Option<&Value>) -> Vec<String> {
    let members = given.and_then(Value::as_array).into_iter().flatten();
    members.map(|member| member.as_str().map_or_else(|| member.to_string(), str::to_owned)).collect()
}
