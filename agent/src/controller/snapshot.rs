//! What the controller shows to others: a copy of its machine's state, renewed with each change.

use std::sync::Arc;

use teal_rollout::criteria::Criteria;
use teal_rollout::document::Cause;
use teal_rollout::machine::{ComponentView, Machine, View};
use teal_rollout::observation::Access;
use teal_rollout::settings::Settings;
use teal_rollout::statistics::{
    self, CLUSTERED, Counts, Evidence, PartKind, Place, Quantile, SAMPLES_WEIGHT, Samples, Slowness, Source, Tolerated,
};

use crate::api::{self, Baseline, Judgement, PlaceKind, Seen};

/// The state of an environment at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the machine shows.
    pub view: View,
    /// When the phase began, RFC 3339; empty where this agent has not seen it begin.
    pub since: String,
    names: Names,
}

/// What components are judged by, for the names of their route groups above all. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Names(Arc<[Criteria]>);

impl Names {
    pub(super) fn new(settings: &Settings) -> Self {
        Self::of(settings.components.iter().map(|component| component.criteria.clone()))
    }

    /// Of components with these criteria, in their order.
    pub(super) fn of(criteria: impl IntoIterator<Item = Criteria>) -> Self {
        Self(criteria.into_iter().collect())
    }

    /// The name of a group; empty for any other path.
    pub(super) fn group(&self, component: usize, id: u8) -> String {
        let name = usize::from(id).checked_sub(1).and_then(|at| self.0.get(component)?.groups.get(at));
        name.cloned().unwrap_or_default()
    }
}

impl Snapshot {
    pub(super) fn of(machine: &Machine, since: &str, names: &Names) -> Self {
        Self { view: machine.view(), since: since.to_owned(), names: names.clone() }
    }

    /// A component's evidence as it is sent; `None` when it is not judged.
    #[must_use]
    pub fn evidence(&self, component: usize) -> Option<api::Evidence> {
        let numbers = self.view.components.get(component)?;
        evidence(numbers, component, &self.names)
    }

    /// The evidence of the components that take part.
    #[must_use]
    pub fn judgements(&self) -> Vec<Judgement> {
        judgements(&self.view, &self.names)
    }
}

pub(super) fn judgements(view: &View, names: &Names) -> Vec<Judgement> {
    let components = view.document.components.iter().zip(&view.components).enumerate();
    components
        .filter_map(|(id, (c, numbers))| {
            let (e, evidence) = (numbers.evidence.as_ref()?, evidence(numbers, id, names)?);
            Some(Judgement {
                component: c.name.clone(),
                requests: e.requests(),
                bad: e.bad(),
                evidence,
                set_aside: e.excused().bad,
                set_aside_requests: e.excused().requests,
            })
        })
        .collect()
}

fn evidence(numbers: &ComponentView, component: usize, names: &Names) -> Option<api::Evidence> {
    let e = numbers.evidence.as_ref()?;
    let group = |id| names.group(component, id);
    let percent = |rate: f64| rate * 100.0;
    let suspect = |suspect: statistics::Suspect| {
        let (place, name) = match suspect.place {
            Place::Group(id) => (PlaceKind::Route, group(id)),
            Place::Access(Access::Read) => (PlaceKind::Reads, String::new()),
            Place::Access(Access::Write) => (PlaceKind::Writes, String::new()),
            // As the edge's configuration calls them.
            Place::Server(id) => (PlaceKind::Server, format!("s{id}")),
        };
        api::Suspect { place: place.into(), name, inside: seen(suspect.inside), outside: seen(suspect.outside) }
    };
    let slow = |slow: Slowness| api::Slow {
        quantile: quantile(slow.quantile).to_owned(),
        route: group(slow.group),
        seen: seen(slow.seen),
        tolerated: slow.tolerated,
        within_ms: u64::try_from(slow.within.as_millis()).unwrap_or(u64::MAX),
    };
    let samples = numbers.samples.as_ref();
    Some(api::Evidence {
        log_m: e.log_m(),
        threshold: e.log_threshold(),
        excludable_percent: e.excludable().map(percent),
        baseline: baseline(e.history(), Some(e.tolerated())),
        dispersion: e.dispersion(),
        tempered: e.dispersion() > CLUSTERED,
        parts: parts(e, samples, component, names),
        suspects: e.tally().suspects().into_iter().map(suspect).collect(),
        slow: e.slowness().map(slow),
        probes: samples.map(|samples| api::Probes {
            sent: samples.counts().n0,
            failed: samples.counts().k0,
            excludable_percent: samples.excludable().map(percent),
        }),
    })
}

