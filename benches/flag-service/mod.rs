//! What the flag service does on one machine: how soon a change is with the last of many streams, and how fast it answers.
//!
//! ```text
//! floor         one thread --> the same bytes, to the same streams
//! propagation   one PATCH after the other --> service (--> relay) --> streams: raw sockets in one thread, some of them SDK clients
//! reads         threads with a connection each --> check, OFREP | a plain axum handler with a constant answer
//! ```
//! The program that measures shares the machine with what it measures, and is kept small for that.

pub(crate) mod exchange;
pub(crate) mod floor;
pub(crate) mod load;
pub(crate) mod plain;
pub(crate) mod process;
pub(crate) mod propagation;
pub(crate) mod reads;
pub(crate) mod sdks;
pub(crate) mod streams;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `teal`.
    pub(crate) program: PathBuf,
    /// Streams at once, `sdks` of them real SDK clients.
    pub(crate) streams: usize,
    pub(crate) sdks: usize,
    /// Changes of a series, and the pause between two.
    pub(crate) changes: usize,
    pub(crate) pause: Duration,
    /// Flags that there are.
    pub(crate) flags: usize,
    /// Connections that read.
    pub(crate) connections: usize,
    /// Requests a second where they come at a steady rate.
    pub(crate) rate: f64,
    /// How long each way of reading is measured.
    pub(crate) length: Duration,
    /// Times that all ways of reading are measured, in turn.
    pub(crate) rounds: usize,
    /// Series by name; empty is every one.
    pub(crate) only: Vec<String>,
}

impl Settings {
    /// Measures all of it; each row is given to `take` as it comes.
    ///
    /// # Errors
    /// When something does not start, or does not answer as it should.
    pub(crate) fn play(&self, mut take: impl FnMut(Value)) -> anyhow::Result<()> {
        process::raise_descriptor_limit();
        if self.wants("floor") {
            take(floor::play(self)?);
        }
        for series in propagation::SERIES.iter().filter(|series| self.wants(series.name)) {
            take(propagation::play(self, series)?);
        }
        if self.wants("reads") {
            reads::play(self, &mut take)?;
        }
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}
