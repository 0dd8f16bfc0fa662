//! The integration tests, one binary: the agent against processes, sockets and a real HAProxy.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "that is how tests fail, their helpers too")]

mod bad_input;
mod cli;
#[cfg(debug_assertions)]
mod crash;
mod detection;
mod docs;
mod flag_service;
mod flags;
mod kubernetes;
mod levers;
mod local;
mod manifests;
mod night;
mod packaging;
mod reference;
mod relay;
mod restarts;
mod said;
mod scripts;
mod site;
mod tidy;
mod verdicts;
