//! Teal's decisions, pure: no clock, no rng, no IO. Time comes in with each event, a deadline goes out.

mod cause;
pub mod colour;
pub mod criteria;
pub mod document;
pub mod machine;
pub mod observation;
pub mod policy;
pub mod retention;
pub mod settings;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod statistics;
pub mod time;
