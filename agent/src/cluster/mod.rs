//! What Teal shares of Kubernetes among its ports: the client, watches, the lease, orders, and the resource that is the one truth there.

pub mod client;
pub mod lease;
pub mod nodes;
pub mod orders;
pub(crate) mod pod;
pub mod resource;
pub mod selected;
pub mod watch;
