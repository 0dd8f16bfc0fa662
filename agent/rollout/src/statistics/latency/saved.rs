//! The form a latency history is saved in, and what is refused on the way in.

use serde::{Deserialize, Serialize};

use super::super::MAX_REQUESTS;
use super::super::blocks::Sums;
use super::LatencyHistory;
use super::aged::{Aged, HALF_OF_REQUESTS};
use super::clusters::{Blocks, Clusters, Generation};
use super::group::Group;
use super::histogram::{BUCKETS, Histogram};
use crate::criteria::MAX_GROUPS;

/// The most a replay can have risen, in thousandths: a million requests in a row that are slow.
const MOST_RISEN: u64 = 10_000_000_000;

/// A saved history that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "saved latency history: {place} {at} of `{field}` cannot be true; delete the saved history to measure a new one"
)]
pub struct LatencyHistoryError {
    field: &'static str,
    place: &'static str,
    at: usize,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    groups: Vec<SavedGroup>,
    blocks: SavedAged<SavedGeneration>,
}

#[derive(Serialize, Deserialize)]
struct SavedAged<T> {
    since_millis: u64,
    current: T,
    previous: T,
}

/// Pairs of numbers in a row: how many buckets further the next one is that is not empty, and what is in it.
type SavedGroup = SavedAged<Vec<u32>>;

/// For p90 and p99: blocks, n, k, the sums of n^2, nk and k^2, and the highest rise.
#[derive(Serialize, Deserialize)]
struct SavedGeneration {
    usual: [[u64; 7]; 2],
    incidents: [[u64; 7]; 2],
    episodes: u64,
    millis: u64,
}

impl From<LatencyHistory> for Saved {
    fn from(mut history: LatencyHistory) -> Self {
        history.clusters.settle();
        let known = &history.clusters.known;
        Self {
            groups: history.groups.iter().map(|group| save_aged(&group.waits, save_histogram)).collect(),
            blocks: save_aged(known, save_generation),
        }
    }
}

fn save_aged<T, S>(aged: &Aged<T>, save: fn(&T) -> S) -> SavedAged<S> {
    let Aged { since_millis, current, previous } = aged;
    SavedAged { since_millis: *since_millis, current: save(current), previous: save(previous) }
}

fn save_histogram(histogram: &Histogram) -> Vec<u32> {
    let mut next = 0;
    let mut row = Vec::new();
    for (bucket, waits) in histogram.filled() {
        let further = u32::try_from(bucket - next).unwrap_or(u32::MAX);
        row.extend([further, waits]);
        next = bucket + 1;
    }
    row
}

fn save_generation(generation: &Generation) -> SavedGeneration {
    let row = |Blocks { count, sums: Sums { n, k, nn, nk, kk }, risen }| [count, n, k, nn, nk, kk, risen];
    SavedGeneration {
        usual: generation.usual.map(row),
        incidents: generation.incidents.map(row),
        episodes: generation.episodes,
        millis: generation.millis,
    }
}

impl TryFrom<Saved> for LatencyHistory {
    type Error = LatencyHistoryError;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let wrong = |field, place, at| move || LatencyHistoryError { field, place, at };
        if saved.groups.len() > usize::from(MAX_GROUPS) + 1 {
            return Err(wrong("groups", "group", saved.groups.len() - 1)());
        }
        let groups = saved.groups.into_iter().enumerate().map(|(at, group)| {
            read_aged(&group, |row| read_histogram(row)).map(Group::of).ok_or_else(wrong("groups", "group", at))
        });
        let groups = groups.collect::<Result<_, _>>()?;
        let known = read_aged(&saved.blocks, read_generation).ok_or_else(wrong("blocks", "generation", 0))?;
        Ok(Self { groups, clusters: Clusters::of(known) })
    }
}

fn read_aged<T, S>(saved: &SavedAged<S>, read: impl Fn(&S) -> Option<T>) -> Option<Aged<T>> {
    let SavedAged { since_millis, current, previous } = saved;
    Some(Aged { since_millis: *since_millis, current: read(current)?, previous: read(previous)? })
}

fn read_histogram(row: &[u32]) -> Option<Histogram> {
    let (pairs, rest) = row.as_chunks();
    let mut histogram = Histogram::default();
    let mut next = 0_usize;
    for [further, waits] in pairs {
        let bucket = next.checked_add(usize::try_from(*further).ok()?).filter(|bucket| *bucket < BUCKETS)?;
        histogram.add_to_bucket(bucket, *waits);
        next = bucket + 1;
    }
    (rest.is_empty() && histogram.n() <= HALF_OF_REQUESTS).then_some(histogram)
}

fn read_generation(saved: &SavedGeneration) -> Option<Generation> {
    let read = |&[count, n, k, nn, nk, kk, risen]: &[u64; 7]| {
        let sums = Sums { n, k, nn, nk, kk };
        // What was slow for long joins a generation that may be nearly full.
        let fits = count <= n && sums.can_be_true(2 * MAX_REQUESTS) && risen <= MOST_RISEN;
        fits.then_some(Blocks { count, sums, risen })
    };
    let both = |[p90, p99]: &[[u64; 7]; 2]| Some([read(p90)?, read(p99)?]);
    let (usual, incidents) = (both(&saved.usual)?, both(&saved.incidents)?);
    let &SavedGeneration { episodes, millis, .. } = saved;
    (episodes <= MAX_REQUESTS).then_some(Generation { usual, incidents, episodes, millis })
}
