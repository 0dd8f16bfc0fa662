//! Prerequisites that would have no end, or hardly one.

use std::collections::HashMap;

use crate::snapshot::entry::Entry;

/// How deep prerequisites may stand on one another.
pub(crate) const MAX_DEPTH: u32 = 16;

/// How many flags one answer may ask for, itself included.
pub(crate) const MAX_WORK: u64 = 1000;

/// What is wrong with a flag's prerequisites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endless {
    /// It stands on itself.
    Circle,
    /// More than [`MAX_DEPTH`] stand on one another.
    TooDeep,
    /// One answer would ask for more than [`MAX_WORK`] flags.
    TooMuch,
}

impl Endless {
    pub(super) fn problem(self) -> String {
        match self {
            Self::Circle => "the flag depends on itself; take one prerequisite out of the circle".to_owned(),
            Self::TooDeep => format!("more than {MAX_DEPTH} flags depend on one another; shorten the chain"),
            Self::TooMuch => {
                format!("one answer would have to ask for more than {MAX_WORK} flags; have fewer prerequisites")
            }
        }
    }
}

/// What an answer costs.
#[derive(Clone, Copy)]
struct Cost {
    depth: u32,
    work: u64,
}

/// Looks at what is asked when.
#[derive(Default)]
struct Walk {
    /// Of those that have been left again.
    costs: HashMap<u32, Result<Cost, Endless>>,
}

impl Walk {
    /// What a flag's answer costs. `depth` is how many stand above it: so deep at most does this call itself.
    fn cost(&mut self, entries: &[Entry], number: u32, above: &mut Vec<u32>) -> Result<Cost, Endless> {
        if let Some(known) = self.costs.get(&number) {
            return *known;
        }
        if above.contains(&number) {
            return Err(Endless::Circle);
        }
        // One that stands too deep from here need not from elsewhere: it is not remembered.
        if above.len() > MAX_DEPTH as usize {
            return Err(Endless::TooDeep);
        }
        let compiled = entries.get(number as usize).and_then(Entry::compiled);
        let below = compiled.map_or(&[][..], |flag| &flag.prerequisites);
        above.push(number);
        let cost = below.iter().try_fold(Cost { depth: 0, work: 1 }, |sum, prerequisite| {
            let cost = self.cost(entries, prerequisite.number, above)?;
            Ok(Cost { depth: sum.depth.max(cost.depth + 1), work: sum.work.saturating_add(cost.work) })
        });
        above.pop();
        let cost = match cost {
            Ok(cost) if cost.depth > MAX_DEPTH => Err(Endless::TooDeep),
            Ok(cost) if cost.work > MAX_WORK => Err(Endless::TooMuch),
            cost => cost,
        };
        if cost.is_ok() || above.is_empty() {
            self.costs.insert(number, cost);
        }
        cost
    }
}

/// The flags, by their numbers, whose prerequisites cannot be followed to an end.
pub(super) fn find(entries: &[Entry]) -> Vec<(u32, Endless)> {
    let mut walk = Walk::default();
    let has_some = |(number, entry): (u32, &Entry)| {
        entry.compiled().is_some_and(|flag| !flag.prerequisites.is_empty()).then_some(number)
    };
    let numbers = (0..).zip(entries).filter_map(has_some);
    numbers.filter_map(|number| Some((number, walk.cost(entries, number, &mut Vec::new()).err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::compiled::tests::compiled;
    use crate::snapshot::compiled::{Prerequisite, Required};

    /// Flags by number, each with the numbers that it depends on.
    fn check(flags: &[&[u32]], expected: &[(u32, Endless)]) {
        let entry = |below: &&[u32]| {
            let mut flag = compiled("salt");
            flag.prerequisites =
                below.iter().map(|number| Prerequisite { number: *number, required: Required::On }).collect();
            Entry::known("flag", flag)
        };
        let entries: Vec<_> = flags.iter().map(entry).collect();
        assert_eq!(find(&entries), expected);
    }

    #[test]
    fn whoever_reaches_a_circle_is_found_and_nobody_else() {
        use Endless::Circle;
        check(&[&[], &[0], &[0, 1]], &[]);
        check(&[&[0]], &[(0, Circle)]);
        check(&[&[1], &[2], &[0], &[2], &[], &[4]], &[(0, Circle), (1, Circle), (2, Circle), (3, Circle)]);
        check(&[&[7]], &[]);
    }

    #[test]
    fn a_chain_may_be_so_long_and_an_answer_cost_so_much() {
        let chain: Vec<Vec<u32>> = (0..20).map(|at: u32| at.checked_sub(1).into_iter().collect()).collect();
        let chain: Vec<&[u32]> = chain.iter().map(Vec::as_slice).collect();
        check(&chain, &[(17, Endless::TooDeep), (18, Endless::TooDeep), (19, Endless::TooDeep)]);
        // Each asks for the one below twice: 2^n.
        let doubled: Vec<Vec<u32>> =
            (0..12).map(|at: u32| at.checked_sub(1).into_iter().cycle().take(2).collect()).collect();
        let doubled: Vec<&[u32]> =
            doubled.iter().enumerate().map(|(at, below)| if at == 0 { &[][..] } else { below.as_slice() }).collect();
        check(&doubled, &[(9, Endless::TooMuch), (10, Endless::TooMuch), (11, Endless::TooMuch)]);
    }
}
