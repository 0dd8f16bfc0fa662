//! The "universal flag configuration" that Eppo's core reads, and Datadog's, which grew out of it.

use serde_json::{Map, Value, json};

use crate::shape::{Shape, WHOLE};
use crate::world::World;

/// By which both bucket.
pub(super) const BUCKETING: &str = "md5 shards";

/// As the server sends it. `totalShards` stands where the one looks for it, and where the other does; nothing is logged.
pub(super) fn configuration(world: &World, shape: &Shape) -> Vec<u8> {
    let flags: Map<String, Value> = world.names.iter().map(|name| (name.clone(), flag(name, shape))).collect();
    let document = json!({
        "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": { "name": "bench" }, "flags": flags,
    });
    serde_json::to_vec(&document).expect("JSON")
}

fn flag(name: &str, shape: &Shape) -> Value {
    let mut allocations: Vec<Value> = shape
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let conditions = json!([{ "attribute": rule.attribute, "operator": "ONE_OF", "value": [rule.value] }]);
            json!({
                "key": format!("rule-{index}"), "doLog": false, "rules": [{ "conditions": conditions }],
                "splits": splits(name, rule.rollout),
            })
        })
        .collect();
    allocations.push(json!({ "key": "rest", "doLog": false, "rules": [], "splits": splits(name, shape.rollout) }));
    json!({
        // Off is a split that gives "off" to all: a disabled flag would be answered as an error.
        "key": name, "enabled": true, "variationType": "BOOLEAN", "totalShards": WHOLE, "allocations": allocations,
        "variations": { "on": { "key": "on", "value": true }, "off": { "key": "off", "value": false } },
    })
}

/// So many get "on"; the rest, without another hash, "off".
fn splits(name: &str, rollout: u32) -> Vec<Value> {
    let all = |variation: &str| json!({ "variationKey": variation, "shards": [] });
    let some = json!({ "variationKey": "on", "shards": [
        { "salt": name, "totalShards": WHOLE, "ranges": [{ "start": 0, "end": rollout }] },
    ] });
    match rollout {
        WHOLE => vec![all("on")],
        0 => vec![all("off")],
        _ => vec![some, all("off")],
    }
}
