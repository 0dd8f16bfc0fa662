//! Which lists and maps are merged and by what: by field names for what is built in, by the schema for custom resources.

use serde_json::Value;

use super::super::value::{list, text};

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Listing {
    /// Not at all: the list is one value.
    Atomic,
    /// By themselves.
    Set,
    /// By some of their fields.
    Keyed(Vec<String>),
}

/// Where in an object we are, as far as merging goes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Shape<'a> {
    /// Part of a built in type; the name of the field that led here.
    BuiltIn(&'a str),
    /// Part of a custom resource; its schema.
    Custom(&'a Value),
}

/// Maps of built in types that are one value.
const ATOMIC_MAPS: [&str; 8] = [
    "selector",
    "nodeSelector",
    "labelSelector",
    "matchLabels",
    "fieldRef",
    "secretKeyRef",
    "configMapKeyRef",
    "involvedObject",
];

/// Lists of built in types that are merged, and by which fields.
const KEYED_LISTS: [(&str, &[&str]); 10] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("imagePullSecrets", &["name"]),
    ("conditions", &["type"]),
    ("ownerReferences", &["uid"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
];

impl<'a> Shape<'a> {
    /// That of the field `name`.
    pub(in super::super) fn field(self, name: &'a str) -> Self {
        match self {
            Self::BuiltIn(_) => Self::BuiltIn(name),
            // Below the root of a custom resource the metadata is that of every object; it has no properties of its own.
            Self::Custom(schema) if name == "metadata" && schema["properties"].get("spec").is_some() => {
                Self::BuiltIn(name)
            }
            Self::Custom(schema) => match schema["properties"].get(name) {
                Some(field) => Self::Custom(field),
                None => Self::Custom(&schema["additionalProperties"]),
            },
        }
    }

    /// That of an item of the list that we are at.
    pub(in super::super) fn item(self) -> Self {
        match self {
            Self::BuiltIn(_) => Self::BuiltIn(""),
            Self::Custom(schema) => Self::Custom(&schema["items"]),
        }
    }

    pub(in super::super) fn is_atomic_map(self) -> bool {
        match self {
            Self::BuiltIn(name) => ATOMIC_MAPS.contains(&name),
            Self::Custom(schema) => schema["x-kubernetes-map-type"] == "atomic",
        }
    }

    /// How the list that we are at is merged; `items` are looked at where a field's name means two things.
    pub(in super::super) fn listing(self, items: &[Value]) -> Listing {
        match self {
            Self::BuiltIn("finalizers") => Listing::Set,
            Self::BuiltIn("ports") => {
                let is_container = items.iter().any(|item| item.get("containerPort").is_some());
                let port = if is_container { "containerPort" } else { "port" };
                let is_port = items.iter().all(|item| item.get(port).is_some());
                if is_port { keyed(&[port, "protocol"]) } else { Listing::Atomic }
            }
            Self::BuiltIn(name) => {
                let found = KEYED_LISTS.iter().find(|(list, _)| *list == name);
                found.map_or(Listing::Atomic, |(_, keys)| keyed(keys))
            }
            Self::Custom(schema) => match text(&schema["x-kubernetes-list-type"]) {
                "map" => Listing::Keyed(
                    list(&schema["x-kubernetes-list-map-keys"]).iter().map(|key| text(key).to_owned()).collect(),
                ),
                "set" => Listing::Set,
                _ => Listing::Atomic,
            },
        }
    }
}

fn keyed(keys: &[&str]) -> Listing {
    Listing::Keyed(keys.iter().map(|key| (*key).to_owned()).collect())
}

/// The fields that tell an item of a keyed list apart, in the order of their names; a port without protocol is TCP.
pub(in super::super) fn key_of(item: &Value, keys: &[String]) -> Value {
    let mut key = serde_json::Map::new();
    for name in keys {
        let value = item
            .get(name)
            .cloned()
            .unwrap_or_else(|| if name == "protocol" { Value::from("TCP") } else { Value::Null });
        key.insert(name.clone(), value);
    }
    Value::Object(key)
}
