//! HAProxy 2.6 to 3.x as the edge of an environment.
//!
//! ```text
//!  orders --> desk ---> saver  ---> map file          what a restart routes by
//!              |  \---> keeper ---> Runtime API       what requests are routed by now
//!              |          |  \----> old workers       after a reload, through the master socket
//!  events <----+          v instance
//!              ^        ring / datagram --> evidence --> sink --> events
//!              |              hangs: overdue, stall --^   and what is missing
//! ```

pub mod adopt;
pub mod bad_when;
pub mod clock;
pub mod edge;
pub mod evidence;
pub mod force;
pub mod hand;
pub mod map_file;
pub mod missing;
pub mod overdue;
pub mod owner;
pub mod program;
pub mod render;
pub mod runtime;
pub mod settings;
pub mod stall;
pub mod standing;
pub mod stat;
pub mod status;

mod answer;
mod backoff;
mod datagram;
mod desk;
mod hangs;
mod keeper;
mod lines;
mod listening;
mod memory;
mod names;
mod old_workers;
mod ring;
mod saver;
mod servers;
mod sink;

#[cfg(test)]
mod tests;
