//! When each request is meant to leave: exact in the long run, with jitter within each request's own slot.

use std::time::Duration;

/// The intended starts, as time since the load's own, without end.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    rps: u32,
    jitter: Option<fastrand::Rng>,
    next: u64,
}

impl Schedule {
    pub(super) fn new(rps: u32, jitter: Option<u64>) -> Self {
        Self { rps, jitter: jitter.map(fastrand::Rng::with_seed), next: 0 }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        const SECOND: u64 = 1_000_000_000;
        let rps = u64::from(self.rps);
        let (seconds, slot) = (self.next / rps, self.next % rps);
        let within = self.jitter.as_mut().map_or(0, |jitter| jitter.u64(0..SECOND / rps));
        self.next += 1;
        Some(Duration::from_secs(seconds) + Duration::from_nanos(slot * SECOND / rps + within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_exact_and_the_order_kept_with_or_without_jitter() {
        for (rps, jitter) in [(1, None), (3, None), (3, Some(7)), (200, Some(1)), (1000, None), (20_000, Some(2))] {
            let starts: Vec<_> = Schedule::new(rps, jitter).take(rps as usize * 3).collect();
            assert!(starts.is_sorted(), "{rps} {jitter:?}");
            for second in 0..3 {
                let within = |at: &&Duration| at.as_secs() == second;
                assert_eq!(starts.iter().filter(within).count(), rps as usize, "{rps} {jitter:?} second {second}");
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again() {
        let take = |seed| Schedule::new(200, Some(seed)).take(50).collect::<Vec<_>>();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
