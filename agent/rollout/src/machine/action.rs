//! Everything the machine can ask of the world: a closed list of absolute, repeatable orders.

use std::time::Duration;

use crate::colour::Colour;
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::event::Arm;
use crate::policy::Policy;
use crate::retention::Replicas;

/// In which order an edge writes (decision section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// File first, then the running proxy, then read back; stop at the first failure and try again.
    Forward,
    /// The running proxy first, then the file; a failure of one does not keep the other from happening.
    Back,
}

/// One thing to do. Orders are absolute, so doing one twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make this document durable; answer [`crate::machine::Event::Stored`] when it is.
    Persist(Box<Document>),
    /// Make this edge route by this policy; answer with an [`crate::machine::event::EdgeReport`].
    Route {
        /// Index in [`Document::edges`].
        edge: usize,
        /// What to route by.
        policy: Policy,
        /// In which order to write.
        direction: Direction,
    },
    /// Run `version` on this colour at full capacity; answer with [`crate::machine::event::Capacity`].
    Start {
        /// The component's id.
        component: usize,
        /// Where.
        colour: Colour,
        /// What.
        version: String,
        /// For which release.
        release: u64,
    },
    /// Keep `version` on this colour, which does not serve, in so many instances, or have it at full capacity again; answer with
    /// [`crate::machine::event::Capacity`].
    Scale {
        /// The component's id.
        component: usize,
        /// Where.
        colour: Colour,
        /// What.
        version: String,
        /// In how many instances; never more than it had, unless it is to be full: then as many as it had or as the other
        /// colour has, whichever is more.
        replicas: Replicas,
        /// How many it had when it served, as far as that is known: full is never fewer.
        full: u32,
        /// For which release.
        release: u64,
        /// Counts these orders within the release: one that is not newer than the last one carried out changes nothing.
        order: u32,
    },
    /// Scale this colour down, gracefully.
    Stop {
        /// The component's id.
        component: usize,
        /// Where.
        colour: Colour,
        /// As of which release. A colour on which a later release was started since is left alone: the order comes from an
        /// agent that was asleep.
        release: u64,
    },
    /// Point the platform's own routing (a Service's selector) at this colour: every edge routes to it alone. Given once
    /// traffic has settled there, again at a start and whenever [`crate::machine::Event::Drift`] says that it was changed;
    /// never in a pause.
    Select {
        /// The component's id.
        component: usize,
        /// Which colour.
        colour: Colour,
        /// As of which release; a platform that knows of a later one leaves it alone.
        release: u64,
    },
    /// Run the smoke suite straight against these colours; answer [`crate::machine::Event::Smoke`].
    Smoke {
        /// For which release.
        release: u64,
        /// Component id and colour, one for each component that takes part.
        targets: Vec<(usize, Colour)>,
    },
    /// Send requests straight to a colour, all at once; answer [`crate::machine::Event::Probed`].
    Probe(Probe),
    /// Send one request straight to the candidate, which few others ask; answer [`crate::machine::Event::Sampled`].
    Sample {
        /// To be repeated in the answer. It rises by one with each probe of the component in a release: what takes turns
        /// (checks, servers) can go by it.
        round: u64,
        /// The component's id.
        component: usize,
        /// The colour to ask.
        colour: Colour,
        /// To be repeated in the answer.
        release: u64,
    },
    /// Record this and tell people; never waited for.
    Announce(Notice),
}

impl Action {
    /// Whether an edge or the platform is told to change something.
    #[must_use]
    pub const fn is_order(&self) -> bool {
        matches!(
            self,
            Self::Route { .. } | Self::Start { .. } | Self::Scale { .. } | Self::Stop { .. } | Self::Select { .. }
        )
    }
}

/// A question to one colour: harmless requests on new connections, past the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// To be repeated in the answer.
    pub round: u64,
    /// Which arm this is, to be repeated too.
    pub arm: Arm,
    /// The component's id.
    pub component: usize,
    /// The colour to ask.
    pub colour: Colour,
    /// The route groups that failed most on the candidate, worst first; may be empty.
    pub groups: Vec<u8>,
    /// Not users' requests but [`Action::Sample`]s failed: the check that failed last is what to ask for.
    pub sampled: bool,
    /// How many to send at once, 1 or more.
    pub requests: u8,
    /// When so many have passed the others need not be waited for, 1 ..= `requests`.
    pub enough: u8,
    /// How long a request may take to pass; `None`: as long as its route allows.
    pub within: Option<Duration>,
}

/// Something worth a line in the history and perhaps a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// For which release.
    pub release: u64,
    /// What.
    pub news: News,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The release entered this phase.
    Entered(Phase),
    /// The candidate's share became this, acknowledged by every edge.
    Switched(crate::colour::Share),
    /// The release ended.
    Ended(Outcome, Option<Cause>),
    /// The release is bad and traffic is on its way back.
    Bad(Cause),
    /// In `observe` and `advise`: what would have been done.
    WouldRollBack(Cause),
    /// In `observe` and `advise`: somebody moved traffic, and Teal watches.
    Observed,
    /// Both colours fail: a shared outage, nothing is switched.
    SharedOutage {
        /// Which component's errors raised it.
        component: String,
    },
    /// The shared outage is over and the evidence starts anew.
    SharedOutageOver,
    /// The candidate failed all at once, and both colours do well now: taken for a shared outage that was over before
    /// the old colour could be asked. The evidence starts anew.
    OutageSuspected {
        /// Which component's errors raised it.
        component: String,
    },
    /// A colour that should not serve does, because the right one has nothing ready.
    Emergency {
        /// Which component.
        component: String,
    },
    /// The right colour serves again.
    EmergencyOver {
        /// Which component.
        component: String,
    },
    /// Bad, and there is no colour to go back to.
    NoWayBack(Cause),
    /// The old colour is kept in so many instances from now on.
    Kept(Replicas),
    /// Traffic goes back once the old colour, which runs with fewer instances than it had, has scaled up.
    ScalingUp(Cause),
    /// The old colour did not come to full capacity, and traffic stays where it is: the reason.
    NotScaledUp(String),
    /// A manual move to the last good colour was adopted.
    ManualAdopted,
    /// A manual move to an unproven colour was put back.
    ManualPutBack,
    /// Somebody else pointed the platform's own routing (a Service's selector) away from the colour that serves.
    SelectorDrift {
        /// Which component's.
        component: String,
    },
    /// Paused or resumed, by whom.
    Paused(String),
    /// The pause ended, by whom.
    Resumed(String),
    /// The watch was extended because not enough is known.
    Extended,
}
