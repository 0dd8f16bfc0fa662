//! The admin API's wire types, between the CLI and the agent over the operators' unix socket.
//!
//! ```text
//! GET  /v1/environments                              Vec<String>
//! GET  /v1/environments/{env}                        Status
//! POST /v1/environments/{env}/orders                 OrderRequest -> 202 Accepted | problem+json Problem
//! GET  /v1/environments/{env}/events?after=SEQ&wait=SECONDS    Vec<Record>, waits for the first one after SEQ
//! GET  /v1/environments/{env}/releases               Vec<Release>, newest first
//! GET  /v1/environments/{env}/releases/{id}          Explanation
//! ```
//! The agent of one version works with the CLI of its neighbours. So every reader here is tolerant: a missing field
//! takes its default, an unknown field is ignored, an unknown word is kept as it came ([`Known`]). Fields are never
//! renamed or given another meaning; new ones are added.

mod event;
mod evidence;
mod id;
mod known;
mod observation;
mod order;
mod refusal;
mod release;
mod status;
mod timeline;
mod token;
mod words;

pub use event::{Happening, Record};
pub use evidence::{Baseline, Evidence, Part, PartKind, PlaceKind, Probes, Seen, Slow, Suspect};
pub use id::{ReleaseId, WrongReleaseId};
pub use known::{Known, Words};
pub use observation::{Observation, PodGroup};
pub use order::{Accepted, Order, OrderRequest, Problem};
pub use refusal::exit_of;
pub use release::{Explanation, Judgement, Release, Versions};
pub use status::{ColourStatus, ComponentStatus, EdgeStatus, Safe, ScaleUpStatus, Status, WatchStatus};
pub use timeline::{Arm, Asked, Line, LinePart, Mark, Moment, Point, Timeline};
pub use token::{TokenInfo, TokenList, TokenMade, TokenRequest};
pub use words::why;

/// The path of an environment's resource on the socket.
#[must_use]
pub fn path(environment: &str, rest: &str) -> String {
    format!("/v1/environments/{environment}{rest}")
}

/// RFC 3339 in UTC, to the millisecond: how every time on the wire is written.
#[must_use]
pub fn timestamp(at: time::OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// Seconds between two times of the wire; `None` when one of them cannot be read.
#[must_use]
pub fn between(from: &str, to: &str) -> Option<f64> {
    let read = |text| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok();
    Some((read(to)? - read(from)?).as_seconds_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_of_any_version_reads_as_defaults() {
        assert_eq!(serde_json::from_str::<Status>("{}").unwrap(), Status::default());
        assert_eq!(serde_json::from_str::<Explanation>("{}").unwrap(), Explanation::default());
        assert_eq!(serde_json::from_str::<Problem>("{}").unwrap(), Problem::default());
        assert_eq!(serde_json::from_str::<Accepted>(r#"{"release":43,"queue":1}"#).unwrap().release, ReleaseId(43));
    }

    #[test]
    fn a_status_with_words_and_fields_of_a_newer_version_is_read() {
        let json = r#"{"phase":"load_testing","mode":"act","outcome":"frozen","gate":{"k6":1},
            "components":[{"name":"api","share":100000,"stable":{"colour":"teal","ready":2}}]}"#;
        let status: Status = serde_json::from_str(json).unwrap();
        assert_eq!(status.phase.to_string(), "load testing");
        assert_eq!(status.outcome.unwrap().to_string(), "frozen");
        assert_eq!(status.components[0].stable.colour.to_string(), "teal");
    }

    #[test]
    fn times_are_written_in_utc_to_the_millisecond() {
        let at = time::macros::datetime!(2026-01-02 10:04:05.678_9 +7);
        assert_eq!(timestamp(at), "2026-01-02T03:04:05.678Z");
        assert_eq!(between("2026-01-02T03:04:05.500Z", "2026-01-02T10:04:07+07:00"), Some(1.5));
        assert_eq!(between("", "2026-01-02T03:04:05Z"), None);
    }
}
