//! The path of a field, and sets of them as `managedFields` write them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Step {
    /// `f:spec`.
    Field(String),
    /// `k:{"name":"api"}`; the key as canonical JSON.
    Key(String),
    /// `v:"a"`; the item as canonical JSON.
    Item(String),
}

pub(in super::super) type Path = Vec<Step>;

/// Fields that a manager owns: leaves, atomic values, and items of lists as such.
pub(in super::super) type Set = BTreeSet<Path>;

impl Step {
    fn written(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(key) => format!("k:{key}"),
            Self::Item(item) => format!("v:{item}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (sort, rest) = text.split_once(':')?;
        match sort {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => Some(Self::Key(rest.to_owned())),
            "v" => Some(Self::Item(rest.to_owned())),
            _ => None,
        }
    }
}

/// As people and conflicts write it: `.spec.template.spec.containers[name="api"].image`.
pub(in super::super) fn shown(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Item(item) => format!("[={item}]"),
        Step::Key(key) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let pairs: Vec<String> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", pairs.join(","))
        }
    };
    path.iter().map(step).collect()
}

/// The set as `fieldsV1`.
pub(in super::super) fn encoded(set: &Set) -> Value {
    let mut root = Map::new();
    for path in set {
        insert(&mut root, path);
    }
    Value::Object(root)
}

fn insert(level: &mut Map<String, Value>, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    let next = level.entry(step.written()).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(next) = next else { return };
    if rest.is_empty() && matches!(step, Step::Key(_)) {
        next.insert(".".to_owned(), Value::Object(Map::new()));
    }
    insert(next, rest);
}

/// The reverse of [`encoded`].
pub(in super::super) fn decoded(fields: &Value) -> Set {
    let mut set = Set::new();
    collect(fields, &mut Vec::new(), &mut set);
    set
}

fn collect(fields: &Value, path: &mut Path, set: &mut Set) {
    let Value::Object(fields) = fields else { return };
    if (fields.is_empty() || fields.contains_key(".")) && !path.is_empty() {
        set.insert(path.clone());
    }
    for (name, inner) in fields {
        if let Some(step) = Step::read(name) {
            path.push(step);
            collect(inner, path, set);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_set_survives_being_written() {
        let fields = json!({
            "f:metadata": {"f:finalizers": {"v:\"a/b\"": {}}},
            "f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"api\"}": {".": {}, "f:image": {}}}},
        });
        let set = decoded(&fields);
        assert_eq!(set.len(), 4);
        assert_eq!(encoded(&set), fields);
        let all: Vec<String> = set.iter().map(shown).collect();
        assert!(all.contains(&".spec.containers[name=\"api\"].image".to_owned()), "{all:?}");
    }
}
