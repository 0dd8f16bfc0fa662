//! The statistics of a release: is the candidate worse than what was before, and what could we have seen?
//!
//! ```text
//!   old colour's requests --> History --> tolerated rate p0, dispersion D, by component and route group
//!                                              |
//!   candidate's requests ----------------> Evidence --> M against its threshold, what can be excluded, and who is it
//! ```

mod baseline;
mod binomial;
mod blocks;
mod bound;
mod concurrent;
mod eprocess;
mod evidence;
mod history;
mod latency;
mod mixture;
mod power;
mod samples;
mod tally;

pub use baseline::{Baseline, BaselineError, DAY, MAX_REQUESTS, WEEK};
pub use bound::{Counts, MIN_HISTORY, Source, Tolerated, tolerated};
pub use concurrent::{Concurrent, Side};
pub use eprocess::{CLUSTERED, ErrorProcess, LOG_THRESHOLD, StateError};
pub use evidence::{Evidence, Part, PartKind, SetAside, Slowness};
pub use history::History;
pub use latency::{
    GUARD_MS, LONGEST_MS, LatencyHistory, LatencyHistoryError, LatencyProcess, Limit, Quantile, QuantileState, WARM_UP,
    WARM_UP_REQUESTS,
};
pub use samples::{SAMPLES_WEIGHT, Samples};
pub use tally::{Place, Suspect, Tally};

#[cfg(test)]
mod tests;
