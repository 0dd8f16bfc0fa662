//! What a crash should not lose, written down no more often than it is worth: each write wakes the disk.

use teal_rollout::document::{Checkpoint, Phase};
use teal_rollout::machine::Machine;
use teal_rollout::statistics::History;

use crate::store::{Write, Writer};

/// Every so many turns it is written in any phase, and the baselines with it; in between only while a release is under
/// way. A crash in a retention of a day thus makes it a few seconds longer.
const SELDOM: u32 = 10;

/// What was written last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    turns: u32,
    phase: Option<Phase>,
    checkpoint: Option<Checkpoint>,
    baselines: Vec<History>,
}

impl Kept {
    /// Once a second.
    pub(super) fn turn(&mut self, machine: &Machine, writer: &Writer) {
        if self.turns.is_multiple_of(SELDOM) {
            self.all(machine, writer);
        } else if machine.document().phase.is_busy() {
            self.checkpoint(machine, writer);
        }
        self.turns = self.turns.wrapping_add(1);
    }

    /// All that is not as it was written last.
    pub(super) fn all(&mut self, machine: &Machine, writer: &Writer) {
        self.checkpoint(machine, writer);
        self.baselines.resize_with(machine.baselines().len(), History::default);
        let components = machine.document().components.iter().zip(machine.baselines());
        for ((component, now), kept) in components.zip(&mut self.baselines) {
            if now != kept {
                kept.clone_from(now);
                writer.keep(Write::Baseline(component.name.clone(), Box::new(now.clone())));
            }
        }
    }

    fn checkpoint(&mut self, machine: &Machine, writer: &Writer) {
        let (phase, now) = (machine.document().phase, machine.checkpoint());
        // Nothing passes while idle but time, which nobody asks for.
        let same = |kept: &Checkpoint| if phase == Phase::Idle { kept.epoch == now.epoch } else { *kept == now };
        if self.phase != Some(phase) || !self.checkpoint.as_ref().is_some_and(same) {
            writer.keep(Write::Checkpoint(Box::new(now.clone())));
            (self.phase, self.checkpoint) = (Some(phase), Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use teal_rollout::criteria::Criteria;
    use teal_rollout::machine::{Event, Now, Saved};
    use teal_rollout::policy::Salt;
    use teal_rollout::retention::Stage;
    use teal_rollout::settings::{ComponentSettings, Mode, OnUnknown, Settings};
    use teal_rollout::time::Time;

    fn settings() -> Settings {
        let minute = Duration::from_secs(60);
        Settings {
            mode: Mode::Act,
            components: vec![ComponentSettings {
                name: "api".to_owned(),
                criteria: Criteria { acceptable_error_rate: 0.01, min_requests: 1, ..Criteria::default() },
            }],
            edges: vec!["edge".to_owned()],
            own: None,
            salt: Salt::try_from("demo".to_owned()).unwrap(),
            steps: Vec::new(),
            watch_min: minute,
            watch_max: minute,
            on_unknown: OnUnknown::Keep,
            retain: vec![Stage::full(minute)],
            deploy_timeout: minute,
            switch_timeout: minute,
            drain_timeout: minute,
            confirm: true,
        }
    }

    #[test]
    fn an_idle_environment_leaves_the_disk_alone() {
        let (writer, mut writes) = Writer::into_channel();
        let now = |seconds: u64| Now { time: Time::ZERO + Duration::from_secs(seconds), unix_millis: seconds * 1_000 };
        let mut machine = Machine::new(settings(), Saved::default(), now(0));
        let mut kept = Kept::default();
        for second in 0..60 {
            machine.handle(now(second), Event::Tick);
            kept.turn(&machine, &writer);
        }
        let written = std::iter::from_fn(|| writes.try_recv().ok()).count();
        assert_eq!(written, 1, "the first checkpoint and nothing more");
    }
}
