//! What happened, as it is recorded and sent: a typed kind with its data, and always a sentence.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teal_rollout::colour::Share;
use teal_rollout::document::{Cause, Outcome, Phase};
use teal_rollout::machine::action::News;
use teal_rollout::retention::Replicas;

use super::ReleaseId;

/// One line of an environment's history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Rises by one within an environment.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// The release it belongs to; 0 when to none.
    pub release: ReleaseId,
    /// One of [`Happening`]'s names, or a newer one.
    pub kind: String,
    /// A sentence for people, whatever the kind.
    pub text: String,
    /// The kind's data.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

impl Record {
    /// Records a happening.
    #[must_use]
    pub fn new(seq: u64, at: String, release: ReleaseId, happening: &Happening) -> Self {
        let mut wire = serde_json::to_value(happening).unwrap_or_default();
        let kind = wire["kind"].as_str().unwrap_or_default().to_owned();
        Self { seq, at, release, kind, text: happening.to_string(), data: wire["data"].take() }
    }

    /// The typed happening; `None` when its kind or data is of another version: then there is [`Record::text`].
    #[must_use]
    pub fn happening(&self) -> Option<Happening> {
        let mut wire = serde_json::json!({ "kind": self.kind });
        if !self.data.is_null() {
            wire["data"] = self.data.clone();
        }
        serde_json::from_value(wire).ok()
    }
}

/// What happened, closed for this version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Happening {
    /// The release entered this phase.
    Entered {
        /// Which.
        phase: Phase,
    },
    /// The smoke suite ended.
    Smoke {
        /// Checks that passed.
        passed: u32,
        /// All checks.
        total: u32,
        /// The slowest check's name and its milliseconds.
        #[serde(default)]
        slowest: Option<(String, u64)>,
        /// The first failed check.
        #[serde(default)]
        failed: Option<String>,
    },
    /// The candidate's share became this, acknowledged by every edge.
    Switched {
        /// Thousandths of a percent.
        share: Share,
        /// From the order to the last edge's acknowledgement, microseconds.
        #[serde(default)]
        took_us: Option<u64>,
    },
    /// The release ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// Why.
        #[serde(default)]
        cause: Option<Cause>,
    },
    /// The release is bad and traffic is on its way back.
    Bad {
        /// Why.
        cause: Cause,
        /// The evidence in a sentence, with what failed: `6 of 31 requests bad, writes only, log M 15.2 of 14.5`.
        #[serde(default)]
        evidence: Option<String>,
    },
    /// Traffic is back on the old colour, acknowledged by every edge.
    Back {
        /// From the verdict to the last edge's acknowledgement, microseconds.
        #[serde(default)]
        took_us: Option<u64>,
    },
    /// In `observe` and `advise`: what would have been done.
    WouldRollBack {
        /// Why.
        cause: Cause,
        /// The evidence in a sentence.
        #[serde(default)]
        evidence: Option<String>,
    },
    /// In `observe` and `advise`: somebody moved traffic, and Teal watches.
    Observed,
    /// Both colours fail: a shared outage, nothing is switched.
    SharedOutage {
        /// Whose errors raised it.
        component: String,
    },
    /// The shared outage is over and the evidence starts anew.
    SharedOutageOver,
    /// All requests of the candidate failed for a moment, and both colours do well since; the evidence starts anew.
    OutageSuspected {
        /// Whose errors raised it.
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
    NoWayBack {
        /// Why it is bad.
        cause: Cause,
    },
    /// From now on the old colour is kept in so many instances.
    KeptIn {
        /// How many; `None`: all that it had.
        replicas: Option<u16>,
    },
    /// Traffic goes back once the old colour, which runs with fewer instances than it had, has scaled up.
    ScalingUp {
        /// Why it goes back.
        cause: Cause,
    },
    /// The old colour did not come to full capacity: traffic stays where it is.
    NotScaledUp {
        /// Why it did not come.
        reason: String,
    },
    /// A manual move to the last good colour was adopted.
    ManualAdopted,
    /// A manual move to an unproven colour was put back.
    ManualPutBack,
    /// `edge force` was behind that move.
    ByHand {
        /// Who.
        by: String,
        /// Why, in their words.
        reason: String,
    },
    /// Somebody else pointed the platform's own routing away from the colour that serves.
    SelectorDrift {
        /// Which component's.
        component: String,
    },
    /// A human holds forward movement.
    Paused {
        /// Who.
        by: String,
    },
    /// The pause ended.
    Resumed {
        /// By whom.
        by: String,
    },
    /// The watch was extended because not enough is known.
    Extended,
}

