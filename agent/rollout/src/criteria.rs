//! What one component's candidate is judged by: how sure, against what, and with which parts of the evidence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most route groups of a component; a log line carries 0 (any other path) to this.
pub const MAX_GROUPS: u8 = 32;

/// What a candidate is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Criteria {
    /// Taken as the tolerated error rate while history is too short to measure one; 0 < rate <= 0.5.
    pub acceptable_error_rate: f64,
    /// The probability of a false alarm that a release of this component may spend, 1e-9 ..= 0.01. Half of it goes to
    /// the bounds taken from history, half to the threshold.
    pub alpha: f64,
    /// How many times the old colour's measured rate is tolerated, 1 ..= 100 (decision section 2).
    pub rho: f64,
    /// Requests of the candidate needed before a watch can end as proven; at least 1.
    pub min_requests: u64,
    /// How much longer than the old colour's 90th and 99th percentile a request may take, as a factor, 1 ..= 100;
    /// `None`: latency is not judged.
    pub latency: Option<f64>,
    /// The names of the configured route groups, in their order from 1 on, at most [`MAX_GROUPS`]. Each is judged by
    /// itself too, and so is any other path as group 0; none: there is no such distinction.
    pub groups: Vec<String>,
    /// Teal's own requests where there is little traffic; `None`: there are none.
    pub probes: Option<Probes>,
}

/// Teal's own requests to a candidate that gets few.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// Sent while the candidate's traffic is below this many requests a second, more than 0.
    pub below: f64,
    /// One request each so often, more than 0.
    pub every: Duration,
}

/// A criterion outside its range. The configuration reader checks the same and names the line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CriteriaError {
    /// Not in (0, 0.5].
    #[error("acceptable_error_rate must be above 0 % and at most 50 %, not {0}")]
    ErrorRate(f64),
    /// Not in 1e-9 ..= 0.01.
    #[error("alpha must be from 0.000000001 to 0.01, not {0}")]
    Alpha(f64),
    /// Not in 1 ..= 100.
    #[error("rho must be from 1 to 100, not {0}")]
    Rho(f64),
    /// Not in 1 ..= 100.
    #[error("latency tolerance must be a factor from 1 to 100, not {0}")]
    Latency(f64),
    /// More than [`MAX_GROUPS`].
    #[error("at most {MAX_GROUPS} route groups are judged, not {0}")]
    Groups(usize),
    /// Zero where a positive number is needed.
    #[error("{0} must be more than 0")]
    Zero(&'static str),
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            acceptable_error_rate: 0.05,
            alpha: 1e-6,
            rho: 1.5,
            min_requests: 100,
            latency: Some(1.2),
            groups: Vec::new(),
            probes: None,
        }
    }
}

impl Criteria {
    /// Checks every range.
    ///
    /// # Errors
    /// The first that is broken, in the order of the fields.
    pub fn validate(&self) -> Result<(), CriteriaError> {
        let Self { acceptable_error_rate: rate, alpha, rho, min_requests, latency, ref groups, probes } = *self;
        if !(rate > 0.0 && rate <= 0.5) {
            return Err(CriteriaError::ErrorRate(rate));
        }
        if !(1e-9..=0.01).contains(&alpha) {
            return Err(CriteriaError::Alpha(alpha));
        }
        if !(1.0..=100.0).contains(&rho) {
            return Err(CriteriaError::Rho(rho));
        }
        if min_requests == 0 {
            return Err(CriteriaError::Zero("min_requests"));
        }
        if let Some(tolerance) = latency.filter(|tolerance| !(1.0..=100.0).contains(tolerance)) {
            return Err(CriteriaError::Latency(tolerance));
        }
        if groups.len() > usize::from(MAX_GROUPS) {
            return Err(CriteriaError::Groups(groups.len()));
        }
        match probes {
            Some(Probes { below, .. }) if !(below > 0.0 && below.is_finite()) => {
                Err(CriteriaError::Zero("probes.below"))
            }
            Some(Probes { every, .. }) if every.is_zero() => Err(CriteriaError::Zero("probes.every")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_range_is_checked_and_the_default_is_within_all() {
        let check = |criteria: Criteria, valid| assert_eq!(criteria.validate().is_ok(), valid, "{criteria:?}");
        let sane = Criteria::default;
        check(sane(), true);
        check(Criteria { acceptable_error_rate: f64::NAN, ..sane() }, false);
        check(Criteria { acceptable_error_rate: 0.51, ..sane() }, false);
        check(Criteria { alpha: 0.0, ..sane() }, false);
        check(Criteria { alpha: 0.01, ..sane() }, true);
        check(Criteria { rho: 0.9, ..sane() }, false);
        check(Criteria { min_requests: 0, ..sane() }, false);
        check(Criteria { latency: None, ..sane() }, true);
        check(Criteria { latency: Some(0.5), ..sane() }, false);
        check(Criteria { groups: vec![String::new(); 33], ..sane() }, false);
        check(Criteria { probes: Some(Probes { below: 1.0, every: Duration::ZERO }), ..sane() }, false);
        check(
            Criteria { probes: Some(Probes { below: f64::INFINITY, every: Duration::from_secs(1) }), ..sane() },
            false,
        );
    }
}
