//! `launchdarkly-server-sdk`: `bool_variation` of a client whose flags come from its own `TestData` and whose events are switched
//! off; everything else is as in production.

use std::sync::Arc;
use std::time::Duration;

use launchdarkly_server_sdk::{
    Client, ConfigBuilder, Context, ContextBuilder, Flag, NullEventProcessorBuilder, TestData,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::now;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::{Shape, WHOLE};
use crate::world::World;

struct LaunchDarkly {
    client: Client,
    contexts: Vec<Context>,
    /// Where the client's tasks live.
    _runtime: Runtime,
}

impl Contestant for LaunchDarkly {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        self.client.bool_variation(&self.contexts[ask.user], ask.name, false)
    }
}

fn flag(name: &str, shape: &Shape) -> Flag {
    let rollout = |share: u32| {
        json!({ "rollout": { "variations": [
            { "variation": 0, "weight": share }, { "variation": 1, "weight": WHOLE - share },
        ] } })
    };
    let rules: Vec<Value> = shape
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let mut value = rollout(rule.rollout);
            value["id"] = json!(format!("rule-{index}"));
            value["clauses"] = json!([
                { "contextKind": "user", "attribute": rule.attribute, "op": "in", "values": [rule.value], "negate": false },
            ]);
            value["trackEvents"] = json!(false);
            value
        })
        .collect();
    let fallthrough = match shape.rollout {
        WHOLE => json!({ "variation": 0 }),
        0 => json!({ "variation": 1 }),
        share => rollout(share),
    };
    serde_json::from_value(json!({
        "key": name, "version": 1, "on": shape.enabled, "salt": name, "variations": [true, false], "offVariation": 1,
        "targets": [], "contextTargets": [], "prerequisites": [], "rules": rules, "fallthrough": fallthrough,
        "clientSideAvailability": { "usingMobileKey": false, "usingEnvironmentId": false },
    }))
    .expect("a flag as LaunchDarkly sends it")
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let flags: Vec<Flag> = world.names.iter().map(|name| flag(name, shape)).collect();
    let data = TestData::new();
    for flag in &flags {
        data.use_preconfigured_flag(flag.clone());
    }
    let config = ConfigBuilder::new("bench")
        .data_source(&data)
        .event_processor(&NullEventProcessorBuilder::new())
        .build()
        .expect("a client that connects to nothing");
    let runtime = now::runtime();
    let client = Client::build(config).expect("a client that connects to nothing");
    runtime.block_on(async {
        client.start_with_default_executor();
        assert_eq!(
            client.wait_for_initialization(Duration::from_secs(10)).await,
            Some(true),
            "LaunchDarkly did not start"
        );
    });
    let contexts = world
        .users
        .iter()
        .map(|user| ContextBuilder::new(user.id.clone()).set_string("plan", user.plan).build().expect("a context"))
        .collect();
    let mut next = flags.clone().into_iter().cycle();
    let one = data.clone();
    let change: Update = Box::new(move || next.by_ref().take(1).for_each(|flag| one.use_preconfigured_flag(flag)));
    // There is no way in for a whole set: a replacement is one write for each flag.
    let update: Update = Box::new(move || flags.iter().for_each(|flag| data.use_preconfigured_flag(flag.clone())));
    Entry {
        name: "launchdarkly-server-sdk",
        bucketing: Some("launchdarkly"),
        expects: Expect::Case,
        player: Arc::new(LaunchDarkly { client, contexts, _runtime: runtime }),
        update: Some(update),
        change: Some(change),
    }
}
