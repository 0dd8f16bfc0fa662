//! Notices when the wall clock, by which HAProxy stamps its lines, was set back. Pure.
//!
//! Forward is no matter: a request that began later still has the later stamp. Back is: until the clock has caught up,
//! a stamp may be from before the step although a look after it shows an earlier time.

use teal_rollout::time::Time;

/// In microseconds. A smaller step back may go unnoticed, so stamps this close count as the same. It is what NTP slews
/// in a second; looks are much closer to each other.
pub const GUARD: u64 = 500;

/// The wall clock against the monotonic one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    last: Option<(Time, u64)>,
}

impl Clock {
    /// Takes in both clocks, read at one moment, the wall clock in microseconds. When that was set back since the last
    /// time by more than [`GUARD`]: how far it had come by now.
    pub fn set_back(&mut self, now: Time, wall: u64) -> Option<u64> {
        let (then, before) = self.last.replace((now, wall))?;
        let passed = u64::try_from(now.since(then).as_micros()).unwrap_or(u64::MAX);
        let expected = before.saturating_add(passed);
        (wall.saturating_add(GUARD) < expected).then_some(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_back_is_told() {
        let mut clock = Clock::default();
        let mut check = |now: u64, wall: u64, expected: Option<u64>| {
            assert_eq!(clock.set_back(Time::from_micros(now), wall), expected, "{now} {wall}");
        };
        check(0, 5_000_000, None);
        check(25_000, 5_025_000, None);
        // NTP makes a second 0.5 ms shorter, a reading takes a while.
        check(50_000, 5_049_800, None);
        check(75_000, 9_000_000, None);
        check(100_000, 9_000_000, Some(9_025_000));
        check(125_000, 9_025_000, None);
        check(150_000, 0, Some(9_050_000));
    }
}
