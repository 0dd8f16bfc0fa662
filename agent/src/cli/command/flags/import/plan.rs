//! What an import would do, flag by flag, before it does anything. Pure.
//!
//! ```text
//! the file's document --+
//!                       +--> Plan: create | change | same | refused, in an order in which each finds what it needs
//! the service's --------+
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};
use teal_flags::model::{Document, Flag, Part, Segment, Timestamp};
use teal_flags::{Flags, Layer};

use crate::cli::command::flags::document::plain;
use crate::cli::render::flags::diff::diff;
use crate::cli::render::flags::plan::{Action, Item, Kind};

/// What is to be done, in this order: segments first, then flags after those that they need.
pub(super) fn plan(file: &Document, service: &Document, now: Timestamp) -> Vec<Item> {
    let there: HashMap<(Kind, &str), Value> = service
        .segments
        .iter()
        .map(|segment| ((Kind::Segment, segment.name.as_str()), segment.to_value()))
        .chain(service.flags.iter().map(|flag| ((Kind::Flag, flag.name.as_str()), flag.to_value())))
        .collect();
    let mut refused = unreadable(file);
    refused.extend(unknown_fields(file, service));
    unusable(file, service, now, &mut refused);

    let mut items = Vec::new();
    let segments = file.segments.iter().map(|segment| (Kind::Segment, &segment.name, segment.to_value()));
    let flags = in_order(&file.flags).into_iter().map(|flag| (Kind::Flag, &flag.name, flag.to_value()));
    for (kind, name, json) in segments.chain(flags) {
        let action = match (refused.remove(&(kind, name.clone())), there.get(&(kind, name.as_str()))) {
            (Some(why), _) => Action::Refused(why),
            (None, None) => Action::Create,
            (None, Some(before)) => {
                let changes = diff(before, &json);
                if changes.is_empty() { Action::Same } else { Action::Change(changes) }
            }
        };
        items.push(Item { kind, name: name.clone(), json: plain(json), action });
    }
    // Those that could not even be read.
    let rest = refused.into_iter().map(|((kind, name), why)| Item {
        kind,
        name,
        json: Value::Null,
        action: Action::Refused(why),
    });
    items.extend(rest);
    items
}

type Refused = BTreeMap<(Kind, String), String>;

fn unreadable(file: &Document) -> Refused {
    let refusal = |unread: &teal_flags::model::Unreadable| {
        let kind = if unread.part == Part::Flag { Kind::Flag } else { Kind::Segment };
        let name = unread.name.clone().unwrap_or_else(|| "(no name)".to_owned());
        ((kind, name), unread.error.to_string())
    };
    file.unreadable.iter().map(refusal).collect()
}

/// A field that the service does not know would be kept and do nothing: it refuses it, unless it was there before.
fn unknown_fields(file: &Document, service: &Document) -> Refused {
    let mut refused = Refused::new();
    for flag in &file.flags {
        let before = service.flags.iter().find(|other| other.name == flag.name);
        let was_there = |field: &&String| before.is_some_and(|before| before.extra.contains_key(*field));
        if let Some(field) = flag.extra.keys().find(|field| !was_there(field)) {
            refused.insert((Kind::Flag, flag.name.clone()), format!("{field}: is no field of a flag"));
        }
    }
    refused
}

/// What cannot be used beside all that there will be: circles, needs and segments that are not there. One that is refused may be what
/// another one needs, so that it is asked again until nothing more falls out.
fn unusable(file: &Document, service: &Document, now: Timestamp, refused: &mut Refused) {
    loop {
        let stays = |kind, name: &str| !refused.contains_key(&(kind, name.to_owned()));
        let brought: Vec<&Flag> = file.flags.iter().filter(|flag| stays(Kind::Flag, &flag.name)).collect();
        let names: BTreeSet<&str> = brought.iter().map(|flag| flag.name.as_str()).collect();
        let segments: Vec<&Segment> = file.segments.iter().filter(|one| stays(Kind::Segment, &one.name)).collect();
        let segment_names: BTreeSet<&str> = segments.iter().map(|one| one.name.as_str()).collect();
        let others = service.flags.iter().filter(|flag| !names.contains(flag.name.as_str()));
        let other_segments = service.segments.iter().filter(|one| !segment_names.contains(one.name.as_str()));
        let all = Document {
            flags: brought.iter().copied().chain(others).cloned().collect(),
            segments: segments.iter().copied().chain(other_segments).cloned().collect(),
            ..Document::default()
        };
        let known: BTreeSet<&str> = all.flags.iter().map(|flag| flag.name.as_str()).collect();
        // The SDK only answers "off" where a need is not there; the service refuses it.
        let mut found: Vec<(String, String)> = brought
            .iter()
            .filter_map(|flag| {
                let missing = flag.prerequisites.iter().find(|one| !known.contains(one.flag.as_str()))?;
                Some((flag.name.clone(), format!("prerequisites: there is no flag `{}`", missing.flag)))
            })
            .collect();
        found.extend(problems(all.clone(), now).into_iter().filter(|(name, _)| names.contains(name.as_str())));
        if found.is_empty() {
            return;
        }
        refused.extend(found.into_iter().map(|(name, why)| ((Kind::Flag, name), why)));
    }
}

