//! One finished request, as the edge saw it: what all evidence is made of.

use serde::{Deserialize, Serialize};

use crate::colour::Colour;

/// One request that the edge finished, or that is overdue at a colour that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The component's id: its index in [`crate::settings::Settings::components`].
    pub component: u8,
    /// The colour that answered.
    pub colour: Colour,
    /// The release whose policy routed it; 0 where the edge does not know.
    pub release: u64,
    /// The route group, 0..=32; 0 is "any other path".
    pub group: u8,
    /// Bad by decision section 1.
    pub bad: bool,
    /// Milliseconds until the response headers; `None` where none came, or it is not known.
    pub wait_ms: Option<u32>,
    /// Whether it is bad for how long it took and not for what was answered: a time-out, a wait beyond the limit, a
    /// connection that was only made at the second try.
    pub waited: bool,
    /// How long ago it began when it is told of, in milliseconds, rounded up; 0 where that is not known.
    pub age_ms: u32,
    /// What the client asked: reads (GET, HEAD, OPTIONS) or more.
    pub access: Access,
    /// The server of the colour that answered, from 1 on; 0 where it is not known.
    pub server: u8,
}

/// What a request may do, by its method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// GET, HEAD, OPTIONS.
    #[default]
    Read,
    /// Any other method.
    Write,
}

impl Observation {
    /// A finished request of which no more is known than this.
    #[must_use]
    pub const fn new(component: u8, colour: Colour, release: u64, bad: bool) -> Self {
        let (group, wait_ms, waited, age_ms, access, server) = (0, None, false, 0, Access::Read, 0);
        Self { component, colour, release, group, bad, wait_ms, waited, age_ms, access, server }
    }
}
