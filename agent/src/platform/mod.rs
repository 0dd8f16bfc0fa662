//! The platform port: what runs an application's two colours.
//!
//! ```text
//! controller --PlatformOrder--> adapter --Event::Capacity--> controller
//!                                  |
//!                                  +-> local: processes on this machine
//!                                  +-> kubernetes: Deployments and Services of a cluster
//! ```
//! An adapter is a task. It takes [`PlatformOrder`]s from a channel and answers every one of them, and every change it
//! sees afterwards, with [`teal_rollout::machine::event::Event::Capacity`]. Orders are absolute, so that one repeated is
//! harmless.

pub mod kubernetes;
pub mod local;

use teal_rollout::colour::Colour;
use teal_rollout::retention::Replicas;

/// What a platform can be asked to do with one colour of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformOrder {
    /// Run `version` there at full capacity.
    ///
    /// Nothing happens when that version already runs there, even if its configuration has changed since: a colour that
    /// may be serving is never restarted by a repeated order. Order a [`PlatformOrder::Stop`] first to have it start anew.
    /// Another version that runs there is stopped first.
    Start {
        /// The component's id, its index in name order.
        component: usize,
        /// Where.
        colour: Colour,
        /// What, as it stands in the operator's order.
        version: String,
        /// For which release.
        release: u64,
    },
    /// Keep `version` there in so many instances, or at full capacity again; what is not newer than the last such order of the
    /// release changes nothing. What serves is never given fewer.
    Scale {
        /// The component's id.
        component: usize,
        /// Where.
        colour: Colour,
        /// What runs there.
        version: String,
        /// How many; never more than it had, and where it is to be full never fewer than the other colour has.
        replicas: Replicas,
        /// How many it had when it served, as far as that is known: full is never fewer.
        full: u32,
        /// For which release.
        release: u64,
        /// Counts these orders within the release.
        order: u32,
    },
    /// Run nothing there; what runs is asked to finish first.
    Stop {
        /// The component's id.
        component: usize,
        /// Where.
        colour: Colour,
        /// As of which release; a colour on which a later one was started since is left alone.
        release: u64,
    },
    /// Point the platform's own routing, where it has any, at this colour: all traffic has settled there.
    Select {
        /// The component's id.
        component: usize,
        /// Which colour.
        colour: Colour,
        /// As of which release; where a later one is known the order is stale.
        release: u64,
    },
}

impl PlatformOrder {
    /// The component and the colour it is about.
    #[must_use]
    pub const fn target(&self) -> (usize, Colour) {
        match self {
            Self::Start { component, colour, .. }
            | Self::Scale { component, colour, .. }
            | Self::Stop { component, colour, .. }
            | Self::Select { component, colour, .. } => (*component, *colour),
        }
    }
}
