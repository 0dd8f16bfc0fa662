//! The one place where the controller reads clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use teal_rollout::machine::Now;
use teal_rollout::time::Time;
use tokio::time::Instant;

/// A monotonic clock with its origin at the start of the agent, and the wall clock beside it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both times, now.
    #[must_use]
    pub fn now(&self) -> Now {
        let micros = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { time: Time::from_micros(micros), unix_millis: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
    }

    /// An instant as a time of the machine; its origin for one before it.
    #[must_use]
    pub fn time(&self, instant: Instant) -> Time {
        let micros = instant.saturating_duration_since(self.origin).as_micros();
        Time::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// The instant of a time of the machine.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        self.origin + Duration::from_micros(time.as_micros())
    }
}
