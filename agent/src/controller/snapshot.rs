//! What the controller shows to others: a copy of its machine's state, renewed with each change.

use teal_rollout::machine::{ComponentView, Machine, View};
use teal_rollout::statistics::Source;

use crate::api::{self, Judgement};

/// The state of an environment at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the machine shows.
    pub view: View,
    /// When the phase began, RFC 3339; empty where this agent has not seen it begin.
    pub since: String,
}

impl Snapshot {
    pub(super) fn of(machine: &Machine, since: &str) -> Self {
        Self { view: machine.view(), since: since.to_owned() }
    }

    /// The evidence of the components that take part.
    #[must_use]
    pub fn judgements(&self) -> Vec<Judgement> {
        judgements(&self.view)
    }
}

pub(super) fn judgements(view: &View) -> Vec<Judgement> {
    let components = view.document.components.iter().zip(&view.components);
    components
        .filter_map(|(c, numbers)| {
            let (e, evidence) = (numbers.evidence.as_ref()?, evidence(numbers)?);
            Some(Judgement {
                component: c.name.clone(),
                requests: e.requests(),
                bad: e.bad(),
                evidence,
                set_aside: e.excused().bad,
            })
        })
        .collect()
}

/// A component's evidence as it is sent.
#[must_use]
pub fn evidence(numbers: &ComponentView) -> Option<api::Evidence> {
    let e = numbers.evidence.as_ref()?;
    let (tolerated, history) = (e.tolerated(), e.history());
    let percent = |rate: f64| rate * 100.0;
    Some(api::Evidence {
        log_m: e.log_m(),
        threshold: e.log_threshold(),
        excludable_percent: e.excludable().map(percent),
        baseline: api::Baseline {
            n: history.n0,
            k: history.k0,
            source: match tolerated.source {
                Source::Measured => "history".to_owned(),
                Source::Policy => "policy".to_owned(),
            },
            p0: tolerated.p0,
        },
        probes: numbers.samples.as_ref().map(|samples| api::Probes {
            sent: samples.counts().n0,
            failed: samples.counts().k0,
            excludable_percent: samples.excludable().map(percent),
        }),
    })
}

/// The evidence in a sentence: `api 6 of 31 requests bad, log M 15.2 of 14.5`.
pub(super) fn sentence(view: &View) -> Option<String> {
    let probes = |j: &Judgement| j.evidence.probes.clone().filter(|probes| probes.sent > 0);
    let parts = judgements(view).into_iter().filter(|j| j.requests > 0 || probes(j).is_some()).map(|j| {
        let (log_m, threshold) = (j.evidence.log_m, j.evidence.threshold);
        let probed = probes(&j).map(|p| format!(", {} of {} probes failed", p.failed, p.sent)).unwrap_or_default();
        format!("{} {} of {} requests bad, log M {log_m:.1} of {threshold:.1}{probed}", j.component, j.bad, j.requests)
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
