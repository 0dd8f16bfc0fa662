//! `unleash-yggdrasil`: the engine by itself, `is_enabled` with a context that is made once a user; no counting.

use std::sync::Arc;

use unleash_yggdrasil::{Context, EngineState};

use super::unleash;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::Shape;
use crate::world::World;

struct Yggdrasil {
    engine: EngineState,
    contexts: Vec<Context>,
}

impl Contestant for Yggdrasil {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        self.engine.is_enabled(ask.name, &self.contexts[ask.user], &None)
    }
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let contexts = world
        .users
        .iter()
        .map(|user| Context {
            user_id: Some(user.id.clone()),
            properties: Some([("plan".to_owned(), user.plan.to_owned())].into()),
            ..Context::default()
        })
        .collect();
    let features = unleash::features(world, shape);
    let player = Arc::new(Yggdrasil { engine: EngineState::default(), contexts });
    let apply = |player: &Yggdrasil, features| {
        assert!(player.engine.apply_client_features(features).is_none(), "Unleash could not compile a flag");
    };
    apply(&player, features.clone());
    let writer = Arc::clone(&player);
    let update: Update = Box::new(move || apply(&writer, features.clone()));
    Entry {
        name: "unleash-yggdrasil",
        bucketing: Some(unleash::BUCKETING),
        expects: Expect::Case,
        player,
        update: Some(update),
        change: None,
    }
}
