//! Names of flags and their numbers, which never change: handles and declared flags keep them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::index::{Index, MAX_NAMES};

/// All names that were ever told or asked for by handle.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// Of `names`, as long as none was added.
    frozen: Option<Frozen>,
}

/// Names as a snapshot has them.
#[derive(Clone, Debug)]
pub(super) struct Frozen {
    pub(super) index: Arc<Index>,
    pub(super) names: Arc<[Arc<str>]>,
}

impl Names {
    /// The number of a name.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Gives a new name the next number; `None` if there are too many.
    pub(super) fn add(&mut self, name: &str) -> Option<u32> {
        let number = u32::try_from(self.names.len()).ok().filter(|_| self.names.len() < MAX_NAMES)?;
        let shared: Arc<str> = name.into();
        self.names.push(shared.clone());
        self.numbers.insert(shared, number);
        self.frozen = None;
        Some(number)
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> Option<&Arc<str>> {
        self.names.get(number as usize)
    }

    /// All of them, for a snapshot.
    pub(super) fn freeze(&mut self) -> Frozen {
        let names = &self.names;
        let freeze = || Frozen { index: Arc::new(Index::new(names)), names: names.as_slice().into() };
        self.frozen.get_or_insert_with(freeze).clone()
    }
}
