//! What a release has been ordered to start, by all components: they need room together.

use std::sync::{Mutex, PoisonError};

use teal_rollout::colour::Colour;

use crate::platform::PlatformOrder;

/// The last Start of each component.
#[derive(Debug)]
pub(super) struct Starting(Mutex<Vec<Option<Ordered>>>);

#[derive(Clone, Debug)]
struct Ordered {
    colour: Colour,
    version: String,
    release: u64,
}

impl Starting {
    pub(super) fn new(components: usize) -> Self {
        Self(Mutex::new(vec![None; components]))
    }

    /// Takes note of an order before anybody carries it out.
    pub(super) fn note(&self, order: &PlatformOrder) {
        let (component, colour) = order.target();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = all.get_mut(component) else { return };
        match order {
            PlatformOrder::Start { version, release, .. } => {
                *slot = Some(Ordered { colour, version: version.clone(), release: *release });
            }
            PlatformOrder::Stop { .. } => *slot = slot.take().filter(|ordered| ordered.colour != colour),
            PlatformOrder::Scale { .. } | PlatformOrder::Select { .. } => {}
        }
    }

    /// What the same release starts of other components: where, and which version.
    pub(super) fn beside(&self, component: usize, release: u64) -> Vec<(usize, Colour, String)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.iter().enumerate().filter(|(id, _)| *id != component);
        let ordered = others.filter_map(|(id, slot)| Some((id, slot.as_ref().filter(|it| it.release == release)?)));
        ordered.map(|(id, ordered)| (id, ordered.colour, ordered.version.clone())).collect()
    }
}
