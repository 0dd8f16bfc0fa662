//! What is known of each flag, for people who look.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Catalog;
use super::layer::Layer;
use crate::model::Flag;

/// A flag that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: Arc<str>,
    /// The version that answers, which is older than the newest if that cannot be used.
    pub version: u64,
    /// Who told of it: the service goes before the file.
    pub layer: Layer,
    /// It may be on for somebody: switched on, not archived, meant for this environment, and its time has come. Its share may be
    /// 0 % nevertheless.
    pub enabled: bool,
    /// It can be used. Otherwise callers get their defaults.
    pub usable: bool,
}

impl Catalog {
    /// All flags that were told of and not deleted, by name.
    pub(crate) fn known(&self) -> Vec<Known> {
        let file = self.file.flags.values().map(|flag| (Layer::File, flag));
        let live = self.live.flags.values().map(|flag| (Layer::Live, flag));
        // The service's come last, and stay.
        let told: BTreeMap<&str, (Layer, &Flag)> =
            file.chain(live).map(|(layer, flag)| (flag.name.as_str(), (layer, flag))).collect();
        told.into_iter().filter_map(|(name, (layer, flag))| self.known_as(name, layer, flag)).collect()
    }

    /// `None`: there are too many names for this one.
    fn known_as(&self, name: &str, layer: Layer, told: &Flag) -> Option<Known> {
        let number = self.names.number(name)?;
        let compiled = self.entries.get(number as usize)?.compiled();
        Some(Known {
            name: self.names.name(number)?.clone(),
            version: compiled.map_or(told.version, |flag| flag.version),
            layer,
            enabled: compiled.is_some_and(|flag| !flag.off),
            usable: compiled.is_some(),
        })
    }
}
