//! Whether everybody answers what was asked: nobody is timed on an error path or on the wrong flags.

use std::collections::BTreeMap;

use crate::player::{Entry, Expect};
use crate::shape::Case;
use crate::world::World;

/// How far a share may be from what was expected: five standard deviations of 8,192 questions.
const TOLERANCE: f64 = 0.025;

/// Sentences about wrong answers; none when all is well. Also gives each contestant's share of yes.
#[must_use]
pub fn answers(world: &World, case: Case, entries: &[Entry]) -> (Vec<f64>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut shares = Vec::new();
    let mut seen = BTreeMap::new();
    for entry in entries {
        let answers = entry.player.play(world, &world.questions, 1);
        let share = answers.on as f64 / world.questions.len() as f64;
        shares.push(share);
        let place = format!("{} flags, {}: {}", world.names.len(), case.name(), entry.name);
        let expected = match entry.expects {
            Expect::Case => case.expected_share(),
            Expect::Share(share) => share,
            Expect::Unchecked => share,
        };
        let tolerance = if expected == 0.0 || expected == 1.0 { 0.0 } else { TOLERANCE };
        if (share - expected).abs() > tolerance {
            wrong.push(format!("{place} says yes to {share:.4}, expected {expected}"));
        }
        if let Some(bucketing) = entry.bucketing {
            let (first, hash) = *seen.entry(bucketing).or_insert((entry.name, answers.hash));
            if hash != answers.hash {
                wrong.push(format!("{place} answers otherwise than {first}, though both bucket by {bucketing}"));
            }
        }
    }
    (shares, wrong)
}
