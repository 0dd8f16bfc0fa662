//! What an environment's releases are judged by, validated once; later code takes only these types.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::colour::Share;
use crate::criteria::{Criteria, CriteriaError};
use crate::policy::Salt;
use crate::retention::{Replicas, Stage};

/// The most components an environment may have: their policy fits one line of the Runtime API with room.
pub const MAX_COMPONENTS: usize = 16;

/// How far Teal's hand reaches in an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Writes to no map, selector or process; verdicts are recorded. The default for a newcomer.
    #[default]
    Observe,
    /// Like `observe`, and tells people.
    Advise,
    /// Deploys, switches and rolls back.
    Act,
}

/// What happens at the end of the longest watch when the release is neither proven nor bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// Stay on the new colour, keep the old one, tell a human (exit code 6).
    #[default]
    Keep,
    /// Take traffic back.
    Rollback,
    /// Hold until a human promotes or rolls back (exit code 7).
    Ask,
}

/// One partial step of a switch: the candidate's share and how long it is held before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// More than none, less than all, greater than the step before.
    pub share: Share,
    /// How long it is watched before the next step.
    pub hold: Duration,
}

/// One component: an API, a web app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentSettings {
    /// Its name, `[a-z][a-z0-9-]{0,29}`.
    pub name: String,
    /// What its candidates are judged by.
    pub criteria: Criteria,
}

/// Everything the state machine needs to know about an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How far Teal's hand reaches.
    pub mode: Mode,
    /// In the order of their names, 1 ..= [`MAX_COMPONENTS`]; the index is the component's id everywhere.
    pub components: Vec<ComponentSettings>,
    /// The names of the edges, at least one, fixed in the document at the start of a release.
    pub edges: Vec<String>,
    /// Which of them this agent routes, by index; the others' reports and evidence come from other agents. `None`: all of
    /// them, and nobody else is there.
    #[serde(default)]
    pub own: Option<Vec<usize>>,
    /// Salt of the canary buckets.
    pub salt: Salt,
    /// Partial steps before everything; empty means at once.
    pub steps: Vec<Step>,
    /// The shortest watch after the full switch, and the nominal length the start mass is spread over.
    pub watch_min: Duration,
    /// The longest watch; not shorter than `watch_min`.
    pub watch_max: Duration,
    /// What happens at its end.
    pub on_unknown: OnUnknown,
    /// How the old colour is kept after the watch, stage by stage.
    pub retain: Vec<Stage>,
    /// How long the new colour may take to become ready.
    pub deploy_timeout: Duration,
    /// How long the edges may take to acknowledge a forward step before it is taken back.
    pub switch_timeout: Duration,
    /// How long a colour may go on answering requests in flight before it is stopped.
    pub drain_timeout: Duration,
    /// Ask the old colour before a rollback (decision section 5).
    pub confirm: bool,
}

/// Why settings are refused. The configuration reader maps these to a line of the file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// No component, or too many.
    #[error("an environment has 1 to {MAX_COMPONENTS} components, not {0}")]
    Components(usize),
    /// Twice the same, out of order, or characters that a map and a metric cannot carry.
    #[error("component name `{0}` must match [a-z][a-z0-9-]{{0,29}} and be unique")]
    ComponentName(String),
    /// What a component is judged by.
    #[error("component `{0}`: {1}")]
    Criteria(String, CriteriaError),
    /// No edge.
    #[error("an environment needs an edge")]
    Edges,
    /// Owns what there is not.
    #[error("this agent routes edge {0}, and there is no such edge")]
    Own(usize),
    /// Steps that do not rise from above 0 to below 100 %.
    #[error("steps must rise, each above 0 % and below 100 %: {0} is out of order")]
    Steps(Share),
    /// `min` above `max`.
    #[error("watch.min ({min:?}) is longer than watch.max ({max:?})")]
    Watch {
        /// The shortest watch.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// An old colour of no instances is no way back.
    #[error("a stage of `retain` keeps 1 instance or more: end the list before this stage instead")]
    NothingKept,
    /// Zero where a positive number is needed.
    #[error("{0} must be more than 0")]
    Zero(&'static str),
}

impl Settings {
    /// Checks what the types alone do not say.
    ///
    /// # Errors
    /// The first rule that is broken, in the order of the fields.
    pub fn validate(&self) -> Result<(), SettingsError> {
        if self.components.is_empty() || self.components.len() > MAX_COMPONENTS {
            return Err(SettingsError::Components(self.components.len()));
        }
        for (index, component) in self.components.iter().enumerate() {
            let in_order = index == 0 || self.components[index - 1].name < component.name;
            if !in_order || !is_name(&component.name) {
                return Err(SettingsError::ComponentName(component.name.clone()));
            }
            if let Err(error) = component.criteria.validate() {
                return Err(SettingsError::Criteria(component.name.clone(), error));
            }
        }
        if self.edges.is_empty() {
            return Err(SettingsError::Edges);
        }
        if let Some(unknown) = self.own.iter().flatten().find(|edge| **edge >= self.edges.len()) {
            return Err(SettingsError::Own(*unknown));
        }
        let mut before = Share::NONE;
        for step in &self.steps {
            if step.share <= before || step.share >= Share::ALL {
                return Err(SettingsError::Steps(step.share));
            }
            before = step.share;
        }
        if self.watch_min > self.watch_max {
            return Err(SettingsError::Watch { min: self.watch_min, max: self.watch_max });
        }
        if self.retain.iter().any(|stage| stage.replicas == Replicas::Count(0)) {
            return Err(SettingsError::NothingKept);
        }
        for (name, zero) in [
            ("watch.min", self.watch_min.is_zero()),
            ("deploy timeout", self.deploy_timeout.is_zero()),
            ("switch timeout", self.switch_timeout.is_zero()),
        ] {
            if zero {
                return Err(SettingsError::Zero(name));
            }
        }
        Ok(())
    }

    /// How long the old colour is kept after the watch, in all.
    #[must_use]
    pub fn retained_for(&self) -> Duration {
        self.retain.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.length))
    }

    /// Whether this agent routes the edge of this index.
    #[must_use]
    pub fn owns(&self, edge: usize) -> bool {
        self.own.as_ref().is_none_or(|own| own.contains(&edge))
    }

    /// What a component is judged by where several agents judge it, one for each of `edges`: any of them may call it bad,
    /// so each spends its part of alpha.
    #[must_use]
    pub fn criteria_of(&self, component: &ComponentSettings, edges: usize) -> Criteria {
        let mut criteria = component.criteria.clone();
        if self.own.is_some() && edges > 1 {
            #[expect(clippy::cast_precision_loss, reason = "a handful of edges")]
            let agents = edges as f64;
            criteria.alpha /= agents;
        }
        criteria
    }

    /// The id of the component called `name`.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<usize> {
        self.components.iter().position(|c| c.name == name)
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 30
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
