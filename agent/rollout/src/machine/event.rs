//! Everything that can happen to an environment: a closed list.

use std::time::Duration;

use crate::colour::Colour;
use crate::document::Document;
pub use crate::observation::{Access, Observation};
use crate::policy::Policy;
use crate::time::Time;

/// A human's order. The answer says at once whether it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Release these versions, by component name; components not named stay as they are.
    Deploy {
        /// Component name and version.
        versions: Vec<(String, String)>,
        /// Who asks.
        by: String,
    },
    /// Take traffic back to the old colour.
    Rollback {
        /// Who asks.
        by: String,
    },
    /// Go on at once: end a hold, a watch or a question as kept.
    Promote {
        /// Who asks.
        by: String,
    },
    /// End a release that has not moved traffic.
    Abort {
        /// Who asks.
        by: String,
    },
    /// Hold forward movement and leave manual moves alone.
    Pause {
        /// Who asks.
        by: String,
    },
    /// End the pause.
    Resume {
        /// Who asks.
        by: String,
    },
}

/// Requests that one observer saw finish since its last block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Who saw them; an edge's own observer has the edge's index.
    pub observer: u16,
    /// Rises with each block of an observer, also over its restarts (start it from a clock); a block that is not
    /// newer than the last one was delivered twice and is ignored.
    pub sequence: u64,
    /// In the order they finished.
    pub requests: Vec<Observation>,
}

/// What the platform says about one colour of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The component's id.
    pub component: usize,
    /// The colour.
    pub colour: Colour,
    /// The release that last ordered something to run there; 0 where the platform does not know. What it says of an
    /// earlier release is not taken for a word on the one that has just been ordered.
    pub release: u64,
    /// The last [`crate::machine::Action::Scale`] of that release that was carried out there; 0 before any.
    pub scaled: u32,
    /// The version that runs there; `None` when nothing is meant to run.
    pub version: Option<String>,
    /// Instances that answer their readiness check.
    pub ready: u32,
    /// Instances that should run.
    pub wanted: u32,
    /// Instances that restart over and over.
    pub crash_looping: u32,
    /// Why it will not become ready, when the platform knows (port in use, image pull, exit status).
    pub failure: Option<String>,
}

/// Whether an edge's evidence can be relied on just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Log lines arrive, or would if there were requests.
    Live,
    /// The log is not being read; silence means nothing.
    Lost,
}

/// What an edge shows: sent at the start, after every order, at every change, and at least once a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeReport {
    /// Index in [`crate::document::Document::edges`].
    pub edge: usize,
    /// The policy the running proxy routes by; `None` when it cannot be reached or holds none.
    pub running: Option<Policy>,
    /// The policy on disk, what a restart would route by; `None` when it cannot be read or written.
    pub saved: Option<Policy>,
    /// The running policy was changed by somebody else while the proxy kept running. The adapter leaves such
    /// a change alone until the next order; every other difference it mends by itself.
    pub manual: bool,
    /// Whether evidence flows.
    pub feed: Feed,
    /// What the edge knows of its back ends; empty while it cannot be asked.
    pub backends: Vec<Backend>,
}

/// One colour of one component as an edge sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The component's id.
    pub component: usize,
    /// The colour.
    pub colour: Colour,
    /// Servers that pass the edge's own checks.
    pub up: u32,
    /// Requests in flight.
    pub in_flight: u32,
}

/// Which colour a confirming probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// The stable colour.
    Old,
    /// The candidate.
    New,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Requests finished.
    Requests(Block),
    /// The platform's word on one colour.
    Capacity(Capacity),
    /// An edge's word.
    Edge(EdgeReport),
    /// The smoke suite ended; `Err` carries the first failed check.
    Smoke {
        /// For which release.
        release: u64,
        /// Passed, or what failed.
        result: Result<(), String>,
    },
    /// The requests of a [`crate::machine::action::Probe`] ended, or enough of them have passed.
    Probed {
        /// The round asked for; an answer to an older round is ignored.
        round: u64,
        /// Which colour was asked.
        arm: Arm,
        /// How many passed.
        passed: u8,
    },
    /// A probe of a candidate with little traffic ended.
    Sampled {
        /// For which release; an answer about another one is ignored.
        release: u64,
        /// The component's id.
        component: usize,
        /// The round asked for; an answer to an older round is ignored.
        round: u64,
        /// Whether it was answered well and in time.
        passed: bool,
        /// How long the answer took; the limit where none came.
        wait: Duration,
    },
    /// The document of this revision, and every one before it, is durable.
    Stored {
        /// Its revision.
        revision: u64,
    },
    /// The store cannot write just now; it goes on trying by itself.
    StoreFailed {
        /// The revision that is not durable.
        revision: u64,
    },
    /// Until when this agent leads, which moving forward needs; told anew at each renewal.
    ///
    /// A moment on the machine's own clock instead of yes or no: an agent that was asleep must not go on with what it was
    /// told before. A machine that was never told leads if it routes every edge ([`crate::settings::Settings::own`] is
    /// `None`), and does not otherwise.
    Lead {
        /// `None`: it does not lead.
        until: Option<Time>,
    },
    /// What the store holds, written by another agent; also what a write of this one met instead of what it was based on.
    ///
    /// Every write that the machine asked for before it took this event is void ([`crate::machine::Machine::heard`]).
    Document(Box<Document>),
    /// The platform's own routing of a component was found changed by somebody else, against the last
    /// [`crate::machine::Action::Select`]; once for each change.
    Drift {
        /// The component's id.
        component: usize,
        /// Where it points now; `None`: at neither colour, or at both.
        colour: Option<Colour>,
    },
    /// A deadline the machine asked for has come (or any moment at all).
    Tick,
}
