//! `teal.toml`: found, read with every mistake at once, validated, and turned into what the rest of Teal takes.
//!
//! ```text
//! file -> TOML with positions -> Section by Section -> Config -> teal_rollout::settings::Settings
//!                                      |
//!                                      +-> every mistake with line, column and way out; where each value comes from
//! ```
//! Nothing after this module meets an unvalidated value.

mod criteria;
mod dev;
mod diagnostic;
mod edge;
mod effective;
mod first;
mod flags;
mod kept;
mod load;
mod observing;
mod ports;
mod read;
mod runs;
mod section;
mod settings;
mod sources;
mod suite;
mod text;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use criteria::{Bad, Criteria, Latency, Probes, Statuses};
pub use dev::{DEV_STATE, make_dev_state};
pub use diagnostic::Diagnostic;
pub use edge::{Bind, BindAddress, Edge, Evidence, Form, JwtAlgorithm, RunAs, Timeouts, UserSource};
pub use first::{FIRST, first};
pub use flags::{FlagLimits, FlagService, Upstream};
pub use kept::{Kept, keep, kept, kept_pages};
pub use load::{LoadError, Loaded, find, load, parse};
pub use observing::{AgentRole, Observed, ObservedComponent, Observer, Observers};
pub use ports::PortRange;
pub use runs::{Processes, Runs, Workload};
pub use settings::NoSettings;
pub use sources::{Source, Sources};
pub use suite::smoke_table;
pub(crate) use text::parse_duration;
pub use types::{
    Agent, Component, Config, Environment, Notify, Platform, PlatformKind, Retain, RouteGroup, Smoke, Step, Switch,
    SwitchBy, Watch,
};

/// `examples/config/one-box.toml`: one API and one web app on one machine, in `act` mode.
pub const TWO_COMPONENTS: &str = include_str!("../../../examples/config/one-box.toml");

/// `examples/config/homelab.toml`: one agent on the box of HAProxy, for an application in a small cluster.
pub const KUBERNETES: &str = include_str!("../../../examples/config/homelab.toml");