/// Each flag that cannot be used, and why.
fn problems(document: Document, now: Timestamp) -> Vec<(String, String)> {
    let applied = Flags::new(None).apply(Layer::File, document, now);
    applied.problems.into_iter().filter_map(|problem| Some((problem.flag?, problem.error.to_string()))).collect()
}

/// Flags after those that they need, otherwise by name.
fn in_order(flags: &[Flag]) -> Vec<&Flag> {
    let by_name: BTreeMap<&str, &Flag> = flags.iter().map(|flag| (flag.name.as_str(), flag)).collect();
    let (mut ordered, mut seen) = (Vec::new(), BTreeSet::new());
    for name in by_name.keys() {
        // Without recursion: a chain of needs may be as long as the list.
        let mut stack = vec![(*name, false)];
        while let Some((name, is_done)) = stack.pop() {
            let Some(flag) = by_name.get(name) else { continue };
            if is_done {
                ordered.push(*flag);
            } else if seen.insert(name) {
                stack.push((name, true));
                stack.extend(flag.prerequisites.iter().rev().map(|one| (one.flag.as_str(), false)));
            }
        }
    }
    ordered
}

/// The PATCH (RFC 7396) that makes one object of another: what is not there any more is null.
pub(super) fn patch(before: &Value, after: &Value) -> Map<String, Value> {
    let mut patch = Map::new();
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return patch };
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in new {
        match old.get(name) {
            Some(same) if same == value => {}
            Some(other @ Value::Object(_)) if value.is_object() => {
                patch.insert(name.clone(), Value::Object(self::patch(other, value)));
            }
            _ => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(json: Value) -> Document {
        Document::from_value(json).unwrap()
    }

    #[track_caller]
    fn check(file: Value, service: Value, expected: &[(&str, &str)]) {
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let told: Vec<(String, String)> = plan(&document(file), &document(service), now)
            .into_iter()
            .map(|item| {
                let action = match item.action {
                    Action::Create => "create".to_owned(),
                    Action::Change(changes) => {
                        let fields: Vec<String> = changes.into_iter().map(|change| change.field).collect();
                        format!("change {}", fields.join(" "))
                    }
                    Action::Same => "same".to_owned(),
                    Action::Refused(why) => format!("refused {why}"),
                };
                (item.name, action)
            })
            .collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(name, action)| (name.as_str(), action.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_there_already_is_told_from_what_is_new_or_different() {
        let service = json!({"flags": [{"id": 8, "name": "a", "enabled": true, "version": 3, "created_at": "2026-11-28T07:00:00Z"}, {"name": "b"}],
            "segments": [{"name": "staff", "include": ["u1"], "version": 2}]});
        let file = json!({"flags": [{"name": "a", "enabled": true, "salt": "a"}, {"name": "b", "enabled": true}, {"name": "c"}],
            "segments": [{"name": "staff", "include": ["u1", "u2"]}, {"name": "new"}]});
        check(
            file,
            service,
            &[("staff", "change include"), ("new", "create"), ("a", "same"), ("b", "change enabled"), ("c", "create")],
        );
    }

    #[test]
    fn what_is_needed_comes_first() {
        let flags = json!({"flags": [{"name": "a", "prerequisites": [{"flag": "c"}]}, {"name": "b"}, {"name": "c", "prerequisites": [{"flag": "d"}]},
            {"name": "d"}]});
        check(flags, json!({}), &[("d", "create"), ("c", "create"), ("a", "create"), ("b", "create")]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_all_that_needs_it() {
        let file = json!({"flags": [
            {"name": "a", "rollout_percentage": 101},
            {"name": "b", "prerequisites": [{"flag": "a"}]},
            {"name": "c", "prerequisites": [{"flag": "b"}]},
            {"name": "d", "prerequisites": [{"flag": "old"}]},
            {"name": "e", "colour": "red"},
            {"name": "f", "prerequisites": [{"flag": "g"}]},
            {"name": "g", "prerequisites": [{"flag": "f"}]},
            {"name": "h", "enabled": true, "rules": [{"conditions": [{"segment": "nobody"}]}]}]});
        let service = json!({"flags": [{"name": "old"}]});
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let items = plan(&document(file), &document(service), now);
        let is_refused = |item: &&Item| matches!(item.action, Action::Refused(_));
        let refused: BTreeSet<&str> = items.iter().filter(is_refused).map(|item| item.name.as_str()).collect();
        assert_eq!(refused, BTreeSet::from(["a", "b", "c", "e", "f", "g", "h"]));
        assert!(items.iter().any(|item| item.name == "d" && item.action == Action::Create));
    }

    #[test]
    fn a_patch_makes_one_of_the_other() {
        let check = |before: Value, after: Value| {
            let mut merged = before.clone();
            json_patch::merge(&mut merged, &Value::Object(patch(&before, &after)));
            assert_eq!(merged, after);
        };
        check(json!({"a": 1, "b": 2}), json!({"a": 1, "c": 3}));
        check(json!({"schedule": {"from": "x", "until": "y"}}), json!({"schedule": {"until": "z"}}));
        check(json!({"bucketing": {"hash": "md5"}}), json!({"bucketing": "unleash"}));
        check(json!({"bucketing": "unleash"}), json!({"bucketing": {"hash": "md5"}}));
        check(json!({"rules": [{"off": true}]}), json!({"rules": [{"percentage": 5}, {"off": true}]}));
        assert!(patch(&json!({"a": {"b": 1}}), &json!({"a": {"b": 1}})).is_empty());
    }
}
