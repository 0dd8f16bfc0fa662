//! What Unleash's two crates share: flags as its server sends them.

use serde_json::{Value, json};
use unleash_types::client_features::ClientFeatures;

use crate::shape::{Shape, WHOLE};
use crate::world::World;

/// By which both bucket.
pub(super) const BUCKETING: &str = "unleash";

/// `flexibleRollout` sticky on the user's id, with the rule as a constraint; on for all is the strategy `default`.
pub(super) fn features(world: &World, shape: &Shape) -> ClientFeatures {
    let features: Vec<Value> = world.names.iter().map(|name| feature(name, shape)).collect();
    serde_json::from_value(json!({ "version": 2, "features": features })).expect("flags as Unleash sends them")
}

fn feature(name: &str, shape: &Shape) -> Value {
    let rollout =
        |share: u32| json!({ "rollout": (share * 100 / WHOLE).to_string(), "stickiness": "userId", "groupId": name });
    let mut strategies: Vec<Value> = shape
        .rules
        .iter()
        .map(|rule| {
            json!({
                "name": "flexibleRollout",
                "constraints": [{ "contextName": rule.attribute, "operator": "IN", "values": [rule.value] }],
                "parameters": rollout(rule.rollout),
            })
        })
        .collect();
    if shape.rollout == WHOLE {
        strategies.push(json!({ "name": "default" }));
    } else if shape.rollout > 0 {
        strategies.push(json!({ "name": "flexibleRollout", "parameters": rollout(shape.rollout) }));
    }
    // Without any strategy a flag is on for all.
    if strategies.is_empty() {
        strategies.push(json!({ "name": "default" }));
    }
    json!({ "name": name, "type": "release", "enabled": shape.enabled, "strategies": strategies })
}
