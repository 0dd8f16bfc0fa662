//! Whether an attribute is equal to, below or above one of several values.

use std::cmp::Ordering;

/// How the attribute stands to a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The values, as far as they matter: less than one of them is less than the greatest.
#[derive(Debug)]
pub(super) struct Order<T> {
    relation: Relation,
    /// Ascending without repetition for `Equal`, else at most one.
    values: Box<[T]>,
}

impl<T: Ord> Order<T> {
    pub(super) fn new(relation: Relation, mut values: Vec<T>) -> Self {
        values.sort_unstable();
        values.dedup();
        let values = match relation {
            Relation::Equal => values,
            Relation::Less | Relation::LessOrEqual => values.pop().into_iter().collect(),
            Relation::Greater | Relation::GreaterOrEqual => values.into_iter().take(1).collect(),
        };
        Self { relation, values: values.into() }
    }

    /// Whether the relation holds; `compare` tells how a value stands to the attribute.
    pub(super) fn holds(&self, compare: impl Fn(&T) -> Ordering) -> bool {
        let limit = || self.values.first().map(&compare);
        match self.relation {
            Relation::Equal => self.values.binary_search_by(compare).is_ok(),
            Relation::Less => limit().is_some_and(Ordering::is_gt),
            Relation::LessOrEqual => limit().is_some_and(Ordering::is_ge),
            Relation::Greater => limit().is_some_and(Ordering::is_lt),
            Relation::GreaterOrEqual => limit().is_some_and(Ordering::is_le),
        }
    }
}
