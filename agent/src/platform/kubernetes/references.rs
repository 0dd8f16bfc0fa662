//! Where a Pod's template names ConfigMaps and Secrets, and how those names are exchanged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A ConfigMap or a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    ConfigMap,
    Secret,
}

/// One of them, by its name.
pub(super) type Reference = (Kind, String);

/// Names of objects, and those that stand for them now.
pub(super) type Names = BTreeMap<Reference, String>;

/// What the containers and volumes of a Pod's spec name, each once.
pub(super) fn named(spec: &Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    let mut spec = spec.clone();
    each(&mut spec, &mut |kind, name| {
        found.insert((kind, name.clone()));
    });
    found
}

/// The parts of a Pod's spec that name any of these, with the other names, as server-side apply takes them.
pub(super) fn exchanged(spec: &Value, names: &Names) -> Value {
    let mut changed = spec.clone();
    each(&mut changed, &mut |kind, name| {
        if let Some(other) = names.get(&(kind, name.clone())) {
            name.clone_from(other);
        }
    });
    let mut parts = json!({});
    for key in ["containers", "initContainers"] {
        let items: Vec<Value> = list(&changed[key]).iter().filter_map(container).collect();
        if !items.is_empty() {
            parts[key] = json!(items);
        }
    }
    let volumes: Vec<&Value> = list(&changed["volumes"]).iter().filter(|volume| !named_by(volume).is_empty()).collect();
    if !volumes.is_empty() {
        parts["volumes"] = json!(volumes);
    }
    parts
}

/// What a container says of its environment; none where it names nothing. `envFrom` is one field to the server, `env` one each.
fn container(container: &Value) -> Option<Value> {
    let mut part = json!({"name": container["name"]});
    let is_named = |item: &&Value| !named_by(item).is_empty();
    if list(&container["envFrom"]).iter().any(|item| is_named(&item)) {
        part["envFrom"] = container["envFrom"].clone();
    }
    let env: Vec<&Value> = list(&container["env"]).iter().filter(is_named).collect();
    if !env.is_empty() {
        part["env"] = json!(env);
    }
    (part.as_object().map_or(0, serde_json::Map::len) > 1).then_some(part)
}

fn named_by(item: &Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    let mut item = item.clone();
    in_item(&mut item, &mut |kind, name| {
        found.insert((kind, name.clone()));
    });
    found
}

/// Every name in a Pod's spec.
fn each(spec: &mut Value, visit: &mut impl FnMut(Kind, &mut String)) {
    for key in ["containers", "initContainers"] {
        for container in items(&mut spec[key]) {
            for key in ["envFrom", "env"] {
                items(&mut container[key]).for_each(|item| in_item(item, visit));
            }
        }
    }
    items(&mut spec["volumes"]).for_each(|volume| in_item(volume, visit));
}

/// Every name in one item of `env`, `envFrom`, `volumes` or a projected volume's sources.
fn in_item(item: &mut Value, visit: &mut impl FnMut(Kind, &mut String)) {
    const PLACES: [(Kind, &str, &str); 7] = [
        (Kind::ConfigMap, "/configMapRef", "name"),
        (Kind::Secret, "/secretRef", "name"),
        (Kind::ConfigMap, "/valueFrom/configMapKeyRef", "name"),
        (Kind::Secret, "/valueFrom/secretKeyRef", "name"),
        (Kind::ConfigMap, "/configMap", "name"),
        (Kind::Secret, "/secret", "secretName"),
        // Of a projected source.
        (Kind::Secret, "/secret", "name"),
    ];
    for (kind, place, key) in PLACES {
        if let Some(Value::String(name)) = item.pointer_mut(place).and_then(|found| found.get_mut(key)) {
            visit(kind, name);
        }
    }
    if let Some(sources) = item.pointer_mut("/projected/sources") {
        items(sources).for_each(|source| in_item(source, visit));
    }
}

fn items(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Value {
        json!({
            "containers": [
                {"name": "api", "image": "api:1",
                 "envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "X_", "secretRef": {"name": "keys"}}],
                 "env": [{"name": "PLAIN", "value": "1"},
                         {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "one"}}},
                         {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
                {"name": "beside", "image": "b:1"},
            ],
            "volumes": [
                {"name": "tls", "secret": {"secretName": "tls"}},
                {"name": "tmp", "emptyDir": {}},
                {"name": "both", "projected": {"sources": [{"configMap": {"name": "more"}}, {"secret": {"name": "keys"}}]}},
            ],
        })
    }

    #[test]
    fn every_place_that_names_one_is_found() {
        use Kind::{ConfigMap, Secret};
        let all = [(ConfigMap, "more"), (ConfigMap, "settings"), (Secret, "keys"), (Secret, "tls")];
        assert_eq!(named(&spec()), all.map(|(kind, name)| (kind, name.to_owned())).into());
        assert!(named(&json!({})).is_empty());
    }

    #[test]
    fn only_what_names_one_is_written_and_nothing_else_of_it_is_lost() {
        let names = Names::from([
            ((Kind::ConfigMap, "settings".into()), "copy".into()),
            ((Kind::Secret, "keys".into()), "k".into()),
        ]);
        assert_eq!(
            exchanged(&spec(), &names),
            json!({
                "containers": [{"name": "api",
                    "envFrom": [{"configMapRef": {"name": "copy"}}, {"prefix": "X_", "secretRef": {"name": "k"}}],
                    "env": [{"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "copy", "key": "one"}}}]}],
                "volumes": [
                    {"name": "tls", "secret": {"secretName": "tls"}},
                    {"name": "both", "projected": {"sources": [{"configMap": {"name": "more"}}, {"secret": {"name": "k"}}]}},
                ],
            })
        );
    }
}
