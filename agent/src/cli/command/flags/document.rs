//! A document of flags and segments as a file: in a stable order, without what a service keeps by itself, so that it is the same
//! wherever it was exported from, and can be read again exactly.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};
use teal_flags::model::{Document, FORMAT, Flag, Part, Segment};

/// What a service keeps by itself.
pub(super) const KEPT: [&str; 4] = ["id", "version", "created_at", "updated_at"];

/// Fields that come first, in the order in which people read them; the others follow by name.
const FIRST: [&str; 12] = [
    "format",
    "name",
    "description",
    "enabled",
    "rollout_percentage",
    "environments",
    "segments",
    "flags",
    "attribute",
    "operator",
    "values",
    "conditions",
];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// JSON, indented.
    Json,
    /// JSON in one line, for scripts.
    #[value(skip)]
    Line,
    /// YAML.
    Yaml,
}

/// What a document holds, as a file's JSON.
pub(super) fn exported(document: &Document) -> Value {
    let unread = |part| document.unreadable.iter().filter(move |one| one.part == part).map(|one| one.json.clone());
    let flags = document.flags.iter().map(Flag::to_value).chain(unread(Part::Flag));
    let segments = document.segments.iter().map(Segment::to_value).chain(unread(Part::Segment));
    json!({"format": FORMAT, "segments": sorted(segments), "flags": sorted(flags)})
}

fn sorted(members: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut members: Vec<Value> = members.map(plain).collect();
    members.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    members
}

/// A flag or segment without what the service keeps.
pub(super) fn plain(mut json: Value) -> Value {
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| !KEPT.contains(&name.as_str()));
    }
    json
}

/// The text of a file.
pub(super) fn text(json: &Value, format: Format) -> Result<String, String> {
    match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&Ordered(json)).map_err(|error| error.to_string())?;
            Ok(text + "\n")
        }
        Format::Line => {
            serde_json::to_string(&Ordered(json)).map(|line| line + "\n").map_err(|error| error.to_string())
        }
        Format::Yaml => {
            // What is folded over lines may come back with other blanks.
            let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
            serde_saphyr::to_string_with_options(&Ordered(json), options).map_err(|error| error.to_string())
        }
    }
}

/// The JSON of a file that is JSON or YAML.
pub(super) fn parsed(text: &str) -> Result<Value, String> {
    let as_json = match serde_json::from_str(text) {
        Ok(json) => return Ok(json),
        Err(error) => error,
    };
    if text.trim_start().starts_with(['{', '[']) {
        // Meant as JSON: what YAML would say of it helps nobody.
        return Err(format!("is no JSON: {as_json}"));
    }
    let budget = serde_saphyr::budget! { max_nodes: 5_000_000, max_events: 10_000_000 };
    let options = serde_saphyr::options! { budget: budget, merge_keys: serde_saphyr::MergeKeyPolicy::AsOrdinary };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| format!("is neither JSON nor YAML: {}", error.to_string().lines().next().unwrap_or_default()))
}

/// JSON that is written with its fields in order.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let mut map = to.serialize_map(Some(fields.len()))?;
                for (name, value) in in_order(fields) {
                    map.serialize_entry(name, &Ordered(value))?;
                }
                map.end()
            }
            Value::Array(members) => {
                let mut list = to.serialize_seq(Some(members.len()))?;
                for member in members {
                    list.serialize_element(&Ordered(member))?;
                }
                list.end()
            }
            other => other.serialize(to),
        }
    }
}

fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    fields.sort_by_key(|(name, _)| (place(name), (*name).clone()));
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document() -> Document {
        Document::from_json(
            br#"{"revision": 7, "flags": [
                {"id": 8, "name": "telehealth", "enabled": true, "rollout_percentage": 12.345, "version": 3, "environments": ["prod", "no"],
                 "description": "Line one\nline two: yes # no\n", "created_at": "2026-11-28T07:00:00Z", "salt": "1e3",
                 "rules": [{"conditions": [{"attribute": "clinic", "values": ["007", "null", "~", "1.0", true, 3]}], "off": true}]},
                {"name": "a", "new_field": {"<<": {"x": null}}}],
              "segments": [{"name": "staff", "include": ["user-1"], "version": 2}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_file_is_in_order_and_has_nothing_that_a_service_keeps() {
        let json = exported(&document());
        insta::assert_snapshot!(text(&json, Format::Json).unwrap() + "---\n" + &text(&json, Format::Yaml).unwrap());
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        let json = exported(&document());
        for format in [Format::Json, Format::Line, Format::Yaml] {
            let written = text(&json, format).unwrap();
            assert_eq!(parsed(&written).unwrap(), json, "{written}");
            assert_eq!(written.lines().count() == 1, format == Format::Line, "{written}");
            let again = Document::from_value(parsed(&written).unwrap()).unwrap();
            assert_eq!(exported(&again), json);
        }
    }

    #[test]
    fn what_is_no_document_says_why() {
        let check = |text: &str, words: &str| {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        check("{\"flags\": [}", "is no JSON: ");
        check("flags: [", "is neither JSON nor YAML: ");
        check("a: 1\na: 2", "is neither JSON nor YAML: ");
    }

    /// Texts that YAML might take for something else, and others.
    fn json() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            Just("yes"),
            Just("null"),
            Just("~"),
            Just("1e3"),
            Just("0x1F"),
            Just("- a"),
            Just("a: b"),
            Just(" x "),
            Just("#"),
            Just("*a"),
            Just("&a"),
            Just("!t"),
            Just("%"),
            Just("@"),
            Just("`"),
            Just("|"),
            Just(">"),
            Just("'"),
            Just("\""),
            Just("<<"),
            Just("="),
            Just(""),
            Just("2026-11-28"),
            Just(".inf"),
            Just("0o7"),
            Just("1_000"),
            Just("12:30:00"),
            Just("---"),
            Just("..."),
            Just("\u{feff}x"),
            Just("\u{85}"),
        ];
        let text = prop_oneof![word.prop_map(str::to_owned), "\\PC{0,100}", "[a-z \n\t:#'\"-]{0,120}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_reads_as_the_same_from_yaml(json in json()) {
            // A file is an object, so that it is never taken for JSON.
            let json = json!({"flags": [json]});
            let written = text(&json, Format::Yaml).unwrap();
            prop_assert_eq!(parsed(&written), Ok(json), "{}", written);
        }
    }
}