/// Every part of a component's evidence and its probes, the one nearest to its threshold first.
pub(super) fn parts(e: &Evidence, samples: Option<&Samples>, component: usize, names: &Names) -> Vec<api::Part> {
    let part = |part: statistics::Part| {
        let (kind, name) = match part.kind {
            PartKind::Errors => (api::PartKind::Errors, String::new()),
            PartKind::Group(id) => (api::PartKind::Group, names.group(component, id)),
            PartKind::Concurrent => (api::PartKind::Concurrent, String::new()),
            PartKind::Latency(q) => (api::PartKind::Latency, quantile(q).to_owned()),
        };
        let mut baseline = baseline(part.against, part.tolerated);
        if kind == api::PartKind::Latency {
            "waits".clone_into(&mut baseline.source);
        }
        let (kind, seen) = (kind.into(), seen(part.seen));
        api::Part { kind, name, weight: part.weight, log_m: part.log_m, threshold: part.threshold, seen, baseline }
    };
    let mut parts: Vec<api::Part> = e.parts().into_iter().map(part).collect();
    parts.extend(samples.zip(names.0.get(component)).map(|(samples, criteria)| api::Part {
        kind: api::PartKind::Probes.into(),
        name: String::new(),
        weight: SAMPLES_WEIGHT,
        log_m: samples.log_m(),
        threshold: (2.0 / criteria.alpha / SAMPLES_WEIGHT).ln(),
        seen: seen(samples.counts()),
        baseline: Baseline { source: "policy".to_owned(), p0: criteria.acceptable_error_rate, ..Baseline::default() },
    }));
    parts.sort_by(|a, b| (b.log_m - b.threshold).total_cmp(&(a.log_m - a.threshold)));
    parts
}

const fn quantile(quantile: Quantile) -> &'static str {
    match quantile {
        Quantile::P90 => "p90",
        Quantile::P99 => "p99",
    }
}

fn baseline(counts: Counts, tolerated: Option<Tolerated>) -> Baseline {
    let source = match tolerated.map(|t| t.source) {
        Some(Source::Measured) => "history",
        Some(Source::Policy) => "policy",
        None => "old colour",
    };
    Baseline { n: counts.n0, k: counts.k0, source: source.to_owned(), p0: tolerated.map_or(0.0, |t| t.p0) }
}

const fn seen(counts: Counts) -> Seen {
    Seen { requests: counts.n0, bad: counts.k0 }
}

/// The evidence in a sentence: `6 of 31 requests bad, writes only, log M 15.2 of 14.5`, or how many were slow. Of the
/// component that the cause names; where it names none, of each that was asked anything, with its name.
pub(super) fn sentence(view: &View, names: &Names, cause: &Cause) -> Option<String> {
    let asked = |j: &Judgement| j.requests > 0 || j.evidence.probes.as_ref().is_some_and(|probes| probes.sent > 0);
    let judged = judgements(view, names).into_iter().filter(asked);
    let parts: Vec<String> = match cause.component() {
        Some(component) => judged.filter(|j| j.component == component).map(|j| in_words(&j)).collect(),
        None => judged.map(|j| format!("{} {}", j.component, in_words(&j))).collect(),
    };
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn in_words(judgement: &Judgement) -> String {
    let Judgement { requests, bad, evidence, .. } = judgement;
    let places: String = evidence.suspects.iter().take(2).map(|suspect| format!(", {}", suspect.brief())).collect();
    let bad = || format!("{bad} of {requests} requests bad{places}");
    let what = evidence.slow.as_ref().map_or_else(bad, ToString::to_string);
    let probes = evidence.probes.as_ref().filter(|probes| probes.sent > 0);
    let probed = probes.map(|p| format!(", {} of {} probes failed", p.failed, p.sent)).unwrap_or_default();
    format!("{what}, log M {:.1} of {:.1}{probed}", evidence.log_m, evidence.threshold)
}
