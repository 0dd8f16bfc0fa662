//! Recompiles flags that depend on time, when it is time.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use super::{blocking, now};

/// The clock may be set: it is looked at this often at least while something depends on it.
const LONGEST: Duration = Duration::from_secs(10);
/// And no more often than this.
const SHORTEST: Duration = Duration::from_millis(100);

/// Ticks for ever.
pub(super) async fn run(shared: &Arc<Shared>) {
    loop {
        let flags = shared.flags.clone();
        let next = blocking(move || flags.tick(now())).await.ok().flatten();
        let changed = shared.ticker.notified();
        match next {
            None => changed.await,
            Some(next) => {
                let millis = u64::try_from(next.millis() - now().millis()).unwrap_or_default();
                let pause = Duration::from_millis(millis).clamp(SHORTEST, LONGEST);
                let _ = tokio::time::timeout(pause, changed).await;
            }
        }
    }
}
