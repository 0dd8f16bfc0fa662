//! What runs where, what is known about it, and what happens next.

use serde::{Deserialize, Serialize};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::settings::Mode;

use super::{Evidence, Known, ReleaseId};

/// One environment as its agent sees it just now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The environment's name.
    pub environment: String,
    /// The application's name.
    pub app: String,
    /// How far Teal's hand reaches.
    pub mode: Known<Mode>,
    /// Where the release stands.
    pub phase: Known<Phase>,
    /// The current or last release; `None` before the first.
    pub release: Option<ReleaseId>,
    /// The epoch, `release.step.verdict`.
    pub epoch: String,
    /// How the release ended, once it has.
    pub outcome: Option<Known<Outcome>>,
    /// Why it was called bad, in words.
    pub cause: Option<String>,
    /// Who asked for the release.
    pub by: String,
    /// When the phase began, RFC 3339.
    pub since: String,
    /// Who paused the environment; `None` when nobody did.
    pub paused: Option<String>,
    /// In name order.
    pub components: Vec<ComponentStatus>,
    /// The watch, hold or retention that is running.
    pub watch: Option<WatchStatus>,
    /// Whether `teal rollback` would work.
    pub rollback_safe: Safe,
    /// What stands before a rollback while the old colour runs with fewer instances than it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<ScaleUpStatus>,
    /// Whether the map file says what the proxy runs by, so that a reload or restart changes nothing.
    pub reload_safe: Safe,
    /// Every HAProxy in front.
    pub edges: Vec<EdgeStatus>,
    /// Whether the store can be written.
    pub store: Safe,
    /// Components served from a colour that should not serve, because the right one has nothing ready.
    pub emergency: Vec<String>,
    /// The component whose errors opened a shared window: both colours fail and nothing is switched.
    pub shared_outage: Option<String>,
    /// What happens next and when, in words.
    pub next: String,
    /// Sequence number of the newest event: where to listen from.
    pub seq: u64,
    /// The agent's version.
    pub agent: String,
}

/// A yes with nothing to add, or a no with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Safe {
    /// Yes or no.
    pub yes: bool,
    /// Why not; or what has to come first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Safe {
    /// Yes.
    #[must_use]
    pub const fn yes() -> Self {
        Self { yes: true, reason: String::new() }
    }

    /// Yes, once something else is done.
    #[must_use]
    pub fn after(what: impl Into<String>) -> Self {
        Self { yes: true, reason: what.into() }
    }

    /// No, and why.
    #[must_use]
    pub fn no(reason: impl Into<String>) -> Self {
        Self { yes: false, reason: reason.into() }
    }
}

/// The old colour has to scale up before traffic may go back to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScaleUpStatus {
    /// Seconds that it took last, to scale up or to start; `None` where that was never measured.
    pub takes: Option<f64>,
    /// Seconds that it has been scaling up, because traffic is to go back; `None` while nobody has asked for it.
    pub under_way: Option<f64>,
}

impl ScaleUpStatus {
    /// As it stands in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let about = self.takes.map(|takes| format!(" of about {takes:.0} s")).unwrap_or_default();
        match (self.under_way, self.takes) {
            (Some(under_way), _) => format!("scaling up for {under_way:.0} s{about}, then traffic goes back"),
            (None, Some(takes)) => format!("back in {takes:.0} s, must scale up first"),
            (None, None) => "must scale up first".to_owned(),
        }
    }
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// The proven colour, the target of a rollback.
    pub stable: ColourStatus,
    /// The colour under release; `None` when the component takes no part.
    pub candidate: Option<ColourStatus>,
    /// What the release brings or brought, whether it runs just now or not; `None` as with `candidate`, or when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// The candidate's share, thousandths of a percent.
    pub share: Share,
    /// What the candidate is judged by; `None` when it is not judged.
    pub evidence: Option<Evidence>,
}

/// One colour of a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColourStatus {
    /// Which.
    pub colour: Known<Colour>,
    /// What runs there.
    pub version: Option<String>,
    /// Instances that are ready.
    pub ready: u32,
    /// Instances that should run.
    pub wanted: u32,
    /// Why some are not ready, when the platform knows.
    pub failure: Option<String>,
    /// Requests finished in this release.
    pub requests: u64,
    /// How many of them were bad.
    pub bad: u64,
}

impl Default for ColourStatus {
    fn default() -> Self {
        let colour = Known::Known(Colour::Blue);
        Self { colour, version: None, ready: 0, wanted: 0, failure: None, requests: 0, bad: 0 }
    }
}

/// A time that is running.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchStatus {
    /// Seconds watched so far; time that nobody watched does not count.
    pub elapsed: f64,
    /// Its shortest length in seconds.
    pub min: f64,
    /// Its longest.
    pub max: f64,
    /// Seconds until the next decision by the clock; `None` when a human is awaited.
    pub deadline: Option<f64>,
}

/// One HAProxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeStatus {
    /// Its name.
    pub name: String,
    /// The process, when it answers.
    pub pid: Option<u32>,
    /// HAProxy's version.
    pub version: Option<String>,
    /// The policy it routes by.
    pub policy: Option<String>,
    /// How often it showed another policy than ordered, and was put right.
    pub drift: u64,
    /// Whether evidence flows: `live` or `lost`.
    pub feed: String,
    /// Requests that ended and count for no verdict, because their log lines were lost or the agent was behind.
    pub evidence_lost: u64,
    /// Old workers after a reload that still serve connections.
    pub old_workers: u32,
    /// What is wrong with it.
    pub problem: Option<String>,
}

impl EdgeStatus {
    /// Whether it was asked and does not answer, so that nobody knows whether anybody is served.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.pid.is_none() && self.policy.is_none() && self.problem.is_some()
    }
}
