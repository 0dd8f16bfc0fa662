//! What the client needs of the core, in one place.

pub(super) use crate::{Applied, Exposure, Flags, Layer, Outcome, Problem, Revision};
