//! A seeded world to try the state machine in: virtual time, edges, a store, processes, traffic, people, and
//! trouble of every kind, with the invariants checked after each step.
//!
//! ```text
//!            events                    actions
//!   world ------------> Machine ------------------> world
//!   (edges, store,         ^   crash between any two    |
//!    platform, traffic)    '----------------------------'
//! ```
//!
//! There are worlds with one agent that is alone, and worlds with several: each has edges of its own and a life of its own,
//! they share one store and a lease, and hear of each other late, twice or not at all.
//!
//! The same seed gives the same run on every machine; a violation says how to see it again.

mod adapters;
mod agent;
mod edge;
mod hearing;
mod invariants;
mod lease;
mod outage;
mod people;
mod platform;
mod queue;
mod random;
mod report;
mod sabotage;
mod scenario;
mod seat;
mod shared;
mod staged;
mod store;
mod traffic;
mod trouble;
mod world;

pub use report::{Tally, Violation};
pub use scenario::{Faults, Sabotage, Scenario};

/// Runs one world to its end.
///
/// # Errors
/// The first invariant that did not hold, with the events before it.
pub fn run(scenario: &Scenario) -> Result<Tally, Box<Violation>> {
    // Events are written down only when there is something to show: the same seed is run once more.
    world::World::new(scenario, false).run().or_else(|_| world::World::new(scenario, true).run())
}
