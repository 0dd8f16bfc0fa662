//! Whether the old colour's slow requests come in clusters: pauses, waves of load, a neighbour's batch job.
//!
//! ```text
//!   blocks of a second   [5 slow of 100][8 of 100][71 of 100][64 of 100] ...   --> D for p90, D for p99
//!                                                  \__ an incident if it lasts 5 s __/
//! ```

use super::super::blocks::Sums;
use super::Quantile;
use super::aged::{Aged, HALF_OF_REQUESTS};
use super::replay::{self, Replay};

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
/// Incidents rarer than one in this time of traffic are left out of D, or one would blunt the bets for as long as the
/// history reaches. More of them are how this colour is, and a watch may well meet one.
const RARE_MILLIS: u64 = 30 * 60_000;
/// A block counts as no more traffic than this; the rest of its time there was none.
const LONGEST_BLOCK_MILLIS: u64 = 10 * 60_000;

/// Dispersion of slow requests by quantile, over at most 200,000 requests and 24 hours.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clusters {
    pub(super) known: Aged<Generation>,
    replay: [Replay; 2],
    open: Block,
    /// Consecutive blocks that were mostly slow, not known yet to be an incident or a cluster like others.
    slow: Option<Slow>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) usual: [Blocks; 2],
    pub(super) incidents: [Blocks; 2],
    pub(super) episodes: u64,
    /// Time with traffic.
    pub(super) millis: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) count: u64,
    pub(super) sums: Sums,
    /// The highest rise of the [`Replay`], in thousandths and rounded up.
    pub(super) risen: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Block {
    start_millis: u64,
    last_millis: u64,
    requests: u64,
    /// By quantile, those judged.
    n: [u64; 2],
    /// By quantile, those slow.
    k: [u64; 2],
    /// By quantile, the highest rise of the replay.
    risen: [f64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slow {
    since_millis: u64,
    blocks: [Blocks; 2],
}

impl Default for Clusters {
    fn default() -> Self {
        Self::of(Aged::default())
    }
}

impl Clusters {
    pub(super) fn of(known: Aged<Generation>) -> Self {
        let replay = Quantile::ALL.map(Replay::new);
        Self { known, replay, open: Block::default(), slow: None }
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
            let Some(slow) = slow else { continue };
            self.open.n[quantile] += 1;
            self.open.k[quantile] += u64::from(slow);
            self.open.risen[quantile] = self.open.risen[quantile].max(self.replay[quantile].settle(slow));
        }
    }

    /// D by quantile, the higher one of what the blocks and what the replay show; `None` with fewer than twenty blocks.
    pub(super) fn dispersion(&self) -> [Option<f64>; 2] {
        let [current, previous] = self.known.both();
        let millis = current.millis.saturating_add(previous.millis);
        let usual_incidents = (current.episodes + previous.episodes).saturating_mul(RARE_MILLIS) > millis;
        [0, 1].map(|quantile| {
            let mut all = Blocks::default();
            for generation in [current, previous] {
                all.add(&generation.usual[quantile]);
                if usual_incidents {
                    all.add(&generation.incidents[quantile]);
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "saved ones are below 2^53, others far below")]
            let risen = all.risen as f64 / 1_000.0;
            let of_replay = replay::dispersion(risen, all.sums.n, all.count);
            (all.count >= LEAST_BLOCKS).then(|| all.sums.dispersion().max(of_replay))
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
        let Block { start_millis, requests, n, k, risen, .. } = std::mem::take(&mut self.open);
        if requests == 0 {
            return;
        }
        let lasted = unix_millis.saturating_sub(start_millis).min(LONGEST_BLOCK_MILLIS);
        self.known.current.millis = self.known.current.millis.saturating_add(lasted);
        let mut blocks = [0, 1].map(|quantile| Blocks::of(n[quantile], k[quantile], risen[quantile]));
        if blocks[0].count > 0 && k[0] * 2 > n[0] {
            let slow = self.slow.get_or_insert(Slow { since_millis: start_millis, blocks: Default::default() });
            slow.blocks.iter_mut().zip(&blocks).for_each(|(sum, block)| sum.add(block));
            if slow.blocks[0].sums.n >= HALF_OF_REQUESTS {
                self.close_slow(unix_millis);
            }
        } else {
            if self.close_slow(start_millis) {
                // The block begins as high as the incident has carried the bettors.
                self.replay.iter_mut().for_each(Replay::reset);
                blocks.iter_mut().for_each(|blocks| blocks.risen = 0);
            }
            self.keep(unix_millis, |generation| &mut generation.usual, &blocks);
        }
    }

    /// Ends what was slow, if anything, and says whether it was an incident.
    fn close_slow(&mut self, unix_millis: u64) -> bool {
        let Some(Slow { since_millis, blocks }) = self.slow.take() else { return false };
        let incident = unix_millis.saturating_sub(since_millis) >= INCIDENT_MILLIS;
        if incident {
            self.known.current.episodes += 1;
            self.keep(unix_millis, |generation| &mut generation.incidents, &blocks);
        } else {
            self.keep(unix_millis, |generation| &mut generation.usual, &blocks);
        }
        incident
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
    fn of(n: u64, k: u64, risen: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; a cast saturates")]
        let risen = (risen * 1_000.0).ceil() as u64;
        let judged = n >= LEAST_JUDGED;
        let sums = if judged { Sums::of_block(n, k) } else { Sums::default() };
        Self { count: u64::from(judged), sums, risen }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sums.add(&other.sums);
        self.risen = self.risen.max(other.risen);
    }
}
