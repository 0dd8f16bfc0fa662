//! Teal's agent, edge and operator CLI: everything that touches the world, behind four ports.
//!
//! ```text
//! main -> cli -> runtime -> controller -> teal-rollout
//!                   |            |
//!                   +-> platform, proxy, store, notifier   (ports; they do not know each other)
//! ```

pub mod access;
pub mod api;
pub mod break_glass;
pub mod cli;
pub mod client;
pub mod cluster;
pub mod config;
pub mod controller;
pub mod crash;
pub mod demo;
pub mod display;
pub mod doctor;
pub mod dsn;
pub mod flags;
pub mod foreign;
pub mod http;
pub mod notifier;
pub mod observer;
pub mod platform;
pub mod probe;
pub mod proxy;
pub mod runtime;
pub mod smoke;
pub mod store;
pub mod version;
