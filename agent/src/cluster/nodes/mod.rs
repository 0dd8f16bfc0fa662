//! What the agents on the nodes tell of their Pods, from the Pods to what an edge's agent knows of all nodes.
//!
//! ```text
//!  a node:  Pods --groups--> Observation ====> an edge:  check --> Heard (the last word of each node) --> Nodes --> a port
//! ```
//! A node that was not heard of for [`SILENCE`] is unknown, and so is one that says so itself: unknown is not zero, and nobody waits for it.

mod check;
mod facts;
mod heard;

pub use self::check::{Wrong, check};
pub use self::facts::{CONFIG, groups, mark, marks, trim};
pub use self::heard::{Heard, Nodes, Taking};

use std::time::Duration;

/// After so long without a word a node is unknown. An observer tells each second.
pub const SILENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
