//! The integration tests, one binary. `cfg(test)` tells clippy that all of it may panic.

#[cfg(test)]
mod tidy;
//! The agent against the real world: processes, sockets, HAProxy.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "that is how tests fail, their helpers too")]

mod local;
