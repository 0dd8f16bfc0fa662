//! One file a command: its arguments and what it does.

pub(super) mod agent;
pub(super) mod break_glass;
pub(super) mod completions;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod deploy;
pub(super) mod doctor;
pub(super) mod edge;
pub(super) mod explain;
pub(super) mod flags;
pub(super) mod history;
pub(super) mod init;
pub(super) mod leave;
pub(super) mod lever;
pub(super) mod manual;
pub(super) mod notify;
pub(super) mod proxy;
pub(in crate::cli) mod rollback;
pub(super) mod sample_app;
pub(super) mod shim;
pub(super) mod smoke;
pub(super) mod status;
pub(super) mod stop;
pub(super) mod token;
pub(super) mod wait;
