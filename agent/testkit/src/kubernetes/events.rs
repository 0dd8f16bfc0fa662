//! Events have two doors with other names for the same fields: the core's, and that of `events.k8s.io`.

use serde_json::Value;

use super::value::map;

/// The group of the newer door.
pub(super) const GROUP: &str = "events.k8s.io";

/// Field of `events.k8s.io`, the same in the core.
const NAMES: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

/// As the core has it.
pub(super) fn to_core(event: &mut Value) {
    rename(event, |(new, core)| (new, core));
    if !event["apiVersion"].is_null() {
        event["apiVersion"] = Value::from("v1");
    }
}

/// As `events.k8s.io` has it; of a list every item.
pub(super) fn from_core(event: &mut Value) {
    if let Some(items) = event.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| rename(item, |(new, core)| (core, new)));
    } else {
        rename(event, |(new, core)| (core, new));
    }
    event["apiVersion"] = Value::from("events.k8s.io/v1");
}

fn rename(event: &mut Value, direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str)) {
    let fields = map(event);
    for (from, to) in NAMES.into_iter().map(direction) {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}
