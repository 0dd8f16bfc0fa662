//! The old colour's history of one component: its last requests, and whether its errors come in clusters.
//!
//! ```text
//!   requests  ..x......x.|.........|..xxx....|....     a block: 100 ms and 100 requests, whichever is longer
//!   buckets   [ minute 17        ] [ minute 18 ...     sums over blocks; the oldest bucket is dropped whole
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::blocks::Sums;
use super::bound::Counts;

/// The most requests a history holds.
pub const MAX_REQUESTS: u64 = 200_000;
/// How far back it reaches unless told otherwise.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far back it can reach at most, for where traffic is low.
pub const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Minutes of a coarse bucket.
const QUARTER: u64 = 15;
/// A bucket ends with its minute or at this many requests, so that dropping one forgets at most 1 %.
const BUCKET_REQUESTS: u64 = MAX_REQUESTS / 100;
/// A block lasts at least this long. Errors that share a cause (a stall, a restart) lie closer together.
const BLOCK_MILLIS: u64 = 100;
/// A block holds at least this many requests, or where traffic is low each would hold a single one and clusters
/// could not show.
const BLOCK_REQUESTS: u64 = 100;
/// A block with at least this many bad requests, and with more than one in [`INCIDENT_SHARE`] of them bad, is an
/// incident and is left out. A colour that always fails like this has no history then, and the policy's rate counts.
const INCIDENT_BAD: u64 = 10;
/// See [`INCIDENT_BAD`].
const INCIDENT_SHARE: u64 = 5;
/// Requests may be reported this late or out of order; a clock that is further back was set back.
const LATE_MINUTES: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    minute: u64,
    sums: Sums,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Block {
    start_millis: u64,
    n: u64,
    k: u64,
}

/// The last requests of a component's old colour: at most [`MAX_REQUESTS`] and no older than its reach.
///
/// Memory is bounded by one bucket a minute and two hundred more (1,640 for a day, about 77 KiB). Saved with serde;
/// the form is compact and checked on the way in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Baseline {
    reach_minutes: u64,
    /// Minutes to a bucket.
    width: u64,
    buckets: VecDeque<Bucket>,
    total: Sums,
    open: Block,
}

impl Baseline {
    /// An empty history that reaches back `reach`, from a minute to [`WEEK`]; what is outside is brought inside.
    #[must_use]
    pub fn new(reach: Duration) -> Self {
        let reach_minutes = reach.clamp(Duration::from_secs(60), WEEK).as_secs() / 60;
        Self { reach_minutes, width: 1, buckets: VecDeque::new(), total: Sums::default(), open: Block::default() }
    }

    /// The same in buckets of a quarter of an hour, for one of many: at most about two hundred of them for a day.
    #[must_use]
    pub fn coarse(reach: Duration) -> Self {
        Self { width: QUARTER, ..Self::new(reach) }
    }

    /// A day's history of `n` requests, `k` of them bad and none in clusters, as if made in the minute of
    /// `unix_millis`: for demonstrations and tests. More than [`MAX_REQUESTS`] is scaled down.
    #[must_use]
    pub fn seeded(n: u64, k: u64, unix_millis: u64) -> Self {
        let mut seeded = Self::new(DAY);
        let k = k.min(n);
        let (n, k) = if n > MAX_REQUESTS {
            let scaled = u128::from(k) * u128::from(MAX_REQUESTS) / u128::from(n);
            (MAX_REQUESTS, u64::try_from(scaled).unwrap_or(MAX_REQUESTS))
        } else {
            (n, k)
        };
        let parts = n.div_ceil(BUCKET_REQUESTS);
        for i in 0..parts {
            let share = |whole: u64| whole * (i + 1) / parts - whole * i / parts;
            let (n, k) = (share(n), share(k));
            // As blocks of a single request each, which is what "no clusters" looks like.
            seeded.push(minute_of(unix_millis), Sums { n, k, nn: n, nk: k, kk: k });
        }
        seeded
    }

    /// Takes in one finished request of the old colour, at this wall-clock time in milliseconds since 1970.
    ///
    /// Constant time on average. A clock that was set back takes the history along with it, so that old requests
    /// keep their age; one that was set forward ages them.
    pub fn observe(&mut self, unix_millis: u64, bad: bool) {
        let minute = minute_of(unix_millis);
        if self.open.n > 0 {
            let lasted = unix_millis.saturating_sub(self.open.start_millis);
            let long = lasted >= BLOCK_MILLIS && self.open.n >= BLOCK_REQUESTS;
            if long || self.open.n >= BUCKET_REQUESTS || minute != minute_of(self.open.start_millis) {
                self.close_block();
            }
        }
        self.follow_clock(minute);
        if self.open.n == 0 {
            self.open.start_millis = unix_millis;
        }
        self.open.n += 1;
        self.open.k += u64::from(bad);
        self.forget();
    }

