//! Feeds what HAProxy counts to the detection of hangs, and what that finds to the controller.

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::time::Time;
use tokio::time::Instant;

use super::runtime::BackendRow;
use super::settings::EdgeComponent;
use super::sink::Sink;
use super::stall::{Counts, Stall};

/// Each colour of each component, watched.
pub(super) struct Hangs {
    sink: Arc<Sink>,
    stalls: Vec<[Stall; 2]>,
    /// Which had nothing in flight at the last look.
    idle: Vec<[bool; 2]>,
    origin: Instant,
}

impl Hangs {
    pub(super) fn new(components: &[EdgeComponent], sink: Arc<Sink>) -> Self {
        let stalls = components.iter().map(|component| {
            let limit = Duration::from_millis(u64::from(component.limits.largest()));
            Colour::BOTH.map(|_| Stall::new(limit))
        });
        let stalls: Vec<_> = stalls.collect();
        Self { sink, idle: vec![[false; 2]; stalls.len()], stalls, origin: Instant::now() }
    }

    /// Starts anew: another process counts now.
    pub(super) fn reset(&mut self) {
        for (component, stalls) in self.stalls.iter_mut().enumerate() {
            for (stall, colour) in stalls.iter_mut().zip(Colour::BOTH) {
                stall.reset();
                self.sink.forgive(component, colour);
            }
        }
    }

    /// How many requests were told as overdue and have not come up in the log, to be taken before a look.
    pub(super) fn told(&self) -> Vec<[u64; 2]> {
        let both = |component| Colour::BOTH.map(|colour| self.sink.told(component, colour));
        (0..self.stalls.len()).map(both).collect()
    }

    /// Takes in a look; `told` is from before it, `release` routes now.
    pub(super) fn count(&mut self, rows: &[BackendRow], release: u64, told: &[[u64; 2]]) {
        let now = Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX));
        for row in rows {
            let (component, colour) = (row.component, row.colour as usize);
            let counts = Counts {
                started: row.started,
                in_flight: u64::from(row.in_flight),
                answered: row.answered,
                failed: row.failed,
            };
            let overdue = self.stalls[component][colour].overdue(now, counts);
            let told = told[component][colour];
            if overdue > told {
                self.sink.overdue(component, row.colour, release, overdue - told);
            }
            // Twice in a row, so that the last lines have had time to arrive.
            let was_idle = std::mem::replace(&mut self.idle[component][colour], row.in_flight == 0);
            if was_idle && row.in_flight == 0 {
                self.sink.forgive(component, row.colour);
            }
        }
    }
}
