//! `unleash-api-client`: the client's own `is_enabled_str`, which counts; nothing is sent, flags are handed to `memoize`.

use std::sync::Arc;

use async_trait::async_trait;
use unleash_api_client::client::FeatureKey;
use unleash_api_client::http::{Request, Response, Transport};
use unleash_api_client::{Client, ClientBuilder, Context};

use super::unleash;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::Shape;
use crate::world::World;

/// The type of flags known at compile time: none, all are asked for by name.
#[derive(Clone, Copy, Debug)]
enum NoFlag {}

impl FeatureKey for NoFlag {
    fn name(self) -> &'static str {
        match self {}
    }
}

struct Offline;

#[async_trait]
impl Transport for Offline {
    async fn execute(&self, _: Request) -> anyhow::Result<Response> {
        Ok(Response { status: 200, body: Vec::new() })
    }
}

struct UnleashClient {
    client: Client<NoFlag>,
    contexts: Vec<Context>,
}

impl Contestant for UnleashClient {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        self.client.is_enabled_str(ask.name, Some(&self.contexts[ask.user]), false)
    }
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let contexts = world
        .users
        .iter()
        .map(|user| Context {
            user_id: Some(user.id.clone()),
            properties: [("plan".to_owned(), user.plan.to_owned())].into(),
            ..Context::default()
        })
        .collect();
    let client = ClientBuilder::default()
        .enable_string_features()
        .disable_metric_submission()
        .into_client_with_transport("http://127.0.0.1/", "bench", "bench", None, Arc::new(Offline))
        .expect("a client that connects to nothing");
    let features = unleash::features(world, shape);
    let player = Arc::new(UnleashClient { client, contexts });
    let apply = |player: &UnleashClient, features| {
        player.client.memoize(features).expect("flags that Unleash takes");
    };
    apply(&player, features.clone());
    let writer = Arc::clone(&player);
    let update: Update = Box::new(move || apply(&writer, features.clone()));
    Entry {
        name: "unleash-api-client",
        bucketing: Some(unleash::BUCKETING),
        expects: Expect::Case,
        player,
        update: Some(update),
        change: None,
    }
}
