//! What works without an agent, or is one: each function is the one call of its command into the rest of Teal.

mod agent;
mod edge;
mod log;
mod processes;
mod proxy;
mod smoke;

pub(super) use agent::{AgentOptions, agent, demo, dev};
pub(super) use edge::{Force, edge_force, edge_status};
pub(super) use processes::{last_lines, sample_app, shim, stop};
pub(super) use proxy::{proxy_check, proxy_render, proxy_show};
pub(super) use smoke::{SmokeTarget, smoke, smoke_mistakes};

pub(super) use crate::demo::DemoArgs as DemoOptions;
