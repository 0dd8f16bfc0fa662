//! The server's own clock: real time, and how far off the test says it is.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// Added to real time.
    pub(super) skew: Duration,
}

impl Clock {
    /// As objects have it, to the second.
    pub(super) fn now(self) -> String {
        self.after(0)
    }

    /// `seconds` from now.
    pub(super) fn after(self, seconds: i64) -> String {
        let now = OffsetDateTime::now_utc() + self.skew + Duration::seconds(seconds);
        let now = now.replace_nanosecond(0).unwrap_or(now);
        now.format(&Rfc3339).unwrap_or_default()
    }
}
