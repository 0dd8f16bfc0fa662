//! The integration tests, one binary. `cfg(test)` tells clippy that all of it may panic.

#[cfg(test)]
mod tidy;
