//! What happened in words: the sentence that every line of the history has.

use std::fmt::{self, Display, Formatter};

use teal_rollout::document::Cause;

use super::event::Happening;
use super::known::Words;

impl Display for Happening {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let and = |text: &Option<String>| text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        let took = |took: &Option<u64>| took.map(|us| format!(" in {}", millis(us))).unwrap_or_default();
        match self {
            Self::Entered { phase } => f.write_str(phase.words()),
            Self::Smoke { passed, total, failed: Some(failed), .. } => {
                write!(f, "smoke {passed}/{total}, failed: {failed}")
            }
            Self::Smoke { total: 0, .. } => f.write_str("no smoke suite is configured"),
            Self::Smoke { passed, total, slowest, .. } => {
                write!(f, "smoke {passed}/{total}")?;
                slowest.as_ref().map_or(Ok(()), |(name, ms)| write!(f, ", slowest {name} {ms} ms"))
            }
            Self::Switched { share, took_us } => write!(f, "{share} of the traffic on the new colour{}", took(took_us)),
            Self::Ended { outcome, cause: Some(cause) } => write!(f, "{}: {}", outcome.words(), why(cause)),
            Self::Ended { outcome, cause: None } => f.write_str(outcome.words()),
            Self::Bad { cause, evidence } => write!(f, "bad: {}{}", why(cause), and(evidence)),
            Self::Back { took_us } => write!(f, "traffic is back on the old colour{}", took(took_us)),
            Self::WouldRollBack { cause, evidence } => {
                write!(f, "would have rolled back: {}{}", why(cause), and(evidence))
            }
            Self::Observed => f.write_str("somebody moved traffic; watching it"),
            Self::SharedOutage { component } => {
                write!(f, "shared outage: both colours of {component} fail, nothing is switched")
            }
            Self::SharedOutageOver => f.write_str("the shared outage is over; the evidence starts anew"),
            Self::OutageSuspected { component } => write!(
                f,
                "short outage: {component} failed, and both colours answer well again; nothing is switched, the evidence \
                 starts anew"
            ),
            Self::Emergency { component } => {
                write!(f, "emergency: {component} is served by a colour that should not serve")
            }
            Self::EmergencyOver { component } => write!(f, "the emergency of {component} is over"),
            Self::NoWayBack { cause } => write!(f, "bad, and no colour to go back to: {}", why(cause)),
            Self::KeptIn { replicas: None } => f.write_str("the old colour is kept at full capacity"),
            Self::KeptIn { replicas: Some(1) } => f.write_str("the old colour is kept in 1 instance"),
            Self::KeptIn { replicas: Some(count) } => write!(f, "the old colour is kept in {count} instances"),
            Self::ScalingUp { cause } => {
                write!(f, "the old colour scales up, then traffic goes back to it: {}", why(cause))
            }
            Self::NotScaledUp { reason } => {
                write!(f, "the old colour did not scale up, traffic stays where it is: {reason}")
            }
            Self::ManualAdopted => f.write_str("a move by hand to the last good colour was adopted"),
            Self::ManualPutBack => f.write_str("a move by hand to an unproven colour was put back"),
            Self::ByHand { by, reason } => write!(f, "moved by {by}: {reason}"),
            Self::SelectorDrift { component } => {
                write!(f, "somebody pointed the service of {component} at another colour than the one that serves")
            }
            Self::Paused { by } => write!(f, "paused by {by}"),
            Self::Resumed { by } => write!(f, "resumed by {by}"),
            Self::Extended => f.write_str("the watch goes on: not enough is known yet"),
        }
    }
}

/// A cause in words.
#[must_use]
pub fn why(cause: &Cause) -> String {
    match cause {
        Cause::Errors { component } => format!("errors of {component}"),
        Cause::Latency { component } => format!("{component} is slower than before"),
        Cause::Gone { component } => format!("nothing of {component} is ready any more"),
        Cause::CrashLoop { component } => format!("{component} crashes over and over"),
        Cause::NotReady { reason } => format!("not ready in time: {reason}"),
        Cause::Smoke { reason } => format!("smoke: {reason}"),
        Cause::EdgeSilent => "an edge did not acknowledge the switch".to_owned(),
        Cause::Order { by } => format!("ordered by {by}"),
        Cause::Manual => "moved by hand".to_owned(),
        Cause::Unproven => "not proven at the end of the longest watch".to_owned(),
        Cause::Learned => "called bad elsewhere".to_owned(),
    }
}

/// Microseconds in milliseconds: to the microsecond below 1 ms, one decimal below 100 ms.
fn millis(us: u64) -> String {
    if us < 1_000 {
        format!("0.{us:03} ms")
    } else if us < 100_000 {
        format!("{}.{} ms", us / 1000, us % 1000 / 100)
    } else {
        format!("{} ms", us / 1000)
    }
}
