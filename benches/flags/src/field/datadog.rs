//! `libdd-ffe`: `get_assignment`; contexts are made once a user. It has no store, so it is given the fastest, `arc_swap::Cache`.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use libdd_ffe::rules_based::{
    AssignmentValue, Configuration, EvaluationContext, ExpectedFlagType, Timestamp, UniversalFlagConfig,
    get_assignment, now,
};

use super::universal;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::Shape;
use crate::world::World;

struct Datadog {
    configuration: ArcSwap<Configuration>,
    contexts: Vec<EvaluationContext>,
}

struct Thread<'a> {
    configuration: Cache<&'a ArcSwap<Configuration>, Arc<Configuration>>,
    /// Read once, as a request that asks for several flags would.
    now: Timestamp,
}

impl Contestant for Datadog {
    type Thread<'a> = Thread<'a>;

    fn thread(&self) -> Thread<'_> {
        Thread { configuration: Cache::new(&self.configuration), now: now() }
    }

    #[inline]
    fn ask(&self, thread: &mut Thread<'_>, ask: &Ask<'_>) -> bool {
        let (now, context) = (thread.now, &self.contexts[ask.user]);
        let configuration = thread.configuration.load();
        let assignment = get_assignment(Some(configuration), ask.name, context, ExpectedFlagType::Boolean, now);
        matches!(assignment, Ok(found) if matches!(found.value, AssignmentValue::Boolean(true)))
    }
}

fn configuration(json: &[u8]) -> Configuration {
    let flags = UniversalFlagConfig::from_json(json.to_vec()).expect("flags as Datadog sends them");
    Configuration::from_server_response(flags)
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let context = |user: &crate::world::User| {
        let attributes = HashMap::from([("plan".into(), user.plan.into())]);
        EvaluationContext::new(Some(user.id.as_str().into()), Arc::new(attributes))
    };
    let contexts = world.users.iter().map(context).collect();
    let json = universal::configuration(world, shape);
    let player = Arc::new(Datadog { configuration: ArcSwap::from_pointee(configuration(&json)), contexts });
    let writer = Arc::clone(&player);
    let update: Update = Box::new(move || writer.configuration.store(Arc::new(configuration(&json))));
    Entry {
        name: "libdd-ffe",
        bucketing: Some(universal::BUCKETING),
        expects: Expect::Case,
        player,
        update: Some(update),
        change: None,
    }
}
