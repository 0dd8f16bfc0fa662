//! Waiting for a condition instead of for a time.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long [`until`] waits before the test fails: long enough for a machine that does much else.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Asks `probe` every 2 ms until it gives a value.
///
/// # Panics
/// After [`PATIENCE`], with `what` was waited for.
pub async fn until<T, F>(what: &str, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// The same without a runtime: asks every 2 ms until `holds` is true, and blocks meanwhile.
///
/// # Panics
/// As [`until`].
pub fn block_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_returns_the_first_value() {
        let mut left = 3;
        let probe = || {
            left -= 1;
            std::future::ready((left == 0).then_some("done"))
        };
        assert_eq!(until("three probes are made", probe).await, "done");
    }
}
