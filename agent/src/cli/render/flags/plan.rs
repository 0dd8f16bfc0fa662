//! `teal flags import`: what it would do, and what could not be carried over.

use serde_json::{Value, json};
use teal_flags::import::Finding;

use super::super::words::count;
use super::diff::{self, Change};
use super::style::{Tone, paint};
use super::wrap::hanging;

/// What a document has parts of. Segments come first: flags stand on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A group of users.
    Segment,
    /// A flag.
    Flag,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Flag => "flag",
        }
    }
}

/// What is to be done with one.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there and differs.
    Change(Vec<Change>),
    /// It is there as it is.
    Same,
    /// It cannot be taken, and why.
    Refused(String),
}

/// One flag or segment of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which of both.
    pub kind: Kind,
    /// Its name here.
    pub name: String,
    /// As it shall be, without what the service keeps.
    pub json: Value,
    /// What is done.
    pub action: Action,
}

/// The plan, a line or more for each that is not the same already.
#[must_use]
pub fn plan(items: &[Item], report: &[Finding]) -> String {
    let mut text = String::new();
    for item in items {
        text += &one(item);
    }
    let same = items.iter().filter(|item| item.action == Action::Same).count() as u64;
    if same > 0 {
        let verb = if same == 1 { "is" } else { "are" };
        text += &format!("{}\n", paint(Tone::Faint, &format!("= {same} {verb} the same already")));
    }
    if !report.is_empty() {
        text += "not carried over as it was:\n";
        for finding in report {
            text += &hanging("  ", &finding.to_string());
        }
    }
    text
}

fn one(item: &Item) -> String {
    let Item { kind, name, action, .. } = item;
    let title = |sign: &str, tone| format!("{} {} {}\n", paint(tone, sign), kind.name(), paint(Tone::Name, name));
    match action {
        Action::Create => {
            let fields = diff::changes(&diff::diff(&Value::Null, &item.json), 4);
            format!("{}{fields}", title("+", Tone::Good))
        }
        Action::Change(changes) => format!("{}{}", title("~", Tone::Mild), diff::changes(changes, 4)),
        Action::Same => String::new(),
        Action::Refused(why) => format!("{}{}", title("!", Tone::Bad), hanging("    ", why)),
    }
}

/// `2 to create, 1 to change, 9 the same, 1 refused`.
#[must_use]
pub fn summary(items: &[Item]) -> String {
    let number = |wanted: fn(&Action) -> bool| items.iter().filter(|item| wanted(&item.action)).count();
    let parts = [
        (number(|action| *action == Action::Create), "to create"),
        (number(|action| matches!(action, Action::Change(_))), "to change"),
        (number(|action| *action == Action::Same), "the same"),
        (number(|action| matches!(action, Action::Refused(_))), "refused"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { "nothing in it".to_owned() } else { parts.join(", ") }
}

/// For scripts.
#[must_use]
pub fn json(items: &[Item]) -> Value {
    let one = |item: &Item| {
        let mut told = json!({"kind": item.kind.name(), "name": item.name, "action": match &item.action {
            Action::Create => "create",
            Action::Change(_) => "change",
            Action::Same => "same",
            Action::Refused(_) => "refused",
        }});
        match &item.action {
            Action::Change(changes) => told["changes"] = diff::json(changes),
            Action::Refused(why) => told["why"] = why.as_str().into(),
            Action::Create | Action::Same => {}
        }
        told
    };
    items.iter().map(one).collect()
}

/// `3 findings`, where there are some.
#[must_use]
pub fn findings(report: &[Finding]) -> String {
    if report.is_empty() { String::new() } else { format!("; {} to read above", count(report.len() as u64, "finding")) }
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;

    #[test]
    fn a_plan_shows_what_is_new_different_and_refused() {
        let item = |kind, name: &str, json: Value, action| Item { kind, name: name.into(), json, action };
        let changes =
            diff::diff(&json!({"name": "b", "enabled": false}), &json!({"name": "b", "enabled": true, "salt": "old"}));
        let items = [
            item(Kind::Segment, "staff", json!({"name": "staff", "include": ["u1"]}), Action::Create),
            item(Kind::Flag, "a", json!({"name": "a", "enabled": true, "rollout_percentage": 5}), Action::Create),
            item(Kind::Flag, "b", json!({}), Action::Change(changes)),
            item(Kind::Flag, "c", json!({}), Action::Same),
            item(Kind::Flag, "d", json!({}), Action::Refused("flags[3].rollout_percentage: is more than 100".into())),
        ];
        let finding = Finding {
            flag: Some("Feature.A".into()),
            what: "its name is not allowed here".into(),
            instead: "it is called feature.a".into(),
        };
        let text = plan(&items, std::slice::from_ref(&finding)) + &summary(&items) + &findings(&[finding]) + "\n";
        insta::assert_snapshot!(plain(&text));
        assert_eq!(json(&items)[2]["changes"]["salt"]["after"], "old");
    }
}
