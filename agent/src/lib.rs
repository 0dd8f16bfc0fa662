//! Teal's agent, edge and operator CLI: everything that touches the world, behind four ports.
//!
//! ```text
//! main -> cli -> runtime -> controller -> teal-rollout
//!                   |            |
//!                   +-> platform, proxy, store, notifier   (ports; they do not know each other)
//! ```

pub mod proxy;
pub mod demo;
pub mod notifier;
pub mod probe;
pub mod smoke;
pub mod api;
pub mod client;
pub mod config;
pub mod demo;
pub mod platform;
