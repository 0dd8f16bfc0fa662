//! `open-feature-flagd`: the provider in file mode, asked directly, its cache off as its documentation has it for this mode.

use std::io::Write;
use std::sync::Arc;

use open_feature::EvaluationContext;
use open_feature::provider::FeatureProvider;
use open_feature_flagd::{FlagdOptions, FlagdProvider, ResolverType};
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;

use super::now;
use super::openfeature;
use crate::player::{Ask, Contestant, Entry, Expect};
use crate::shape::{Shape, WHOLE};
use crate::world::World;

struct Flagd {
    provider: FlagdProvider,
    contexts: Vec<EvaluationContext>,
    /// Where the provider's tasks live.
    _runtime: Runtime,
    _file: NamedTempFile,
}

impl Contestant for Flagd {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        let answer = now::now(self.provider.resolve_bool_value(ask.name, &self.contexts[ask.user]));
        answer.is_ok_and(|details| details.value)
    }
}

fn flag(shape: &Shape) -> Value {
    let fractional = |share: u32| json!({ "fractional": [["on", share / 1_000], ["off", (WHOLE - share) / 1_000]] });
    let rest = match shape.rollout {
        WHOLE => json!("on"),
        0 => json!("off"),
        share => fractional(share),
    };
    let mut flag = json!({
        "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
    });
    if shape.rules.is_empty() && rest.is_string() {
        flag["defaultVariant"] = rest;
        return flag;
    }
    let mut targeting = rest;
    for rule in shape.rules.iter().rev() {
        targeting =
            json!({ "if": [{ "==": [{ "var": rule.attribute }, rule.value] }, fractional(rule.rollout), targeting] });
    }
    flag["targeting"] = targeting;
    flag
}

pub(super) fn build(world: &Arc<World>, shape: &Shape) -> Entry {
    let flags: Map<String, Value> = world.names.iter().map(|name| (name.clone(), flag(shape))).collect();
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().expect("a file for flagd's flags");
    file.write_all(json!({ "flags": flags }).to_string().as_bytes()).expect("a file for flagd's flags");
    let options = FlagdOptions {
        resolver_type: ResolverType::File,
        source_configuration: Some(file.path().to_string_lossy().into_owned()),
        cache_settings: None,
        ..FlagdOptions::default()
    };
    let runtime = now::runtime();
    let provider = runtime.block_on(FlagdProvider::new(options)).expect("flagd read its file");
    Entry {
        name: "open-feature-flagd",
        bucketing: Some("flagd"),
        expects: Expect::Case,
        player: Arc::new(Flagd { provider, contexts: openfeature::contexts(world), _runtime: runtime, _file: file }),
        update: None,
        change: None,
    }
}
