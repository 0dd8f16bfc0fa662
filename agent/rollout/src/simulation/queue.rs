//! What will happen in the world, and in which order.

use std::cmp::Ordering;

use super::trouble::Trouble;
use crate::colour::Colour;
use crate::machine::{Direction, Event, Probe};
use crate::policy::Policy;
use crate::time::Time;

/// What will happen. What carries a `life` belongs to one run of the agent and is lost with it.
#[derive(Clone, Debug)]
pub(super) enum What {
    Boot,
    Event { life: u64, event: Event },
    Wake { life: u64 },
    Save { life: u64 },
    Order { life: u64, edge: usize, policy: Policy, direction: Direction },
    WriteFile { life: u64, edge: usize, order: u64 },
    WriteRunning { life: u64, edge: usize, order: u64 },
    Poll { life: u64, edge: usize },
    Report { life: u64, edge: usize },
    Store { life: u64 },
    Start { life: u64, component: usize, colour: Colour, version: String },
    Stop { life: u64, component: usize, colour: Colour },
    Ready { component: usize, colour: Colour, generation: u64, ready: u32 },
    Looping { component: usize, colour: Colour, generation: u64 },
    Smoke { life: u64, release: u64, targets: Vec<(usize, Colour)> },
    Probe { life: u64, probe: Probe },
    Sample { life: u64, round: u64, component: usize, colour: Colour, release: u64 },
    Traffic { edge: usize },
    Deploy,
    People,
    Trouble,
    Over(Trouble),
    Heal,
    Finish,
}

/// One thing in the queue.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Time,
    /// Breaks ties in the order things were scheduled.
    pub(super) number: u64,
    pub(super) what: What,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}
