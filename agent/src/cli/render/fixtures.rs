//! Statuses and releases to render in tests.

mod explained;

pub(super) use crate::display::fixtures::{deploying, night, record, rolled_back, watching};
pub(super) use explained::{explained, kept_through_an_outage};
