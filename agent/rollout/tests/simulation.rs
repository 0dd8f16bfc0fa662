//! Thousands of seeded worlds; `TEAL_SEEDS=100000` runs more of them, `TEAL_SEED=123` one of them.

use teal_rollout::simulation::{Sabotage, Scenario, Tally, run};

fn seeds(default: u64) -> u64 {
    std::env::var("TEAL_SEEDS").ok().map_or(default, |text| text.parse().expect("TEAL_SEEDS is a number"))
}

fn run_all(count: u64, scenario: fn(u64) -> Scenario) -> Tally {
    let mut sum = Tally::default();
    for seed in 0..count {
        match run(&scenario(seed)) {
            Ok(tally) => sum.add(&tally),
            Err(violation) => panic!("\n{violation}"),
        }
    }
    println!("{count} seeds: {sum:?}");
    sum
}

fn replay_one(scenario: fn(u64) -> Scenario) {
    if let Ok(seed) = std::env::var("TEAL_SEED") {
        match run(&scenario(seed.parse().expect("TEAL_SEED is a number"))) {
            Ok(tally) => println!("seed {seed} breaks nothing: {tally:?}"),
            Err(violation) => panic!("\n{violation}"),
        }
    }
}

#[test]
fn no_trouble_breaks_an_invariant() {
    let _tally = run_all(seeds(2000), Scenario::random);
}

#[test]
fn a_healthy_release_is_never_taken_back() {
    let tally = run_all(seeds(2000) / 4, Scenario::healthy);
    assert_eq!((tally.rolled_back, tally.aborted), (0, 0), "{tally:?}");
}

#[test]
fn a_shared_outage_is_no_reason_to_go_back() {
    let tally = run_all(seeds(2000) / 4, Scenario::outages);
    assert!(tally.shared > 0, "{tally:?}");
}

#[test]
fn a_bad_release_never_stays() {
    let tally = run_all(seeds(2000) / 4, Scenario::bad);
    assert!(tally.by_errors > 0, "{tally:?}");
}

#[test]
fn replay() {
    replay_one(Scenario::random);
}

#[test]
fn replay_healthy() {
    replay_one(Scenario::healthy);
}

#[test]
fn replay_outages() {
    replay_one(Scenario::outages);
}

#[test]
fn replay_bad() {
    replay_one(Scenario::bad);
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..20 {
        assert_eq!(run(&Scenario::random(seed)), run(&Scenario::random(seed)));
    }
}

fn check(sabotage: Sabotage) {
    let caught = (0..300).find_map(|seed| run(&Scenario::sabotaged(seed, sabotage)).err());
    let violation = caught.unwrap_or_else(|| panic!("{sabotage:?} goes unnoticed"));
    println!("{sabotage:?}: invariant {}, seed {}: {}", violation.invariant, violation.seed, violation.what);
}

macro_rules! catches {
    ($($name:ident: $sabotage:ident,)*) => {
        $(#[test] fn $name() { check(Sabotage::$sabotage); })*
    };
}

catches! {
    catches_a_forward_step_that_is_not_stored: ActsBeforePersist,
    catches_a_missing_latch: NoLatch,
    catches_a_forward_step_of_a_bad_release: StepsForwardWhenBad,
    catches_promotion_on_silence: PromotesOnSilence,
    catches_a_rollback_that_waits_for_the_new_colour: RollbackWaitsForNewColour,
    catches_a_rollback_that_waits_for_the_store: RollbackWaitsForStore,
    catches_capacity_that_is_dropped_too_early: StopsOldColourEarly,
    catches_a_shared_outage_taken_for_a_bad_colour: BlamesSharedOutage,
}
