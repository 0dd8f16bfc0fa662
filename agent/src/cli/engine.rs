//! What works without an agent, or is one: each function is the one call of its command into the rest of Teal.

mod adopt;
mod agent;
mod break_glass;
mod doctor;
mod edge;
mod leave;
mod log;
mod missing;
mod notify;
mod processes;
mod proxy;
mod services;
mod smoke;

pub(super) use adopt::{Adoption, adopt};
pub(super) use agent::{AgentOptions, agent, demo, dev};
pub(super) use break_glass::{Page, Source, break_glass};
pub(super) use doctor::{doctor, without_configuration};
pub(super) use edge::{Force, edge_force, edge_status};
pub(super) use leave::{Leave, leave};
pub(super) use missing::refuse_missing;
pub(super) use notify::notify_test;
pub(super) use processes::{last_lines, sample_app, shim, stop};
pub(super) use proxy::{proxy_check, proxy_render, proxy_show};
pub(super) use smoke::{SmokeTarget, smoke, smoke_mistakes};

pub(super) use crate::demo::DemoArgs as DemoOptions;
