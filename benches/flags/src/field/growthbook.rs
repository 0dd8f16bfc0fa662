//! `growthbook-rust`: `check` of its core, reached through the client's public `gb`; attributes are made once a user.
//!
//! The client's own `is_on` copies every flag before each answer (`read_gb` in its `client.rs`), which would measure the copying.

use std::collections::HashMap;
use std::sync::Arc;

use growthbook_rust::client::{GrowthBookClient, GrowthBookClientBuilder};
use growthbook_rust::dto::GrowthBookFeature;
use growthbook_rust::model_public::GrowthBookAttribute;
use serde_json::{Map, Value, json};

use super::now;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::{Shape, WHOLE};
use crate::world::World;

struct GrowthBook {
    client: GrowthBookClient,
    attributes: Vec<Option<Vec<GrowthBookAttribute>>>,
}

impl Contestant for GrowthBook {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        let core = self.client.gb.read().expect("no writer panicked");
        core.check(ask.name, &self.attributes[ask.user]).on
    }
}

fn feature(name: &str, shape: &Shape) -> Value {
    let rollout = |share: u32| json!({ "force": true, "coverage": f64::from(share) / f64::from(WHOLE), "hashAttribute": "id", "seed": name });
    let mut rules: Vec<Value> = shape
        .rules
        .iter()
        .map(|rule| {
            let mut value = rollout(rule.rollout);
            value["condition"] = json!({ rule.attribute: rule.value });
            value
        })
        .collect();
    if shape.rollout > 0 && shape.rollout < WHOLE {
        rules.push(rollout(shape.rollout));
    }
    json!({ "defaultValue": shape.rollout == WHOLE, "rules": rules })
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let attributes = world
        .users
        .iter()
        .map(|user| GrowthBookAttribute::from(json!({ "id": user.id, "plan": user.plan })).ok())
        .collect();
    let json: Map<String, Value> = world.names.iter().map(|name| (name.clone(), feature(name, shape))).collect();
    let features: HashMap<String, GrowthBookFeature> =
        serde_json::from_value(Value::Object(json)).expect("flags as GrowthBook sends them");
    let builder = GrowthBookClientBuilder::new().features(features.clone());
    let client = now::runtime().block_on(builder.build()).expect("a client that connects to nothing");
    let gb = Arc::clone(&client.gb);
    let update: Update = Box::new(move || {
        let fresh = features.clone();
        let before = std::mem::replace(&mut gb.write().expect("no reader panicked").features, fresh);
        // Freed after the lock is: its readers need not wait for that.
        drop(before);
    });
    Entry {
        name: "growthbook-rust (core)",
        bucketing: Some("growthbook"),
        expects: Expect::Case,
        player: Arc::new(GrowthBook { client, attributes }),
        update: Some(update),
        change: None,
    }
}
