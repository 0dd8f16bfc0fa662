//! The page for 2 a.m.: what to type when no agent answers, filled in for one environment and its present policy.
//!
//! ```text
//! agent: edge's policy changed --keep--> STATE/break-glass/ENV.txt        0640, whole or not at all
//!        only looks on         --------> STATE/break-glass/ENV.json       what it found out, for `edge force`
//! `teal break-glass ENV`: the edge itself (HAProxy, the Services), else the map's file, else the kept page, else the configuration alone
//! ```
//! Each line of a page is one that a shell takes as it stands. `edge force` computes the same values
//! ([`crate::proxy::haproxy::force`]), so that a person without `teal` does what it would have done.

#[cfg(test)]
mod fixture;
mod keep;
mod kubectl;
mod page;
mod site;

pub use keep::{Kept, Present, author, keep, kept, path};
pub use kubectl::Cluster;
pub use page::page;
pub use site::{Site, Tells};
