//! From what the agent says to text: pure, 80 columns, no colours and no clock.

mod criteria;
pub mod doctor;
pub mod explain;
pub mod flags;
pub mod history;
pub mod plan;
pub mod plot;
pub mod progress;
pub mod status;

#[cfg(test)]
mod fixtures;

use crate::display::words;
pub use progress::Progress;
pub(super) use words::span;
