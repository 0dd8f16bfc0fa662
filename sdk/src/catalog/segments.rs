//! Segments in force, and the flags that name them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Catalog, Problem, compile};
use crate::model::{Condition, Flag, ModelError, Test};

impl Catalog {
    /// The segments in force: the service's before the file's. One that cannot be compiled stays as it was.
    pub(super) fn compile_segments(&mut self, names: &BTreeSet<String>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for name in names {
            match self
                .live
                .segments
                .get(name)
                .or_else(|| self.file.segments.get(name))
                .map(|said| compile::segment(said, &mut self.words))
            {
                None => drop(self.segments.remove(name)),
                Some(Ok(segment)) => drop(self.segments.insert(name.clone(), Arc::new(segment))),
                Some(Err(error)) => {
                    let error = ModelError { at: format!("segments[{name}].{}", error.at), ..error };
                    problems.push(Problem { flag: None, error, kept: self.segments.contains_key(name) });
                }
            }
        }
        problems
    }

    /// Flags with a condition on one of these segments.
    pub(super) fn flags_that_name(&self, segments: &BTreeSet<String>) -> Vec<String> {
        if segments.is_empty() {
            return Vec::new();
        }
        let is_named =
            |condition: &Condition| matches!(&condition.test, Test::Segment(name) if segments.contains(name));
        let names_one = |flag: &&Flag| flag.rules.iter().flat_map(|rule| &rule.conditions).any(is_named);
        let flags = self.file.flags.values().chain(self.live.flags.values());
        flags.filter(names_one).map(|flag| flag.name.clone()).collect()
    }
}
