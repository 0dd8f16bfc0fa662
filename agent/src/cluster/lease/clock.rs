//! The clock by which a lead ends.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Where the system has one, the clock that goes on while the machine sleeps: others do not wait for it.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Since some moment in the past; never set by anybody.
pub(super) fn now() -> Duration {
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}
