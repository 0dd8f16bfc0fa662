//! The smoke suite: requests with expected answers, sent to the idle colour before any traffic moves.
//!
//! ```text
//! TOML -> Suite (validated once) -> run(targets) -> Report { one outcome a check }
//! ```
//! A check runs against every target of its component, so that one bad server of several is found; a check
//! of a component without a target is skipped. Answers are looked at and dropped: a failure quotes status,
//! times and at most one short JSON value.

mod assertion;
mod duration;
mod read;
mod report;
mod request;
mod run;
mod suite;

pub use assertion::{Assertion, Expect, Kind};
pub use report::{Failure, Outcome, Report, Verdict};
pub use run::{ClientError, Limits, Target, TargetError, run};
pub use suite::{Check, CheckError, Problem, Suite, SuiteError};

#[cfg(test)]
mod tests;
