//! The real agent, over its admin socket.

use std::collections::BTreeMap;

use teal_rollout::colour::Colour;
use teal_rollout::document::Phase;

use super::configuration::Configuration;
use super::operator::{Look, Operator, Refused};
use super::{COMPONENT, ENVIRONMENT};
use crate::api::{Evidence, Explanation, Order, OrderRequest, ReleaseId, Status};
use crate::client::Client;

/// The agent of one demo.
#[derive(Clone, Debug)]
pub struct Agent(Client);

impl Agent {
    /// The agent that runs by `configuration`.
    #[must_use]
    pub fn of(configuration: &Configuration) -> Self {
        Self(Client::new(configuration.socket()))
    }

    async fn order(&self, order: Order) -> Result<ReleaseId, Refused> {
        let request = OrderRequest { order, by: "demo".to_owned() };
        Ok(self.0.order(ENVIRONMENT, &request).await.map_err(Refused::because)?.release)
    }
}

impl Operator for Agent {
    async fn ready(&self) -> Result<(), Refused> {
        self.0.status(ENVIRONMENT).await.map(drop).map_err(Refused::because)
    }

    async fn release(&self, version: &str) -> Result<u64, Refused> {
        let versions = BTreeMap::from([(COMPONENT.to_owned(), version.to_owned())]);
        Ok(self.order(Order::Deploy { versions }).await?.0)
    }

    async fn look(&self, release: u64) -> Result<Look, Refused> {
        let status = self.0.status(ENVIRONMENT).await.map_err(Refused::because)?;
        if status.release != Some(ReleaseId(release)) {
            let now = status.release.map_or("none".to_owned(), |now| now.to_string());
            return Err(Refused(format!("{} is not the current release any more: {now} is", ReleaseId(release))));
        }
        let look = look(&status);
        if look.ended.is_none() {
            return Ok(look);
        }
        let explanation = self.0.explain(ENVIRONMENT, ReleaseId(release)).await.map_err(Refused::because)?;
        Ok(explained(look, &explanation))
    }

    async fn promote(&self) -> Result<(), Refused> {
        self.order(Order::Promote).await.map(drop)
    }
}

fn look(status: &Status) -> Look {
    let phase = status.phase.known().copied().unwrap_or(Phase::Switching);
    let component = status.components.iter().find(|component| component.name == COMPONENT);
    let candidate = component.and_then(|component| component.candidate.as_ref());
    let evidence = component.and_then(|component| component.evidence.as_ref());
    let outcome = status.outcome.as_ref().and_then(|outcome| outcome.known().copied());
    Look {
        status: status.clone(),
        phase,
        candidate: candidate.and_then(|slot| slot.colour.known().copied()).unwrap_or(Colour::Blue),
        from: component.and_then(|component| component.stable.version.clone()),
        log_m: evidence.map(|evidence| (evidence.log_m, evidence.threshold)),
        exclude_above_percent: evidence.and_then(|evidence| evidence.excludable_percent),
        judged: None,
        // An outcome is known from the verdict on; the release has ended when nothing moves any more.
        ended: outcome.filter(|_| !phase.is_busy()).map(|outcome| (outcome, status.cause.clone())),
    }
}

/// After the end the status has settled on the new state; what led there stands in the explanation.
fn explained(look: Look, explanation: &Explanation) -> Look {
    let judgement = explanation.judgements.iter().find(|judgement| judgement.component == COMPONENT);
    let excludable = |evidence: &Evidence| evidence.excludable_percent;
    Look {
        from: explanation.release.from.get(COMPONENT).cloned().or(look.from),
        judged: judgement.map(|judgement| judgement.requests).filter(|requests| *requests > 0),
        exclude_above_percent: judgement
            .and_then(|judgement| excludable(&judgement.evidence))
            .or(look.exclude_above_percent),
        ended: look.ended.map(|(outcome, cause)| (outcome, explanation.release.cause.clone().or(cause))),
        ..look
    }
}

#[cfg(test)]
mod tests {
    use teal_rollout::document::Outcome;

    use super::*;

    fn status(phase: &str, outcome: &str) -> Status {
        serde_json::from_value(serde_json::json!({
            "release": 3, "phase": phase, "outcome": outcome, "cause": "errors of app",
            "components": [{
                "name": "app",
                "stable": { "colour": "green", "version": "v2" },
                "candidate": { "colour": "blue", "version": "v3", "requests": 31, "bad": 6 },
                "evidence": { "log_m": 15.2, "threshold": 14.5, "excludable_percent": 21.5 }
            }]
        }))
        .unwrap()
    }

    #[test]
    fn a_release_has_ended_when_its_outcome_is_known_and_nothing_moves() {
        let check = |phase: &str, outcome: &str, expected: Option<Outcome>| {
            let ended = look(&status(phase, outcome)).ended;
            assert_eq!(ended.map(|(outcome, _)| outcome), expected, "{phase} {outcome}");
        };
        check("watching", "", None);
        check("rolling_back", "rolled_back", None);
        check("idle", "rolled_back", Some(Outcome::RolledBack));
        check("retaining", "completed", Some(Outcome::Completed));
    }

    #[test]
    fn a_look_shows_the_candidate_its_evidence_and_in_the_end_the_explanation() {
        let watching = look(&status("watching", ""));
        assert_eq!((watching.candidate, watching.log_m), (Colour::Blue, Some((15.2, 14.5))));
        assert_eq!((watching.from.as_deref(), watching.exclude_above_percent), (Some("v2"), Some(21.5)));
        let explanation: Explanation = serde_json::from_value(serde_json::json!({
            "release": { "id": 3, "from": { "app": "v1" }, "cause": "errors of app: 4 of 4" },
            "judgements": [{ "component": "app", "requests": 4, "bad": 4, "evidence": { "excludable_percent": 50.0 } }]
        }))
        .unwrap();
        let ended = explained(look(&status("idle", "rolled_back")), &explanation);
        assert_eq!((ended.from.as_deref(), ended.judged), (Some("v1"), Some(4)));
        assert_eq!(ended.exclude_above_percent, Some(50.0));
        assert_eq!(ended.ended, Some((Outcome::RolledBack, Some("errors of app: 4 of 4".to_owned()))));
    }
}
