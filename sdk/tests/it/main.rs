//! The crate as its users see it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "that is how tests fail, their helpers too")]

mod client;
mod costs;
mod evaluations;
mod examples;
mod flagd;
mod flags_page;
mod haproxy;
mod hostile;
mod random;
mod unleash;
mod vectors;
