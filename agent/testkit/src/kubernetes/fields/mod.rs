//! Who owns which field of an object: what `metadata.managedFields` says.
//!
//! ```text
//! value --of--> set of paths        apply: the manager owns what it sent; else: it owns what it changed
//! ```

pub(super) mod path;
pub(super) mod shape;

use serde_json::Value;

use super::value::{list, text};
use path::{Path, Set, Step};
use shape::{Listing, Shape, key_of};

/// Metadata that the server itself keeps and nobody owns.
const SERVERS_OWN: [&str; 11] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "selfLink",
    "managedFields",
];

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owner {
    pub(super) manager: String,
    /// `Apply` or `Update`.
    pub(super) operation: &'static str,
    pub(super) subresource: String,
    pub(super) version: String,
    pub(super) time: String,
    pub(super) set: Set,
}

impl Owner {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.manager == other.manager && self.operation == other.operation && self.subresource == other.subresource
    }

    fn read(entry: &Value) -> Self {
        Self {
            manager: text(&entry["manager"]).to_owned(),
            operation: if entry["operation"] == "Apply" { "Apply" } else { "Update" },
            subresource: text(&entry["subresource"]).to_owned(),
            version: text(&entry["apiVersion"]).to_owned(),
            time: text(&entry["time"]).to_owned(),
            set: path::decoded(&entry["fieldsV1"]),
        }
    }

    fn written(&self) -> Value {
        let mut entry = serde_json::json!({
            "manager": self.manager, "operation": self.operation, "apiVersion": self.version, "time": self.time,
            "fieldsType": "FieldsV1", "fieldsV1": path::encoded(&self.set),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = Value::from(self.subresource.as_str());
        }
        entry
    }
}

/// All owners of an object's fields.
pub(super) fn owners(object: &Value) -> Vec<Owner> {
    list(&object["metadata"]["managedFields"]).iter().map(Owner::read).collect()
}

/// As `managedFields` has them, in one order; null for nobody.
pub(super) fn written(mut owners: Vec<Owner>) -> Value {
    owners.sort_by(|a, b| (&a.manager, a.operation, &a.subresource).cmp(&(&b.manager, b.operation, &b.subresource)));
    if owners.is_empty() { Value::Null } else { owners.iter().map(Owner::written).collect() }
}

/// The owners of `new` after `owner` wrote it over `old`: it owns what it changed, and nobody what is gone.
pub(super) fn after_update(
    before: Vec<Owner>,
    mut owner: Owner,
    old: &Value,
    new: &Value,
    shape: Shape<'_>,
) -> Vec<Owner> {
    let (had, has) = (of(old, shape), of(new, shape));
    let is_changed = |path: &&Path| !had.contains(*path) || get(old, path) != get(new, path);
    owner.set = has.iter().filter(is_changed).cloned().collect();
    let mut after = Vec::new();
    for mut other in before {
        let is_same = other.is(&owner);
        other.set.retain(|path| (has.contains(path) || !had.contains(path)) && !owner.set.contains(path));
        if is_same {
            if owner.set.is_empty() {
                owner.time.clone_from(&other.time);
            }
            owner.set.append(&mut other.set);
        } else if !other.set.is_empty() {
            after.push(other);
        }
    }
    if !owner.set.is_empty() {
        after.push(owner);
    }
    after
}

/// Every field of `object` that can be owned.
pub(super) fn of(object: &Value, shape: Shape<'_>) -> Set {
    let mut set = Set::new();
    let Value::Object(fields) = object else { return set };
    for (name, value) in fields {
        let mut path = vec![Step::Field(name.clone())];
        match (name.as_str(), value) {
            ("apiVersion" | "kind", _) => {}
            ("metadata", Value::Object(metadata)) => {
                for (name, value) in metadata.iter().filter(|(name, _)| !SERVERS_OWN.contains(&name.as_str())) {
                    path.push(Step::Field(name.clone()));
                    walk(value, Shape::BuiltIn(name), &mut path, &mut set);
                    path.pop();
                }
            }
            (name, value) => walk(value, shape.field(name), &mut path, &mut set),
        }
    }
    set
}

fn walk(value: &Value, shape: Shape<'_>, path: &mut Path, set: &mut Set) {
    match value {
        Value::Object(fields) if !fields.is_empty() && !shape.is_atomic_map() => {
            for (name, value) in fields {
                path.push(Step::Field(name.clone()));
                walk(value, shape.field(name), path, set);
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() => match shape.listing(items) {
            Listing::Atomic => {
                set.insert(path.clone());
            }
            Listing::Set => {
                for item in items {
                    path.push(Step::Item(item.to_string()));
                    set.insert(path.clone());
                    path.pop();
                }
            }
            Listing::Keyed(keys) => {
                for item in items {
                    path.push(Step::Key(key_of(item, &keys).to_string()));
                    set.insert(path.clone());
                    walk(item, shape.item(), path, set);
                    path.pop();
                }
            }
        },
        _ => {
            set.insert(path.clone());
        }
    }
}

/// The value at `path`; for an item of a list, whether it is there.
pub(super) fn get(object: &Value, path: &[Step]) -> Option<Value> {
    let (last, above) = path.split_last()?;
    let holder = above.iter().try_fold(object, |value, step| child(value, step))?;
    match last {
        Step::Field(_) => child(holder, last).cloned(),
        Step::Key(_) | Step::Item(_) => child(holder, last).map(|_| Value::Bool(true)),
    }
}

fn child<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match step {
        Step::Field(name) => value.get(name),
        Step::Key(_) | Step::Item(_) => list(value).iter().find(|item| is_item(item, step)),
    }
}

/// Whether `step` names this item of a list.
pub(super) fn is_item(item: &Value, step: &Step) -> bool {
    match step {
        Step::Field(_) => false,
        Step::Item(wanted) => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *item),
        Step::Key(key) => {
            let key: Value = serde_json::from_str(key).unwrap_or_default();
            let names: Vec<String> = key.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            key_of(item, &names) == key
        }
    }
}
