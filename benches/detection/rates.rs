//! The two peers that poll a success rate, as pure as their own rules: counters in, a verdict out.
//!
//! Both read HAProxy's exact counters at the moment of the poll. What they lose in practice to scraping, querying and
//! reconciling is given to them.

use std::time::Duration;

/// The responses of a back end since HAProxy started, those that HAProxy gave in its place too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// All.
    pub(crate) responses: u64,
    /// Status 500 and above.
    pub(crate) failed: u64,
}

impl Counters {
    /// Of the line of a back end in `show stat`.
    pub(crate) fn read(csv: &str) -> Option<Self> {
        let mut lines = csv.lines();
        let head: Vec<&str> = lines.next()?.trim_start_matches("# ").split(',').collect();
        let row: Vec<&str> = lines.find(|line| line.split(',').nth(1) == Some("BACKEND"))?.split(',').collect();
        let value = |name: &str| row.get(head.iter().position(|field| *field == name)?)?.parse::<u64>().ok();
        let classes = ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other"];
        let counts = classes.into_iter().map(value).collect::<Option<Vec<_>>>()?;
        Some(Self { responses: counts.iter().sum(), failed: value("hrsp_5xx")? })
    }

    /// The share that succeeded since `before`; `None` where nothing was answered.
    fn success(self, before: Self) -> Option<f64> {
        let responses = self.responses.checked_sub(before.responses).filter(|responses| *responses > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
        Some(1.0 - (self.failed.saturating_sub(before.failed)) as f64 / responses as f64)
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poller {
    /// Time between two polls, and from the switch to the first one.
    pub(crate) interval: Duration,
    /// The least success rate.
    least: f64,
    /// Whether a poll that finds no request counts as failed.
    silence_fails: bool,
    /// Polls from a failed one to the action.
    delay: u32,
    before: Counters,
    acting: Option<u32>,
}

impl Poller {
    /// `interval: 1s`, `failureLimit: 0`, `successCondition: isNaN(result) || result >= 0.95`: measured at once,
    /// when there is nothing to be measured yet, and each second after; the first failed measurement aborts.
    pub(crate) const fn argo(before: Counters) -> Self {
        let interval = Duration::from_secs(1);
        Self { interval, least: 0.95, silence_fails: false, delay: 0, before, acting: None }
    }

    /// `interval: 10s`, `threshold: 1`, `request-success-rate` with `min: 99`: a check at each tick after the one that
    /// moved the traffic; a failed one is counted, and the next tick sees the count and rolls back.
    pub(crate) const fn flagger(before: Counters) -> Self {
        let interval = Duration::from_secs(10);
        Self { interval, least: 0.99, silence_fails: true, delay: 1, before, acting: None }
    }

    /// Whether to take the traffic back now.
    pub(crate) fn poll(&mut self, now: Counters) -> bool {
        if let Some(left) = &mut self.acting {
            *left -= 1;
            return *left == 0;
        }
        let failed = now.success(self.before).map_or(self.silence_fails, |rate| rate < self.least);
        self.before = now;
        self.acting = failed.then_some(self.delay);
        self.acting == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_of_a_back_end_are_read_by_the_names_of_their_columns() {
        let csv = "# pxname,svname,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,\n\
                   x,s1,0,9,0,0,9,0,\nx,BACKEND,0,95,1,2,5,0,\n\n";
        assert_eq!(Counters::read(csv), Some(Counters { responses: 103, failed: 5 }));
        assert_eq!(Counters::read("No such proxy.\n"), None);
    }

    #[test]
    fn a_poller_acts_as_the_peers_own_rules_say() {
        let check = |mut poller: Poller, polls: &[(u64, u64)], acts: &[bool]| {
            let said: Vec<bool> = polls
                .iter()
                .map(|(responses, failed)| poller.poll(Counters { responses: *responses, failed: *failed }))
                .collect();
            assert_eq!(said, acts, "{polls:?}");
        };
        let argo = Poller::argo(Counters::default());
        check(argo, &[(0, 0), (100, 100)], &[false, true]);
        check(argo, &[(0, 0), (100, 5), (200, 10), (300, 16)], &[false, false, false, true]);
        check(argo, &[(0, 0), (0, 0), (0, 0)], &[false; 3]);
        let flagger = Poller::flagger(Counters::default());
        check(flagger, &[(1000, 11), (2000, 11)], &[false, true]);
        check(flagger, &[(1000, 10), (2000, 20), (3000, 40), (4000, 40)], &[false, false, false, true]);
        check(flagger, &[(0, 0), (0, 0)], &[false, true]);
    }
}
