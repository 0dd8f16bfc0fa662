//! Whether the old colour's slow requests come in clusters: pauses, waves of load, a neighbour's batch job.
//!
//! ```text
//!   blocks of a second   [5 slow of 100][8 of 100][71 of 100][64 of 100] ...   --> D for p90, D for p99
//!                                                  \__ an incident if it lasts 5 s __/
//! ```

use super::super::blocks::Sums;
use super::aged::{Aged, HALF_OF_REQUESTS};

/// A block lasts at least this long. What makes requests slow lasts longer than what makes them fail: in blocks of
/// 100 ms a wave of load of 2 s would be twenty clusters instead of one, and D too small by about as much.
const BLOCK_MILLIS: u64 = 1_000;
/// A block has at least this many requests, or where there is little traffic clusters could not show.
const BLOCK_REQUESTS: u64 = 100;
/// A block ends with this many, so that heavy traffic makes enough of them.
const MOST_REQUESTS: u64 = 5_000;
/// A block in which fewer requests than this were judged says nothing of clusters.
const LEAST_JUDGED: u64 = 50;
/// With fewer blocks D is not known.
const LEAST_BLOCKS: u64 = 20;
/// Blocks in a row that last this long, in each of which most requests were slow, are an incident.
const INCIDENT_MILLIS: u64 = 5_000;
/// Up to so many incidents are left out of D, or one would blunt the bets for as long as the history reaches. More of
/// them are how this colour is.
const ISOLATED: u64 = 2;

/// Dispersion of slow requests by quantile, over at most 200,000 requests and 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clusters {
    pub(super) known: Aged<Generation>,
    open: Block,
    /// Consecutive blocks that were mostly slow, not known yet to be an incident or a cluster like others.
    slow: Option<Slow>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) usual: [Blocks; 2],
    pub(super) incidents: [Blocks; 2],
    pub(super) episodes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) count: u64,
    pub(super) sums: Sums,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Block {
    start_millis: u64,
    last_millis: u64,
    requests: u64,
    /// By quantile, those judged.
    n: [u64; 2],
    /// By quantile, those slow.
    k: [u64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slow {
    since_millis: u64,
    blocks: [Blocks; 2],
}

impl Clusters {
    pub(super) fn of(known: Aged<Generation>) -> Self {
        Self { known, ..Self::default() }
    }

    /// Takes in one request: by quantile, whether it was slow, and `None` where it is not judged.
    pub(super) fn observe(&mut self, unix_millis: u64, slow: [Option<bool>; 2]) {
        let lasted = unix_millis.saturating_sub(self.open.start_millis);
        let complete = lasted >= BLOCK_MILLIS && self.open.requests >= BLOCK_REQUESTS;
        if complete || self.open.requests >= MOST_REQUESTS {
            self.close_block(unix_millis);
        }
        if self.open.requests == 0 {
            self.open.start_millis = unix_millis;
        }
        self.open.last_millis = unix_millis;
        self.open.requests += 1;
        for (quantile, slow) in slow.into_iter().enumerate() {
            self.open.n[quantile] += u64::from(slow.is_some());
            self.open.k[quantile] += u64::from(slow == Some(true));
        }
    }

    /// D by quantile; `None` with fewer than twenty blocks.
    pub(super) fn dispersion(&self) -> [Option<f64>; 2] {
        let [current, previous] = self.known.both();
        let usual_incidents = current.episodes + previous.episodes > ISOLATED;
        [0, 1].map(|quantile| {
            let mut all = Blocks::default();
            for generation in [current, previous] {
                all.add(&generation.usual[quantile]);
                if usual_incidents {
                    all.add(&generation.incidents[quantile]);
                }
            }
            (all.count >= LEAST_BLOCKS).then(|| all.sums.dispersion())
        })
    }

    /// Forgets what is too old at this wall-clock time.
    pub(super) fn follow_clock(&mut self, unix_millis: u64) {
        self.known.follow_clock(unix_millis);
    }

    /// Ends the open block and what it may be part of, before they are saved.
    pub(super) fn settle(&mut self) {
        let now = self.open.last_millis.max(self.known.since_millis);
        self.close_block(now);
        self.close_slow(now);
    }

    fn close_block(&mut self, unix_millis: u64) {
        let Block { start_millis, n, k, .. } = std::mem::take(&mut self.open);
        let mut blocks = [Blocks::default(); 2];
        for (blocks, (n, k)) in blocks.iter_mut().zip(n.into_iter().zip(k)) {
            if n >= LEAST_JUDGED {
                *blocks = Blocks { count: 1, sums: Sums::of_block(n, k) };
            }
        }
        if blocks[0].count > 0 && k[0] * 2 > n[0] {
            let slow = self.slow.get_or_insert(Slow { since_millis: start_millis, blocks: Default::default() });
            slow.blocks.iter_mut().zip(&blocks).for_each(|(sum, block)| sum.add(block));
            if slow.blocks[0].sums.n >= HALF_OF_REQUESTS {
                self.close_slow(unix_millis);
            }
        } else {
            self.close_slow(start_millis);
            self.keep(unix_millis, |generation| &mut generation.usual, &blocks);
        }
    }

    fn close_slow(&mut self, unix_millis: u64) {
        let Some(Slow { since_millis, blocks }) = self.slow.take() else { return };
        if unix_millis.saturating_sub(since_millis) < INCIDENT_MILLIS {
            self.keep(unix_millis, |generation| &mut generation.usual, &blocks);
        } else {
            self.known.current.episodes += 1;
            self.keep(unix_millis, |generation| &mut generation.incidents, &blocks);
        }
    }

    fn keep(&mut self, unix_millis: u64, whose: fn(&mut Generation) -> &mut [Blocks; 2], blocks: &[Blocks; 2]) {
        self.known.follow_clock(unix_millis);
        whose(&mut self.known.current).iter_mut().zip(blocks).for_each(|(sum, blocks)| sum.add(blocks));
        let Generation { usual, incidents, .. } = &self.known.current;
        // A request that is judged by p99 is judged by p90 too.
        if usual[0].sums.n + incidents[0].sums.n >= HALF_OF_REQUESTS {
            self.known.turn(unix_millis);
        }
    }
}

impl Blocks {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sums.add(&other.sums);
    }
}
