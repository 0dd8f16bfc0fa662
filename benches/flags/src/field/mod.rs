//! Who plays: one file a contestant, each used the way its own documentation shows at its fastest.

use std::sync::Arc;

use crate::player::Entry;
use crate::shape::Shape;
use crate::world::World;

#[cfg(feature = "peers")]
mod datadog;
#[cfg(feature = "peers")]
mod eppo;
#[cfg(feature = "flagd")]
mod flagd;
mod floor;
#[cfg(feature = "peers")]
mod growthbook;
#[cfg(feature = "peers")]
mod launchdarkly;
mod nothing;
#[cfg(feature = "peers")]
mod now;
#[cfg(feature = "peers")]
mod openfeature;
mod teal;
#[cfg(feature = "peers")]
mod universal;
#[cfg(feature = "peers")]
mod unleash;
#[cfg(feature = "peers")]
mod unleash_client;
#[cfg(feature = "peers")]
mod yggdrasil;

/// Makes a contestant that holds the world's flags, each of this shape.
pub type Build = fn(&Arc<World>, &Shape) -> Entry;

/// Everybody, in the order of the table.
pub const ALL: &[Build] = &[
    nothing::build,
    floor::by_name,
    floor::ready,
    floor::bare,
    teal::by_name,
    teal::by_handle,
    teal::declared,
    #[cfg(feature = "peers")]
    yggdrasil::build,
    #[cfg(feature = "peers")]
    unleash_client::build,
    #[cfg(feature = "peers")]
    launchdarkly::build,
    #[cfg(feature = "peers")]
    eppo::build,
    #[cfg(feature = "peers")]
    datadog::build,
    #[cfg(feature = "peers")]
    growthbook::build,
    #[cfg(feature = "flagd")]
    flagd::build,
    #[cfg(feature = "peers")]
    openfeature::build,
];
