//! How the old colour is kept, as the resource holds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use teal_rollout::document::Cause;
use teal_rollout::retention::{self, Replicas};

use super::schema;
use super::state::short;

/// [`retention::Kept`] with names as Kubernetes writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The stage whose replicas it was given last, counted from 0.
    #[schemars(schema_with = "schema::step")]
    pub stage: u32,
    /// Counts the orders to scale it in this release.
    #[schemars(schema_with = "schema::step")]
    pub order: u32,
    /// Instances that were ordered last; none when it is to be full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::replicas")]
    pub replicas: Option<u16>,
    /// What is full, by component.
    #[schemars(schema_with = "schema::full")]
    pub full: BTreeMap<String, Full>,
    /// Why traffic goes back once it is full again; none where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::cause")]
    pub back: Option<Cause>,
}

/// What a colour had when it served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Full {
    /// Instances.
    #[schemars(schema_with = "schema::step")]
    pub instances: u32,
    /// Servers that each edge saw pass its checks.
    #[schemars(schema_with = "schema::step")]
    pub servers: u32,
}

impl From<&retention::Kept> for Kept {
    fn from(kept: &retention::Kept) -> Self {
        let full = |(name, full): (&String, &retention::Full)| {
            (name.clone(), Full { instances: full.instances, servers: full.servers })
        };
        let replicas = match kept.replicas {
            Replicas::Full => None,
            Replicas::Count(count) => Some(count),
        };
        Self {
            stage: kept.stage,
            order: kept.order,
            replicas,
            full: kept.full.iter().map(full).collect(),
            back: kept.back.clone().map(short),
        }
    }
}

impl From<Kept> for retention::Kept {
    fn from(kept: Kept) -> Self {
        let full =
            |(name, full): (String, Full)| (name, retention::Full { instances: full.instances, servers: full.servers });
        Self {
            stage: kept.stage,
            order: kept.order,
            replicas: kept.replicas.map_or(Replicas::Full, Replicas::Count),
            full: kept.full.into_iter().map(full).collect(),
            back: kept.back,
        }
    }
}
