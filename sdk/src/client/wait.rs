//! Waiting for the client, with a runtime or without.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::limits::LONGEST;
use super::shared::Shared;

/// Until nothing better is to come.
pub(super) async fn until_settled(shared: &Shared) {
    // The other end is in `shared`: it does not go away.
    let _ = shared.watch().wait_for(super::shared::State::is_settled).await;
}

/// Until the tasks have ended.
pub(super) async fn until_stopped(shared: &Shared) {
    let _ = shared.watch().wait_for(|state| state.stopped).await;
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until the future is done, or for so long.
pub(super) fn block_on<T>(future: impl Future<Output = T>, limit: Duration) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let end = Instant::now() + limit.min(LONGEST);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_blocks_until_done_or_until_the_limit() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let sender = thread::spawn(move || send.send(7));
        assert_eq!(block_on(receive, Duration::from_secs(15)), Some(Ok(7)));
        sender.join().unwrap().unwrap();
        assert_eq!(block_on(std::future::pending::<()>(), Duration::from_millis(1)), None);
    }
}
