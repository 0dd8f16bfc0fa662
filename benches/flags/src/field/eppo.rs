//! `eppo_core`: `get_assignment` on the configuration that its store holds, with its feature `ahash`; subjects are made once a user.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eppo_core::configuration_store::ConfigurationStore;
use eppo_core::eval::get_assignment;
use eppo_core::ufc::{AssignmentValue, UniversalFlagConfig, VariationType};
use eppo_core::{Attributes, Configuration, SdkMetadata, Str};

use super::universal;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::Shape;
use crate::world::World;

struct Eppo {
    store: ConfigurationStore,
    subjects: Vec<(Str, Arc<Attributes>)>,
}

impl Contestant for Eppo {
    /// The time, which the function takes: read once, as a request that asks for several flags would.
    type Thread<'a> = DateTime<Utc>;

    fn thread(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[inline]
    fn ask(&self, now: &mut DateTime<Utc>, ask: &Ask<'_>) -> bool {
        let (key, attributes) = &self.subjects[ask.user];
        let configuration = self.store.get_configuration();
        let wanted = Some(VariationType::Boolean);
        let assignment = get_assignment(configuration.as_deref(), ask.name, key, attributes, wanted, *now);
        matches!(assignment, Ok(Some(found)) if matches!(found.value, AssignmentValue::Boolean(true)))
    }
}

fn configuration(json: &[u8]) -> Arc<Configuration> {
    let sdk = SdkMetadata { name: "bench", version: "1" };
    let flags = UniversalFlagConfig::from_json(sdk, json.to_vec()).expect("flags as Eppo sends them");
    Arc::new(Configuration::from_server_response(flags, None))
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let subject = |user: &crate::world::User| {
        let attributes: Attributes = [("plan".into(), user.plan.into())].into_iter().collect();
        (Str::from(user.id.as_str()), Arc::new(attributes))
    };
    let subjects = world.users.iter().map(subject).collect();
    let json = universal::configuration(world, shape);
    let player = Arc::new(Eppo { store: ConfigurationStore::new(), subjects });
    player.store.set_configuration(configuration(&json));
    let writer = Arc::clone(&player);
    let update: Update = Box::new(move || writer.store.set_configuration(configuration(&json)));
    Entry {
        name: "eppo_core",
        bucketing: Some(universal::BUCKETING),
        expects: Expect::Case,
        player,
        update: Some(update),
        change: None,
    }
}
