//! Strategies as rules.

use std::collections::BTreeMap;

use serde_json::Value;

use super::constraint::{Never, attribute, constraints};
use super::variants::is_dealt;
use crate::import::fits;
use crate::import::report::Report;
use crate::model::{Condition, Operator, Percentage, Segment};

/// Whom a strategy lets in: all of these, and of them a share.
pub(super) struct Strategy {
    pub(super) name: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) percentage: Percentage,
    pub(super) salt: String,
    pub(super) stickiness: Vec<String>,
}

/// What is known of the feature that has the strategy.
pub(super) struct Place<'a> {
    pub(super) feature: &'a str,
    pub(super) segments: &'a BTreeMap<String, Option<Segment>>,
}

/// Unleash's own order of attributes where none is named.
fn usual() -> Vec<String> {
    vec!["user_id".to_owned(), "sessionId".to_owned()]
}

/// The attributes that a stickiness of Unleash means; worth a finding only where somebody is dealt by it.
pub(super) fn stickiness(name: Option<&str>, dealt: bool, report: &mut Report) -> Vec<String> {
    match name {
        None | Some("" | "default") => usual(),
        Some("random") => {
            if dealt {
                report.find(
                    "its share or variants are drawn at random for each request",
                    "users are dealt by their id or session, so each keeps one answer; the share stays the same",
                );
            }
            usual()
        }
        Some(name) => vec![attribute(name).to_owned()],
    }
}

/// Neither nobody nor everybody.
pub(super) fn is_share(percentage: Percentage) -> bool {
    ![Percentage::NONE, Percentage::ALL].contains(&percentage)
}

/// Reads a strategy; `Never` is one that lets nobody in.
pub(super) fn strategy(json: &Value, place: &Place<'_>, report: &mut Report) -> Result<Strategy, Never> {
    let kind = json.get("name").and_then(Value::as_str).unwrap_or_default();
    if json.get("disabled").and_then(Value::as_bool) == Some(true) {
        return Err(Never);
    }
    let parameters = Parameters(json.get("parameters"));
    let mut conditions = constraints(json.get("constraints"), report)?;
    conditions.extend(segments(json.get("segments"), place, report)?);
    let title = json.get("title").and_then(Value::as_str).filter(|title| !title.is_empty());
    let mut strategy = Strategy {
        name: title.unwrap_or(kind).to_owned(),
        conditions,
        percentage: Percentage::ALL,
        salt: parameters.text("groupId").filter(|group| !group.is_empty()).unwrap_or_else(|| place.feature.to_owned()),
        stickiness: Vec::new(),
    };
    let mut dealt_by = parameters.text("stickiness");
    match kind {
        "default" => {}
        "userWithId" => strategy.only("user_id", Operator::In, parameters.list("userIds")),
        "remoteAddress" => {
            let (good, bad) =
                parameters.list("IPs").into_iter().partition(|one| fits(Operator::Cidr, &one.as_str().into()));
            let bad: Vec<String> = bad;
            if !bad.is_empty() {
                report.find("some of its addresses are not valid", "they are left out, as in Unleash");
            }
            strategy.only("remoteAddress", Operator::Cidr, good);
        }
        "applicationHostname" => {
            report.find("it asks for the name of the machine", "give that as the attribute `hostname`");
            strategy.only("hostname", Operator::In, parameters.list("hostNames"));
        }
        "flexibleRollout" => strategy.percentage = parameters.percentage("rollout", report)?,
        "gradualRolloutRandom" => {
            strategy.percentage = parameters.percentage("percentage", report)?;
            dealt_by = Some("random".to_owned());
        }
        "gradualRolloutUserId" | "gradualRolloutSessionId" => {
            strategy.percentage = parameters.percentage("percentage", report)?;
            strategy.salt = parameters.text("groupId").unwrap_or_default();
            let attribute = if kind == "gradualRolloutUserId" { "user_id" } else { "sessionId" };
            dealt_by = Some(attribute.to_owned());
        }
        _ => {
            report.find(format_args!("the strategy {kind:?} is not known"), "it lets nobody in");
            return Err(Never);
        }
    }
    let dealt = is_share(strategy.percentage) || is_dealt(json.get("variants"));
    strategy.stickiness = stickiness(dealt_by.as_deref(), dealt, report);
    let named = dealt_by.filter(|name| !["", "default", "random"].contains(&name.as_str()));
    if let Some(name) = named.filter(|_| strategy.percentage == Percentage::ALL) {
        // Everybody here, but Unleash lets nobody in whom the attribute does not identify.
        strategy.conditions.push(Condition::new::<Value>(attribute(&name), Operator::Exists, []));
    }
    Ok(strategy)
}

impl Strategy {
    fn only(&mut self, attribute: &str, operator: Operator, values: Vec<String>) {
        self.conditions.push(Condition::new(attribute, operator, values));
    }
}

fn segments(json: Option<&Value>, place: &Place<'_>, report: &mut Report) -> Result<Vec<Condition>, Never> {
    let ids = json.and_then(Value::as_array).into_iter().flatten().map(Value::to_string);
    ids.map(|id| match place.segments.get(&id) {
        Some(Some(segment)) => Ok(Condition::segment(&segment.name)),
        Some(None) => Err(Never),
        None => {
            report.find(
                format_args!("segment {id} does not exist"),
                "what it restricts applies to nobody, as in Unleash",
            );
            Err(Never)
        }
    })
    .collect()
}

/// Parameters of a strategy: mostly texts, whatever they mean.
struct Parameters<'a>(Option<&'a Value>);

impl Parameters<'_> {
    fn text(&self, name: &str) -> Option<String> {
        match self.0?.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    }

    fn percentage(&self, name: &str, report: &mut Report) -> Result<Percentage, Never> {
        let text = self.text(name).unwrap_or_default();
        text.trim().parse().map_err(|_| {
            report.find(format_args!("its {name} is no percentage"), "the strategy lets nobody in, as in Unleash");
            Never
        })
    }
}
