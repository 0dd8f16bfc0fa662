//! Server-side apply: what a manager sends is what it owns, and what it stops sending goes.
//!
//! ```text
//! live, sent --conflicts?--> merged --without what this manager owned before, does not send and nobody else owns--> new
//! ```

use serde_json::{Map, Value};

use super::super::fields::path::{Path, Set, Step, shown};
use super::super::fields::shape::{Listing, Shape, key_of};
use super::super::fields::{self, Owner, get, is_item};
use super::super::refusal::Refusal;
use super::super::value::list;

/// What comes of an apply.
pub(in super::super) struct Applied {
    pub(in super::super) object: Value,
    pub(in super::super) owners: Vec<Owner>,
}

/// Applies `sent` by `owner` to `live` (null where there is no object yet).
///
/// # Errors
/// A conflict naming each field and who has it, unless `force`.
pub(in super::super) fn apply(
    live: &Value,
    sent: &Value,
    mut owner: Owner,
    force: bool,
    shape: Shape<'_>,
) -> Result<Applied, Refusal> {
    owner.set = fields::of(sent, shape);
    let mut owners = fields::owners(live);
    let taken = conflicts(live, sent, &owner, &owners);
    if !taken.is_empty() && !force {
        let mut named: Vec<(String, String)> =
            taken.iter().map(|(manager, path)| (format!("\"{manager}\""), shown(path))).collect();
        named.sort();
        named.dedup();
        return Err(Refusal::owned_by_others(&named));
    }
    for other in &mut owners {
        other.set.retain(|path| !taken.iter().any(|(manager, taken)| *manager == other.manager && taken == path));
    }
    let mut object = merged(live, sent, shape);
    let before = owners.iter().find(|other| other.is(&owner)).cloned();
    owners.retain(|other| !other.is(&owner) && !other.set.is_empty());
    if let Some(before) = before {
        let gone: Vec<&Path> = before.set.difference(&owner.set).collect();
        remove(&mut object, &gone, &owners);
        if before.set == owner.set {
            owner.time = before.time;
        }
    }
    owners.push(owner);
    Ok(Applied { object, owners })
}

/// Fields that others own and that would get another value: whose, which.
fn conflicts(live: &Value, sent: &Value, owner: &Owner, owners: &[Owner]) -> Vec<(String, Path)> {
    let is_changed = |path: &&Path| get(live, path) != get(sent, path) && get(live, path).is_some();
    let mut found = Vec::new();
    for path in owner.set.iter().filter(is_changed) {
        let holders = owners.iter().filter(|other| !other.is(owner) && other.set.contains(path));
        found.extend(holders.map(|holder| (holder.manager.clone(), path.clone())));
    }
    found
}

/// `sent` laid over `live`.
fn merged(live: &Value, sent: &Value, shape: Shape<'_>) -> Value {
    match (live, sent) {
        (Value::Object(live), Value::Object(sent)) if !shape.is_atomic_map() => {
            let mut both: Map<String, Value> = live.clone();
            for (name, value) in sent {
                let old = live.get(name).unwrap_or(&Value::Null);
                both.insert(name.clone(), merged(old, value, shape.field(name)));
            }
            Value::Object(both)
        }
        (Value::Array(live), Value::Array(sent)) => match shape.listing(if sent.is_empty() { live } else { sent }) {
            Listing::Atomic => Value::Array(sent.clone()),
            Listing::Set => {
                let mut both = live.clone();
                both.extend(sent.iter().filter(|item| !live.contains(item)).cloned());
                Value::Array(both)
            }
            Listing::Keyed(keys) => {
                let mut both = live.clone();
                for item in sent {
                    let key = key_of(item, &keys);
                    match both.iter_mut().find(|old| key_of(old, &keys) == key) {
                        Some(old) => *old = merged(old, item, shape.item()),
                        None => both.push(item.clone()),
                    }
                }
                Value::Array(both)
            }
        },
        (_, sent) => sent.clone(),
    }
}

/// Removes what nobody owns any more; an item of a list stays while somebody owns anything of it.
fn remove(object: &mut Value, gone: &[&Path], others: &[Owner]) {
    let is_owned = |path: &Path| others.iter().any(|other| other.set.contains(path));
    let holds = |path: &Path| others.iter().any(|other| owns_below(&other.set, path));
    let mut gone: Vec<&Path> = gone.to_vec();
    // Items first, shortest first: with an item go its fields.
    gone.sort_by_key(|path| path.len());
    for path in gone {
        let is_item = matches!(path.last(), Some(Step::Key(_)));
        let stays = if is_item { holds(path) } else { is_owned(path) || is_key(path) };
        if !stays {
            remove_at(object, path);
        }
    }
}

/// Whether it is a field by which an item is told apart: that goes with the item only.
fn is_key(path: &Path) -> bool {
    match path.as_slice() {
        [.., Step::Key(key), Step::Field(name)] => {
            serde_json::from_str::<Map<String, Value>>(key).is_ok_and(|key| key.contains_key(name))
        }
        _ => false,
    }
}

fn owns_below(set: &Set, path: &Path) -> bool {
    set.iter().any(|owned| owned.starts_with(path))
}

/// Removes the value at `path`, and maps and lists that it leaves empty, below the top level.
fn remove_at(object: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match (step, object) {
        (Step::Field(name), Value::Object(fields)) => {
            if rest.is_empty() {
                fields.remove(name);
            } else if let Some(inner) = fields.get_mut(name) {
                remove_at(inner, rest);
                let is_empty = inner.as_object().is_some_and(Map::is_empty) || inner == &Value::Array(vec![]);
                if is_empty && name != "spec" {
                    fields.remove(name);
                }
            }
        }
        (Step::Key(_) | Step::Item(_), Value::Array(items)) => {
            if rest.is_empty() {
                items.retain(|item| !is_item(item, step));
            } else if let Some(item) = items.iter_mut().find(|item| is_item(item, step)) {
                remove_at(item, rest);
            }
        }
        _ => {}
    }
}

/// What the manager of an apply may not send.
pub(in super::super) fn check(sent: &Value) -> Result<(), Refusal> {
    if list(&sent["metadata"]["managedFields"]).is_empty() {
        return Ok(());
    }
    Err(Refusal::bad_request("metadata.managedFields must be nil"))
}
