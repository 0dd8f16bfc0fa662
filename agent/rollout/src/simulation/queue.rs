//! What will happen in the world, and in which order.

use std::cmp::Ordering;

use super::platform::Scaling;
use super::trouble::Trouble;
use crate::colour::Colour;
use crate::document::Document;
use crate::machine::{Direction, Event, Probe};
use crate::policy::Policy;
use crate::time::Time;

/// What will happen. What carries a `life` belongs to one run of the agent and is lost with it.
#[derive(Clone, Debug)]
pub(super) enum What {
    Boot { who: usize },
    Renew { life: u64 },
    Relist { life: u64 },
    Hear { life: u64, version: u64, document: Box<Document> },
    Event { life: u64, event: Event },
    Wake { life: u64 },
    Save { life: u64 },
    Order { life: u64, edge: usize, policy: Policy, direction: Direction },
    WriteFile { life: u64, edge: usize, order: u64 },
    WriteRunning { life: u64, edge: usize, order: u64 },
    Poll { life: u64, edge: usize },
    Report { life: u64, edge: usize },
    Store { life: u64 },
    Start { life: u64, component: usize, colour: Colour, version: String, release: u64 },
    Scale { life: u64, component: usize, colour: Colour, scaling: Scaling },
    Stop { life: u64, component: usize, colour: Colour, release: u64 },
    Select { life: u64, component: usize, colour: Colour, release: u64 },
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

impl What {
    /// The run of an agent that it belongs to.
    pub(super) const fn life(&self) -> Option<u64> {
        match self {
            Self::Event { life, .. }
            | Self::Wake { life }
            | Self::Save { life }
            | Self::Renew { life }
            | Self::Relist { life }
            | Self::Hear { life, .. }
            | Self::Order { life, .. }
            | Self::WriteFile { life, .. }
            | Self::WriteRunning { life, .. }
            | Self::Poll { life, .. }
            | Self::Report { life, .. }
            | Self::Store { life }
            | Self::Start { life, .. }
            | Self::Scale { life, .. }
            | Self::Stop { life, .. }
            | Self::Select { life, .. }
            | Self::Smoke { life, .. }
            | Self::Probe { life, .. }
            | Self::Sample { life, .. } => Some(*life),
            Self::Boot { .. }
            | Self::Ready { .. }
            | Self::Looping { .. }
            | Self::Traffic { .. }
            | Self::Deploy
            | Self::People
            | Self::Trouble
            | Self::Over(_)
            | Self::Heal
            | Self::Finish => None,
        }
    }
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
