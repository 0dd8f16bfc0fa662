//! `open-feature`: its client before a provider that always says yes. No flag system: what the facade adds to one.

use std::sync::Arc;

use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{Client, EvaluationContext, EvaluationError, EvaluationErrorCode, OpenFeature, StructValue};

use super::now;
use crate::player::{Ask, Contestant, Entry, Expect};
use crate::shape::Shape;
use crate::world::World;

struct Yes(ProviderMetadata);

fn only_booleans<T>() -> Result<ResolutionDetails<T>, EvaluationError> {
    Err(EvaluationError::builder().code(EvaluationErrorCode::TypeMismatch).build())
}

#[async_trait]
impl FeatureProvider for Yes {
    fn metadata(&self) -> &ProviderMetadata {
        &self.0
    }

    async fn resolve_bool_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<bool>, EvaluationError> {
        Ok(ResolutionDetails::new(true))
    }

    async fn resolve_int_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<i64>, EvaluationError> {
        only_booleans()
    }

    async fn resolve_float_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<f64>, EvaluationError> {
        only_booleans()
    }

    async fn resolve_string_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<String>, EvaluationError> {
        only_booleans()
    }

    async fn resolve_struct_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<StructValue>, EvaluationError> {
        only_booleans()
    }
}

struct Facade {
    client: Client,
    contexts: Vec<EvaluationContext>,
}

impl Contestant for Facade {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        now::now(self.client.get_bool_value(ask.name, Some(&self.contexts[ask.user]), None)).is_ok_and(|on| on)
    }
}

/// One for each user.
pub(super) fn contexts(world: &World) -> Vec<EvaluationContext> {
    let context = |user: &crate::world::User| {
        EvaluationContext::default().with_targeting_key(user.id.as_str()).with_custom_field("plan", user.plan)
    };
    world.users.iter().map(context).collect()
}

pub(super) fn build(world: &Arc<World>, _: &Shape) -> Entry {
    let client = now::runtime().block_on(async {
        let mut api = OpenFeature::singleton_mut().await;
        api.set_provider(Yes(ProviderMetadata::new("yes"))).await;
        api.create_client()
    });
    let player = Arc::new(Facade { client, contexts: contexts(world) });
    Entry {
        name: "open-feature (constant)",
        bucketing: None,
        expects: Expect::Share(1.0),
        player,
        update: None,
        change: None,
    }
}