    /// Forgets what is older than the reach at this wall-clock time; to be called before the history is read
    /// after a time without traffic.
    pub fn expire(&mut self, unix_millis: u64) {
        self.close_block();
        let oldest = minute_of(unix_millis).saturating_sub(self.reach_minutes);
        while self.buckets.front().is_some_and(|b| b.minute < oldest) {
            self.drop_oldest();
        }
    }

    /// How many requests are remembered, and how many of them were bad.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { n0: self.total.n + self.open.n, k0: self.total.k + self.open.k }
    }

    /// How much the errors cluster, D: the variance of bad requests per block over what independent errors at the
    /// same rate and the same traffic would show. About 1 when they are independent; 1 too when there were none.
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        let mut sums = self.total;
        sums.add(&Sums::of_block(self.open.n, self.open.k));
        sums.dispersion()
    }

    /// An incident is not the old colour's usual rate: kept, it would raise what is tolerated and blunt every bet
    /// against the next release for as long as the history reaches.
    fn close_block(&mut self) {
        let Block { start_millis, n, k } = std::mem::take(&mut self.open);
        let incident = k >= INCIDENT_BAD && k > n / INCIDENT_SHARE;
        if n > 0 && !incident {
            self.push(minute_of(start_millis), Sums::of_block(n, k));
        }
    }

    fn push(&mut self, minute: u64, sums: Sums) {
        let minute = minute - minute % self.width;
        self.total.add(&sums);
        match self.buckets.back_mut() {
            Some(last) if last.minute >= minute && last.sums.n + sums.n <= BUCKET_REQUESTS => last.sums.add(&sums),
            last => {
                let minute = last.map_or(minute, |last| last.minute.max(minute));
                self.buckets.push_back(Bucket { minute, sums });
            }
        }
    }

    /// Re-dates the history when the clock was set back, or it would stay young until the clock caught up.
    fn follow_clock(&mut self, minute: u64) {
        let Some(newest) = self.buckets.back().map(|b| b.minute) else { return };
        let back = newest.saturating_sub(minute);
        if back > LATE_MINUTES {
            for bucket in &mut self.buckets {
                bucket.minute = bucket.minute.saturating_sub(back);
            }
        }
    }

    fn forget(&mut self) {
        let oldest = minute_of(self.open.start_millis).saturating_sub(self.reach_minutes);
        while self.buckets.front().is_some_and(|b| b.minute < oldest) || self.counts().n0 > MAX_REQUESTS {
            if self.buckets.is_empty() {
                break;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(bucket) = self.buckets.pop_front() {
            self.total.subtract(&bucket.sums);
        }
    }
}

impl Default for Baseline {
    fn default() -> Self {
        Self::new(DAY)
    }
}

const fn minute_of(unix_millis: u64) -> u64 {
    unix_millis / 60_000
}

/// The form a history is saved in: a row of six numbers a bucket, minutes counted from the row before.
#[derive(Serialize, Deserialize)]
struct Saved {
    reach_minutes: u64,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    width: u64,
    buckets: Vec<[u64; 6]>,
}

const fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_one(width: &u64) -> bool {
    *width == 1
}

/// A saved history that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("saved baseline: row {0} of `buckets` cannot be true; delete the saved baseline to measure a new one")]
pub struct BaselineError(usize);

impl From<Baseline> for Saved {
    fn from(mut baseline: Baseline) -> Self {
        baseline.close_block();
        let mut before = 0;
        let buckets = baseline
            .buckets
            .iter()
            .map(|Bucket { minute, sums: Sums { n, k, nn, nk, kk } }| {
                let step = minute - before;
                before = *minute;
                [step, *n, *k, *nn, *nk, *kk]
            })
            .collect();
        Self { reach_minutes: baseline.reach_minutes, width: baseline.width, buckets }
    }
}

impl TryFrom<Saved> for Baseline {
    type Error = BaselineError;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let reach = Duration::from_secs(saved.reach_minutes.saturating_mul(60));
        let mut baseline = Self { width: saved.width.clamp(1, QUARTER), ..Self::new(reach) };
        let mut minute = 0_u64;
        for (row, &[step, n, k, nn, nk, kk]) in saved.buckets.iter().enumerate() {
            minute = minute.checked_add(step).ok_or(BaselineError(row))?;
            let sums = Sums { n, k, nn, nk, kk };
            if n == 0 || !sums.can_be_true(MAX_REQUESTS) {
                return Err(BaselineError(row));
            }
            baseline.total.add(&sums);
            baseline.buckets.push_back(Bucket { minute, sums });
            // Also keeps what is read from growing past what would have been written.
            while baseline.total.n > MAX_REQUESTS {
                baseline.drop_oldest();
            }
        }
        Ok(baseline)
    }
}
