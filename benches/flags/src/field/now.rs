//! Futures that are ready at once: what an `async` API costs when nothing is waited for, without a runtime's own price.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The result of a future; polls again until it is there.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

/// A runtime for what a contestant starts with; it is not driven while calls are measured.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime without threads")
}
