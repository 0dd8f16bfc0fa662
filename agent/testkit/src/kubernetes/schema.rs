//! Custom resources against the schema of their definition: defaults, pruning, what each field may be, rules in CEL.

use kube_cel::Validator;
use serde_json::{Value, json};

use super::refusal::Cause;
use super::value::{list, map, text};

/// Fills in defaults and removes fields that the schema does not know. The root's apiVersion, kind and metadata stay.
pub(super) fn normalise(object: &mut Value, schema: &Value) {
    let Value::Object(properties) = &schema["properties"] else { return };
    let known =
        |name: &String| matches!(name.as_str(), "apiVersion" | "kind" | "metadata") || properties.contains_key(name);
    map(object).retain(|name, _| known(name));
    for (name, schema) in properties.iter().filter(|(name, _)| *name != "metadata") {
        fill(object, name, schema);
    }
}

fn fill(holder: &mut Value, name: &str, schema: &Value) {
    let fields = map(holder);
    let is_null = fields.get(name).is_some_and(Value::is_null) && schema["nullable"] != true;
    if is_null {
        fields.remove(name);
    }
    if let Some(default) = schema.get("default") {
        fields.entry(name).or_insert_with(|| default.clone());
    }
    if let Some(value) = fields.get_mut(name) {
        prune(value, schema);
    }
}

fn prune(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            if let Value::Object(properties) = &schema["properties"] {
                if schema["x-kubernetes-preserve-unknown-fields"] != true {
                    fields.retain(|name, _| properties.contains_key(name));
                }
                for (name, schema) in properties {
                    fill(value, name, schema);
                }
            } else if schema["additionalProperties"].is_object() {
                fields.values_mut().for_each(|value| prune(value, &schema["additionalProperties"]));
            } else if schema["x-kubernetes-preserve-unknown-fields"] != true && schema["type"] == "object" {
                fields.clear();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, &schema["items"])),
        _ => {}
    }
}

/// Everything that is wrong with `object`; `old` is what it was before, for rules about changes.
pub(super) fn wrong(object: &Value, old: Option<&Value>, schema: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    required(object, schema, "", &mut causes);
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = object.get(name).filter(|_| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata")) {
            check(value, schema, name, &mut causes);
        }
    }
    // As in the real server, rules are asked only about what has the right form.
    if causes.is_empty()
        && let Err(errors) = Validator::new().validate(schema, object, old)
    {
        let cause = |error: &kube_cel::ValidationError| {
            let shown = object.pointer(&format!("/{}", error.field_path.replace('.', "/"))).unwrap_or(&Value::Null);
            let shown = if shown.is_object() { json!("object") } else { shown.clone() };
            Cause::invalid(error.field_path.clone(), &shown, &error.message)
        };
        causes.extend(errors.as_slice().iter().map(cause));
    }
    causes
}

