//! What `status` shows of a machine: a copy, so that nobody reaches into the machine itself.

use std::time::Duration;

use super::Machine;
use super::event::{Capacity, EdgeReport};
use crate::colour::Colour;
use crate::document::{Component, Document, Phase};
use crate::retention::key;
use crate::settings::Mode;
use crate::statistics::{Evidence, Samples};

/// One component's numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentView {
    /// The platform's last word on blue and green; `None` until it has spoken.
    pub capacity: [Option<Capacity>; 2],
    /// The candidate's evidence, while or after it was judged.
    pub evidence: Option<Evidence>,
    /// What the probes of the candidate have shown; `None` where it is not probed.
    pub samples: Option<Samples>,
    /// The history the next release is judged against: requests and bad ones.
    pub history: crate::statistics::Counts,
}

/// The old colour has to scale up before traffic may go back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleUp {
    /// How long that took, or its start, the last time; `None` where it was never measured.
    pub takes: Option<Duration>,
    /// For how long it has been scaling up, because traffic is to go back.
    pub under_way: Option<Duration>,
}

/// A snapshot of an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// How far Teal's hand reaches.
    pub mode: Mode,
    /// The desired state.
    pub document: Document,
    /// Component by component.
    pub components: Vec<ComponentView>,
    /// The edges' last words.
    pub edges: Vec<Option<EdgeReport>>,
    /// Counted time in the phase.
    pub elapsed: Duration,
    /// When the phase ends by time alone.
    pub limit: Option<Duration>,
    /// The longest the watch may become.
    pub watch_max: Duration,
    /// The component whose errors opened a shared window that is still open.
    pub shared_outage: Option<String>,
    /// Why a rollback would not be safe just now; `None` when it would.
    pub rollback_unsafe: Option<String>,
    /// What stands before a rollback, where the old colour runs with fewer instances than it had.
    pub scale_up: Option<ScaleUp>,
    /// Every edge would come back from a restart as it runs.
    pub reload_safe: bool,
    /// The document is durable.
    pub durable: bool,
    /// The store's last word was a failure.
    pub store_failing: bool,
    /// Edges and platform have been asked; orders are taken.
    pub started: bool,
    /// The platform has said what there is of the way back too, or has had its time: orders are answered for good.
    pub oriented: bool,
    /// This agent may move forward.
    pub leads: bool,
}

impl Machine {
    /// The evidence on a component's candidate, while or after it was judged: what is looked at too often for a copy.
    #[must_use]
    pub fn evidence(&self, component: usize) -> Option<&Evidence> {
        self.evidence.of(component).filter(|_| self.doc.components[component].takes_part())
    }

    /// What the probes of a component's candidate have shown; `None` where it is not probed.
    #[must_use]
    pub fn samples(&self, component: usize) -> Option<&Samples> {
        self.evidence.samples_of(component).filter(|_| self.doc.components[component].takes_part())
    }

    /// A snapshot for `status`.
    #[must_use]
    pub fn view(&self) -> View {
        let component = |id: usize| ComponentView {
            capacity: Colour::BOTH.map(|colour| self.facts.of(id, colour).cloned()),
            evidence: self.evidence(id).cloned(),
            samples: self.samples(id).cloned(),
            history: self.baselines[id].all().counts(),
        };
        View {
            mode: self.settings.mode,
            document: self.doc.clone(),
            components: (0..self.doc.components.len()).map(component).collect(),
            edges: self.facts.edges().map(Option::<&EdgeReport>::cloned).collect(),
            elapsed: self.elapsed,
            limit: self.phase_limit(),
            watch_max: self.settings.watch_max,
            shared_outage: self.confirm.window().map(|id| self.doc.components[id].name.clone()),
            rollback_unsafe: self.rollback_unsafe(),
            scale_up: self.scale_up(),
            reload_safe: self.facts.edges().all(|e| e.is_some_and(|e| e.running == e.saved && e.saved.is_some())),
            durable: self.is_durable(),
            store_failing: self.store_failing,
            started: self.started.is_done(),
            oriented: self.is_oriented(),
            leads: self.leads(),
        }
    }

    fn scale_up(&self) -> Option<ScaleUp> {
        let under_way = self.doc.is_coming_back().then_some(self.coming_for);
        self.must_scale_up().then(|| ScaleUp { takes: self.will_take(), under_way })
    }

    /// How long the old colour will take to scale up, as the slowest of it did last; `None` where that is not known.
    fn will_take(&self) -> Option<Duration> {
        let thin = self.participants().filter(|(id, _)| self.is_thin(*id));
        let took = |(_, c): (usize, &Component)| self.doc.ready_in.get(&key(&c.name, c.stable.colour)).copied();
        let took = thin.map(took).collect::<Option<Vec<_>>>()?;
        took.into_iter().max().map(Duration::from_millis)
    }

    fn rollback_unsafe(&self) -> Option<String> {
        match self.doc.phase {
            Phase::Idle => return Some("no release to go back from".into()),
            Phase::RollingBack => return Some("already rolling back".into()),
            Phase::Deploying | Phase::Smoke | Phase::Switching | Phase::Watching | Phase::Held | Phase::Retaining => {}
        }
        self.participants().find_map(|(id, c)| {
            if c.stable.version.is_none() {
                Some("first release".to_owned())
            } else if self.facts.is_ready(id, c.stable.colour) || self.must_scale_up() {
                None
            } else {
                Some(format!("{} {} has nothing ready", c.name, c.stable.colour))
            }
        })
    }
}
