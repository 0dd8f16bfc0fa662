//! The release state machine: an event and the time come in, actions and a deadline go out.

pub mod action;
pub mod event;