fn required(value: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let missing = list(&schema["required"]).iter().map(text).filter(|name| value.get(name).is_none());
    causes.extend(missing.map(|name| Cause::required(below(path, name))));
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check(value: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if !has_type(value, schema) {
        let why = format!("{path} in body must be of type {}: {}", text(&schema["type"]), kind_of(value));
        causes.push(Cause { reason: "FieldValueTypeInvalid", ..Cause::invalid(path, value, &why) });
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        causes.push(Cause::unsupported(path, value, allowed));
    }
    if let Some(why) = outside(value, schema, path) {
        causes.push(Cause::invalid(path, value, &why));
    }
    match value {
        Value::Object(fields) => {
            required(value, schema, path, causes);
            for (name, inner) in fields {
                let schema = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                if schema.is_object() {
                    check(inner, schema, &below(path, name), causes);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                check(item, &schema["items"], &format!("{path}[{at}]"), causes);
            }
            duplicates(items, schema, path, causes);
        }
        _ => {}
    }
}

/// Items that are there twice: of a set as a whole, of a map by their keys.
fn duplicates(items: &[Value], schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let keys = list(&schema["x-kubernetes-list-map-keys"]);
    let identity = |item: &Value| match text(&schema["x-kubernetes-list-type"]) {
        "set" => Some(item.clone()),
        "map" => Some(keys.iter().map(|key| (text(key).to_owned(), item[text(key)].clone())).collect()),
        _ => None,
    };
    let identities: Vec<Value> = items.iter().filter_map(identity).collect();
    for (at, identity) in identities.iter().enumerate() {
        if identities[..at].contains(identity) {
            causes.push(Cause::duplicate(format!("{path}[{at}]"), identity));
        }
    }
}

fn has_type(value: &Value, schema: &Value) -> bool {
    if schema["x-kubernetes-int-or-string"] == true {
        return value.is_i64() || value.is_u64() || value.is_string();
    }
    match text(&schema["type"]) {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "\"null\"",
        Value::Bool(_) => "\"boolean\"",
        Value::Number(_) => "\"number\"",
        Value::String(_) => "\"string\"",
        Value::Array(_) => "\"array\"",
        Value::Object(_) => "\"object\"",
    }
}

/// The limit that the value breaks, as a sentence.
fn outside(value: &Value, schema: &Value, path: &str) -> Option<String> {
    let limit = |name: &str| schema[name].as_f64();
    let size = match value {
        #[expect(clippy::cast_precision_loss, reason = "sizes in a test")]
        Value::String(text) => Some(("Length", text.chars().count() as f64)),
        #[expect(clippy::cast_precision_loss, reason = "sizes in a test")]
        Value::Array(items) => Some(("Items", items.len() as f64)),
        #[expect(clippy::cast_precision_loss, reason = "sizes in a test")]
        Value::Object(fields) => Some(("Properties", fields.len() as f64)),
        _ => None,
    };
    if let Some((what, size)) = size {
        if let Some(min) = limit(&format!("min{what}")).filter(|min| size < *min) {
            return Some(format!("{path} in body should be at least {min} long"));
        }
        if let Some(max) = limit(&format!("max{what}")).filter(|max| size > *max) {
            return Some(format!("{path} in body should be at most {max} long"));
        }
    }
    if let Some(number) = value.as_f64() {
        if let Some(min) = limit("minimum").filter(|min| number < *min) {
            return Some(format!("{path} in body should be greater than or equal to {min}"));
        }
        if let Some(max) = limit("maximum").filter(|max| number > *max) {
            return Some(format!("{path} in body should be less than or equal to {max}"));
        }
    }
    let pattern = schema["pattern"].as_str()?;
    let matches = regex_lite::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text(value)));
    (!matches).then(|| format!("{path} in body should match '{pattern}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "required": ["spec"], "properties": {"spec": {
            "type": "object",
            "required": ["mode"],
            "properties": {
                "mode": {"type": "string", "enum": ["observe", "act"]},
                "share": {"type": "integer", "minimum": 0, "maximum": 100, "default": 0},
                "salt": {"type": "string", "maxLength": 4, "pattern": "^[a-z]*$"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "x-kubernetes-validations": [{"rule": "self.mode != 'observe' || self.share == 0", "message": "no share"}],
        }}})
    }

    #[test]
    fn objects_are_held_against_their_schema() {
        let check = |spec: Value, field: &str| {
            let object = json!({"metadata": {}, "spec": spec});
            let fields: Vec<String> = wrong(&object, None, &schema()).into_iter().map(|cause| cause.field).collect();
            let expected: Vec<&str> = if field.is_empty() { vec![] } else { vec![field] };
            assert_eq!(fields, expected, "{object}");
        };
        check(json!({"mode": "act", "share": 10, "salt": "abc", "labels": {"x": "y"}}), "");
        check(json!({"share": 10}), "spec.mode");
        check(json!({"mode": "gone"}), "spec.mode");
        check(json!({"mode": "act", "share": 101}), "spec.share");
        check(json!({"mode": "act", "share": "1"}), "spec.share");
        check(json!({"mode": "act", "salt": "abcde"}), "spec.salt");
        check(json!({"mode": "act", "salt": "A"}), "spec.salt");
        check(json!({"mode": "act", "labels": {"x": 1}}), "spec.labels.x");
        check(json!({"mode": "observe", "share": 0}), "");
        check(json!({"mode": "observe", "share": 1}), "spec");
    }

    #[test]
    fn unknown_fields_go_and_defaults_come() {
        let mut object = json!({"metadata": {"name": "x"}, "spec": {"mode": "act", "what": 1}, "other": 2});
        normalise(&mut object, &schema());
        assert_eq!(object, json!({"metadata": {"name": "x"}, "spec": {"mode": "act", "share": 0}}));
    }
}
