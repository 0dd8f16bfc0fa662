//! What Teal shares of Kubernetes among its ports: the client, and the resource that is the one truth there.

pub mod resource;
