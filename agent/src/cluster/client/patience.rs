//! The pause between two tries.

use std::time::Duration;

use tokio::time::sleep;

/// A flat pause with jitter: an API server that is back is found at once, and those who wait for it do not come all together.
///
/// Pauses that double are for servers that are overloaded by tries; this one says so itself (429 with `Retry-After`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self::of(Duration::from_millis(300))
    }
}

impl Patience {
    /// The longest that a server may ask for.
    const LONGEST: Duration = Duration::from_millis(1_500);

    /// Pauses of about this length.
    #[must_use]
    pub const fn of(pause: Duration) -> Self {
        Self { pause }
    }

    /// The next pause: within a quarter of the flat one.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause.mul_f64(fastrand::f64().mul_add(0.5, 0.75))
    }

    /// Waits for a pause.
    pub async fn wait(&self) {
        sleep(self.pause()).await;
    }

    /// Waits for a pause, or for as long as the server asked in its answer, 1.5 s at most.
    pub async fn wait_after(&self, error: &kube::Error) {
        sleep(self.pause_after(error)).await;
    }

    fn pause_after(&self, error: &kube::Error) -> Duration {
        let asked = match error {
            kube::Error::Api(status) => status.details.as_ref().map_or(0, |details| details.retry_after_seconds),
            _ => 0,
        };
        let asked = Duration::from_secs(asked.into()).min(Self::LONGEST);
        self.pause() + asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::response::{Status, StatusDetails};
    use serde_json::json;

    #[test]
    fn pauses_are_near_to_each_other_and_not_the_same() {
        let patience = Patience::default();
        let pauses: Vec<Duration> = (0..100).map(|_| patience.pause()).collect();
        assert!(pauses.iter().all(|pause| (225..=375).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| pause.abs_diff(pauses[0]).as_millis() > 10));
    }

    #[test]
    fn a_server_that_asks_for_time_gets_some() {
        let asking = |seconds| {
            let details: StatusDetails = serde_json::from_value(json!({"retryAfterSeconds": seconds})).unwrap();
            let status = Status { code: 429, details: Some(details), ..Status::default() };
            Patience::default().pause_after(&kube::Error::Api(Box::new(status)))
        };
        assert!(asking(1) > Duration::from_secs(1));
        assert!(asking(3600) < Duration::from_secs(2), "a wait that nobody understands");
    }
}