impl From<News> for Happening {
    fn from(news: News) -> Self {
        match news {
            News::Entered(phase) => Self::Entered { phase },
            News::Switched(share) => Self::Switched { share, took_us: None },
            News::Ended(outcome, cause) => Self::Ended { outcome, cause },
            News::Bad(cause) => Self::Bad { cause, evidence: None },
            News::WouldRollBack(cause) => Self::WouldRollBack { cause, evidence: None },
            News::Observed => Self::Observed,
            News::SharedOutage { component } => Self::SharedOutage { component },
            News::SharedOutageOver => Self::SharedOutageOver,
            News::OutageSuspected { component } => Self::OutageSuspected { component },
            News::Emergency { component } => Self::Emergency { component },
            News::EmergencyOver { component } => Self::EmergencyOver { component },
            News::NoWayBack(cause) => Self::NoWayBack { cause },
            News::Kept(Replicas::Full) => Self::KeptIn { replicas: None },
            News::Kept(Replicas::Count(count)) => Self::KeptIn { replicas: Some(count) },
            News::ScalingUp(cause) => Self::ScalingUp { cause },
            News::NotScaledUp(reason) => Self::NotScaledUp { reason },
            News::ManualAdopted => Self::ManualAdopted,
            News::ManualPutBack => Self::ManualPutBack,
            News::SelectorDrift { component } => Self::SelectorDrift { component },
            News::Paused(by) => Self::Paused { by },
            News::Resumed(by) => Self::Resumed { by },
            News::Extended => Self::Extended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_what_happened() {
        let check = |happening: Happening, text: &str| {
            let record = Record::new(7, "2026-01-02T03:04:05Z".into(), ReleaseId(43), &happening);
            let wire = serde_json::to_string(&record).unwrap();
            let back: Record = serde_json::from_str(&wire).unwrap();
            assert_eq!((back.happening(), back.text.as_str()), (Some(happening), text), "{wire}");
        };
        check(Happening::Entered { phase: Phase::RollingBack }, "rolling back");
        check(Happening::Extended, "the watch goes on: not enough is known yet");
        check(
            Happening::Smoke { passed: 7, total: 7, slowest: Some(("bhyt".into(), 143)), failed: None },
            "smoke 7/7, slowest bhyt 143 ms",
        );
        check(Happening::Smoke { passed: 0, total: 0, slowest: None, failed: None }, "no smoke suite is configured");
        check(
            Happening::Switched { share: Share::percent(10), took_us: Some(412) },
            "10 % of the traffic on the new colour in 0.412 ms",
        );
        check(
            Happening::Bad {
                cause: Cause::Errors { component: "api".into() },
                evidence: Some("6 of 31 requests bad, writes only, log M 15.2 of 14.5".into()),
            },
            "bad: errors of api: 6 of 31 requests bad, writes only, log M 15.2 of 14.5",
        );
        check(Happening::Ended { outcome: Outcome::Kept, cause: None }, "kept, not proven");
    }

    #[test]
    fn a_record_of_a_newer_version_still_has_its_sentence() {
        let record: Record = serde_json::from_str(
            r#"{"seq":1,"kind":"frozen","text":"frozen: contract migration","data":{"x":1},"y":2}"#,
        )
        .unwrap();
        assert_eq!((record.happening(), record.text.as_str()), (None, "frozen: contract migration"));
        // A known kind with data that is missing or new.
        let record: Record = serde_json::from_str(r#"{"kind":"switched","data":{"share":1000,"edges":2}}"#).unwrap();
        assert!(matches!(record.happening(), Some(Happening::Switched { took_us: None, .. })));
    }
}
