//! The second platform: Kubernetes, by its API server.
//!
//! [`resource`] is the one truth there: what is wanted of an environment, and what has come of it.

pub mod resource;
