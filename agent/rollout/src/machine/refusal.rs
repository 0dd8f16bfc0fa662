//! Why an order is not taken, and the way out.

use crate::document::Phase;

/// Why an order is not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The machine has not heard from its edges yet, or of what could serve.
    #[error(
        "the agent has just started and is still asking edges and platform where things stand: try again in a moment"
    )]
    Starting,
    /// Another agent leads, or none does just now.
    #[error(
        "this agent does not lead: give the order to the one that does (`status` names it); a rollback is taken here too"
    )]
    NotLeading,
    /// The mode forbids it.
    #[error("the environment is in mode `{0}`: Teal writes nothing there; set `mode = \"act\"` to let it")]
    Mode(&'static str),
    /// A human paused the environment.
    #[error("paused by {by}: `resume` first")]
    Paused {
        /// Who.
        by: String,
    },
    /// Another release is under way.
    #[error("r-{release:04} by {by} is under way ({phase})")]
    Busy {
        /// Which.
        release: u64,
        /// Whose.
        by: String,
        /// Where it stands.
        phase: Phase,
    },
    /// Every component already runs the version asked for.
    #[error("these versions run already, since r-{release:04}")]
    AlreadyRunning {
        /// Since which release.
        release: u64,
    },
    /// A component that is not configured.
    #[error("unknown component `{name}`: there is {known}")]
    UnknownComponent {
        /// What was asked for.
        name: String,
        /// The configured names.
        known: String,
    },
    /// Neither a version nor one that can stand in a path and a command line.
    #[error("`{0}` is not a version: it must match [A-Za-z0-9_][A-Za-z0-9_.+:@-]{{0,127}}, without `..`")]
    Version(String),
    /// No component named.
    #[error("a deploy needs at least one component with its version")]
    NothingToDeploy,
    /// The store cannot be written, so nothing new is begun.
    #[error("the store cannot be written just now, so no release is begun; a rollback still works")]
    StoreFailing,
    /// An edge may hold a verdict that nobody else knows of, so nothing new is begun without it.
    #[error("edge `{edge}` cannot be asked just now, so no release is begun; a rollback still works")]
    EdgeUnreachable {
        /// Its name.
        edge: String,
    },
    /// Another agent wrote something else at the same moment, and its word counts.
    #[error("another agent was faster, so the order was not carried out: look at `status`, and order again")]
    Overtaken,
    /// A rollback waits for the old colour to scale up.
    #[error(
        "r-{release:04} is being taken back as soon as the old colour has scaled up: wait for it (`status` shows it)"
    )]
    ComingBack {
        /// Which.
        release: u64,
    },
    /// The old colour has to scale up before traffic may go back, and nothing can be written.
    #[error(
        "the old colour runs with fewer instances than it had and must scale up first, and the store cannot be written just now: `edge force` moves traffic to what is there of it"
    )]
    CannotScaleUp,
    /// There is no release to go back from.
    #[error(
        "no release is under way, and no old colour is kept as the way back; `rollback --to RELEASE` releases an older one again"
    )]
    NothingToRollBack,
    /// The old colour has no capacity.
    #[error("the old colour of `{component}` ({version}) has nothing ready: deploy that version again instead")]
    NoWayBack {
        /// Which component.
        component: String,
        /// What would be gone back to.
        version: String,
    },
    /// The release is past the point, or not yet at the point, where the order makes sense.
    #[error("`{order}` makes no sense while the release is {phase}: {instead}")]
    WrongPhase {
        /// What was asked.
        order: &'static str,
        /// Where the release stands.
        phase: Phase,
        /// What to do instead.
        instead: &'static str,
    },
}
