//! The tail of a call while a writer replaces flags a thousand times a second, and without.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::player::{Entry, Update};
use crate::world::World;

/// Calls between two looks at the clock: few, so that one slow call shows; more than one, so that the clock does not.
pub const BATCH: usize = 8;
/// Replacements that the writer aims at.
pub const EACH: Duration = Duration::from_millis(1);

/// What one stretch showed: nanoseconds a call, of means over [`BATCH`] calls.
#[derive(Clone, Copy)]
pub struct Tail {
    /// The median.
    pub p50: f64,
    /// Of a hundred batches, 99 were faster.
    pub p99: f64,
    /// Of a thousand, 999.
    pub p999: f64,
    /// The slowest batch.
    pub max: f64,
    /// Replacements a second that the writer reached.
    pub updates: f64,
}

/// One reader for `length`; with `update`, beside a writer on another thread.
///
/// # Panics
/// When a contestant panics.
#[must_use]
pub fn stretch(world: &World, entry: &Entry, update: Option<&mut Update>, length: Duration) -> Tail {
    let stop = AtomicBool::new(false);
    let mut histogram = Histogram::<u64>::new_with_max(1_000_000_000_000, 3).expect("three digits are allowed");
    let (updates, elapsed) = thread::scope(|scope| {
        let writer = update.map(|update| scope.spawn(|| write(update, &stop)));
        let start = Instant::now();
        entry.player.play_batches(world, BATCH, &|| start.elapsed() < length, &mut histogram);
        stop.store(true, Ordering::Relaxed);
        let elapsed = start.elapsed();
        (writer.map_or(0, |writer| writer.join().expect("an update panicked")), elapsed)
    });
    let ns = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 10.0;
    Tail {
        p50: ns(0.5),
        p99: ns(0.99),
        p999: ns(0.999),
        max: histogram.max() as f64 / 10.0,
        updates: updates as f64 / elapsed.as_secs_f64(),
    }
}

/// Replaces flags on schedule, or as fast as it can when that is slower; gives how often.
fn write(update: &mut Update, stop: &AtomicBool) -> u64 {
    let mut done = 0;
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        update();
        done += 1;
        due = (due + EACH).max(Instant::now().checked_sub(EACH).unwrap_or(due));
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    done
}
