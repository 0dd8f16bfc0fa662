//! Strategic merge: a merge patch that also merges lists, by the merge key of each.

use serde_json::{Map, Value};

use super::super::fields::shape::{Listing, Shape};
use super::super::refusal::Refusal;
use super::super::value::{list, text};

/// Carries `patch` out on `object`.
pub(super) fn merge(object: &mut Value, patch: &Value) -> Result<(), Refusal> {
    merge_at(object, patch, Shape::BuiltIn(""))
}

fn merge_at(object: &mut Value, patch: &Value, shape: Shape<'_>) -> Result<(), Refusal> {
    match patch {
        Value::Object(patch) => merge_map(object, patch, shape),
        Value::Array(items) => merge_list(object, items, shape),
        other => {
            *object = other.clone();
            Ok(())
        }
    }
}

fn merge_map(object: &mut Value, patch: &Map<String, Value>, shape: Shape<'_>) -> Result<(), Refusal> {
    if patch.get("$patch").is_some_and(|directive| directive == "replace") {
        let plain = patch.iter().filter(|(name, _)| !name.starts_with('$'));
        *object = Value::Object(plain.map(|(name, value)| (name.clone(), value.clone())).collect());
        return Ok(());
    }
    let target = super::super::value::map(object);
    for (name, value) in patch {
        if let Some(list_name) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(Value::Array(items)) = target.get_mut(list_name) {
                items.retain(|item| !list(value).contains(item));
            }
        } else if name == "$retainKeys" {
            target.retain(|name, _| list(value).iter().any(|kept| text(kept) == name));
        } else if name.starts_with("$setElementOrder/") {
            // The order is a wish; the items are what matters here.
        } else if name.starts_with('$') {
            return Err(Refusal::bad_request(format!("unknown patch directive: {name}")));
        } else if value.is_null() || value["$patch"] == "delete" {
            target.remove(name);
        } else {
            merge_at(target.entry(name.clone()).or_insert(Value::Null), value, shape.field(name))?;
        }
    }
    Ok(())
}

fn merge_list(object: &mut Value, patch: &[Value], shape: Shape<'_>) -> Result<(), Refusal> {
    let replaces = patch.iter().any(|item| item.get("$patch").is_some_and(|directive| directive == "replace"));
    let plain: Vec<Value> = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
    let Value::Array(items) = object else {
        *object = Value::Array(plain);
        return Ok(());
    };
    match shape.listing(if items.is_empty() { patch } else { items }) {
        Listing::Set => items.extend(plain.into_iter().filter(|item| !items.contains(item)).collect::<Vec<_>>()),
        Listing::Keyed(keys) if !replaces => {
            // A strategic merge knows one key a list; the others only tell apart what is applied.
            let Some(key) = keys.first() else { return Ok(()) };
            for item in patch {
                let Some(wanted) = item.get(key) else {
                    let error = format!("map: {item} does not contain declared merge key: {key}");
                    return Err(Refusal::bad_request(error));
                };
                let found = items.iter().position(|existing| existing.get(key) == Some(wanted));
                let deletes = item["$patch"] == "delete";
                match found {
                    Some(at) if deletes => drop(items.remove(at)),
                    Some(at) => merge_at(&mut items[at], item, shape.item())?,
                    None if deletes => {}
                    None => items.push(item.clone()),
                }
            }
        }
        Listing::Keyed(_) | Listing::Atomic => *items = plain,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_merge_by_their_keys() {
        let check = |patch: Value, expected: Value| {
            let mut object = json!({
                "containers": [
                    {"name": "api", "image": "a:1", "env": [{"name": "X", "value": "1"}], "args": ["a", "b"]},
                    {"name": "log", "image": "l:1"},
                ],
                "finalizers": ["one"],
            });
            merge(&mut object, &patch).unwrap();
            for (pointer, value) in expected.as_object().unwrap() {
                assert_eq!(object.pointer(pointer).unwrap_or(&Value::Null), value, "{patch} at {pointer}: {object}");
            }
        };
        check(
            json!({"containers": [{"name": "api", "image": "a:2"}]}),
            json!({"/containers/0/image": "a:2", "/containers/0/env/0/value": "1", "/containers/1/image": "l:1"}),
        );
        check(
            json!({"containers": [{"name": "api", "env": [{"name": "Y", "value": "2"}]}]}),
            json!({"/containers/0/env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}),
        );
        check(json!({"containers": [{"name": "api", "args": ["c"]}]}), json!({"/containers/0/args": ["c"]}));
        check(json!({"containers": [{"name": "log", "$patch": "delete"}]}), json!({"/containers/1": null}));
        check(json!({"containers": [{"name": "new"}]}), json!({"/containers/2/name": "new"}));
        check(
            json!({"containers": [{"$patch": "replace"}, {"name": "only"}]}),
            json!({"/containers": [{"name": "only"}]}),
        );
        check(json!({"finalizers": ["two"]}), json!({"/finalizers": ["one", "two"]}));
        check(json!({"$deleteFromPrimitiveList/finalizers": ["one"]}), json!({"/finalizers": []}));
    }
}
