//! The platform: instances of both colours that start, crash over and over, die and come back.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::colour::Colour;
use crate::machine::event::Capacity;
use crate::retention::Replicas;
use crate::time::Time;

/// Instances a colour runs.
pub(super) const INSTANCES: u32 = 2;

/// What a version is like, as nobody in the simulation knows but the world itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quality {
    /// The share of its requests that fail, 0.0..=1.0.
    pub(super) errors: f64,
    /// They fail only after it has run for this long.
    pub(super) late: Duration,
    /// It never becomes ready.
    pub(super) crashes: bool,
    /// The smoke suite fails.
    pub(super) smokes: bool,
    /// What fails is nothing that a probe may ask: a request that writes.
    pub(super) hidden: bool,
    /// The only component whose requests fail; `None`: all of them.
    pub(super) only: Option<usize>,
}

impl Quality {
    pub(super) const HEALTHY: Self =
        Self { errors: 0.001, late: Duration::ZERO, crashes: false, smokes: false, hidden: false, only: None };

    pub(super) fn is_healthy(&self) -> bool {
        *self == Self::HEALTHY
    }

    /// The share of a component's requests that fails once it fails.
    pub(super) fn errors_of(&self, component: usize) -> f64 {
        if self.only.is_none_or(|only| only == component) { self.errors } else { Self::HEALTHY.errors }
    }
}

/// An order to scale a colour.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    pub(super) version: String,
    pub(super) replicas: Replicas,
    pub(super) release: u64,
    pub(super) order: u32,
}

/// One colour of one component.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) version: Option<String>,
    pub(super) ready: u32,
    pub(super) crash_looping: u32,
    /// Counts starts and stops, so that what was due for an older process does not happen to a newer one.
    pub(super) generation: u64,
    pub(super) started: Time,
    /// The release that it was started for last.
    pub(super) release: u64,
    /// The last moment nothing was ready.
    pub(super) bare: Time,
    /// Instances it is to have.
    pub(super) wanted: u32,
    /// The last order to scale it in that release.
    pub(super) scaled: u32,
    /// It was reduced, and has not been full since.
    pub(super) short: bool,
    /// When it was last to be full again.
    pub(super) grown: Time,
}

#[derive(Clone, Debug)]
pub(super) struct Platform {
    slots: Vec<[Slot; 2]>,
    /// Where the platform's own routing points, by component, and as of which release.
    pub(super) selected: Vec<Option<(Colour, u64)>>,
    pub(super) versions: BTreeMap<String, Quality>,
}

impl Platform {
    pub(super) fn new(components: usize) -> Self {
        Self {
            slots: vec![<[Slot; 2]>::default(); components],
            selected: vec![None; components],
            versions: BTreeMap::new(),
        }
    }

    pub(super) fn slot(&self, component: usize, colour: Colour) -> &Slot {
        &self.slots[component][colour as usize]
    }

    pub(super) fn slot_mut(&mut self, component: usize, colour: Colour) -> &mut Slot {
        &mut self.slots[component][colour as usize]
    }

    pub(super) fn is_ready(&self, component: usize, colour: Colour) -> bool {
        self.slot(component, colour).ready > 0
    }

    pub(super) fn quality(&self, version: Option<&String>) -> Quality {
        version.and_then(|v| self.versions.get(v)).copied().unwrap_or(Quality::HEALTHY)
    }

    /// The share of this colour's requests that fails now by its own fault.
    pub(super) fn errors(&self, component: usize, colour: Colour, now: Time) -> f64 {
        let slot = self.slot(component, colour);
        let quality = self.quality(slot.version.as_ref());
        match slot.ready {
            0 => 1.0,
            _ if now.since(slot.started) < quality.late => Quality::HEALTHY.errors,
            _ => quality.errors_of(component),
        }
    }

    /// The same for what a probe asks.
    pub(super) fn shown(&self, component: usize, colour: Colour, now: Time) -> f64 {
        let slot = self.slot(component, colour);
        if slot.ready > 0 && self.quality(slot.version.as_ref()).hidden {
            Quality::HEALTHY.errors
        } else {
            self.errors(component, colour, now)
        }
    }

    pub(super) fn set_ready(&mut self, component: usize, colour: Colour, ready: u32, now: Time) {
        let slot = self.slot_mut(component, colour);
        if slot.ready == 0 || ready == 0 {
            slot.bare = now;
        }
        slot.ready = ready;
        slot.short = slot.short && ready < INSTANCES;
    }

    /// Runs `version` in full; `false` when it does already, because orders are absolute, or was reduced for this release.
    pub(super) fn start(&mut self, component: usize, colour: Colour, version: &str, release: u64, now: Time) -> bool {
        let slot = self.slot_mut(component, colour);
        let is_later = release > slot.release;
        slot.release = slot.release.max(release);
        if slot.version.as_deref() == Some(version) {
            let grows = is_later && slot.wanted < INSTANCES;
            if is_later {
                slot.scaled = 0;
            }
            if grows {
                (slot.wanted, slot.grown) = (INSTANCES, now);
            }
            return grows;
        }
        *slot = Slot {
            version: Some(version.to_owned()),
            generation: slot.generation + 1,
            release: slot.release,
            started: now,
            bare: now,
            wanted: INSTANCES,
            ..Slot::default()
        };
        true
    }

    /// Gives a colour so many instances; whether others have to come. What is not newer than the last order changes nothing.
    pub(super) fn scale(&mut self, component: usize, colour: Colour, scaling: &Scaling, now: Time) -> bool {
        let Scaling { version, replicas, release, order } = scaling;
        let slot = self.slot_mut(component, colour);
        if slot.version.as_ref() != Some(version) || (slot.release, slot.scaled) >= (*release, *order) {
            return false;
        }
        let (before, wanted) = (slot.wanted, replicas.of(INSTANCES));
        (slot.release, slot.scaled, slot.wanted) = (*release, *order, wanted);
        if wanted > before {
            slot.grown = now;
            return true;
        }
        if wanted < before {
            slot.short = true;
            slot.ready = slot.ready.min(wanted);
        }
        false
    }

    pub(super) fn stop(&mut self, component: usize, colour: Colour, now: Time) {
        let slot = self.slot_mut(component, colour);
        let (generation, release) = (slot.generation + 1, slot.release);
        *slot = Slot { generation, release, started: now, bare: now, ..Slot::default() };
    }

    /// An order as of an earlier release than was selected for is of an agent that was asleep.
    pub(super) fn select(&mut self, component: usize, colour: Colour, release: u64) {
        let selected = &mut self.selected[component];
        if selected.is_none_or(|(_, of)| of <= release) {
            *selected = Some((colour, release));
        }
    }

    /// Whether an order as of this release is older than what runs there.
    pub(super) fn is_stale(&self, component: usize, colour: Colour, release: u64) -> bool {
        self.slot(component, colour).release > release
    }

    pub(super) fn capacity(&self, component: usize, colour: Colour) -> Capacity {
        let slot = self.slot(component, colour);
        Capacity {
            component,
            colour,
            release: slot.release,
            scaled: slot.scaled,
            version: slot.version.clone(),
            ready: slot.ready,
            wanted: slot.wanted,
            crash_looping: slot.crash_looping,
            failure: (slot.crash_looping > 0).then(|| "exit status 1".to_owned()),
        }
    }
}
