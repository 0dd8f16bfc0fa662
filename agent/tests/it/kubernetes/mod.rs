//! Releases of an application that runs on a cluster, behind a real HAProxy beside it.

mod autoscalers;
mod cluster;
mod configuration;
mod laptop;
mod node_memory;
mod nodes;
mod observing;
mod releases;
mod server;
mod services;
mod trouble;
mod two_agents;
