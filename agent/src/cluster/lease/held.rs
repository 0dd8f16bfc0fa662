//! The lease while this agent holds it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::ObjectMeta;
use tokio::time::Instant;

use super::{Settings, Term};

/// What was written, and until when it counts.
#[derive(Debug)]
pub(super) struct Held {
    /// As the server answered.
    pub(super) object: Lease,
    /// When the lead ends, by [`super::clock::now`].
    pub(super) end: Duration,
    /// The next renewal.
    pub(super) renew: Instant,
    /// What the lease says of how long it lasts.
    pub(super) term: Term,
}

/// The lease with this agent as its holder, over `before`. The times are for people.
pub(super) fn taken(settings: &Settings, term: Term, before: Option<&Lease>, transitions: u64) -> Lease {
    let now = MicroTime(Timestamp::now());
    let mut object = before.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta { name: Some(settings.name.clone()), ..ObjectMeta::default() },
        spec: None,
    });
    let mut spec = object.spec.take().unwrap_or_default();
    let transitions = i32::try_from(transitions).ok();
    if spec.holder_identity.as_ref() != Some(&settings.identity) || spec.lease_transitions != transitions {
        spec.acquire_time = Some(now.clone());
    }
    spec.holder_identity = Some(settings.identity.clone());
    spec.lease_duration_seconds = i32::try_from(term.lease.as_secs()).ok();
    spec.lease_transitions = transitions;
    spec.renew_time = Some(now);
    object.spec = Some(spec);
    object
}

/// The lease without a holder.
pub(super) fn given_back(held: &Lease) -> Lease {
    let spec = held.spec.clone().unwrap_or_default();
    let spec = LeaseSpec { holder_identity: Some(String::new()), lease_duration_seconds: Some(1), ..spec };
    Lease { spec: Some(spec), ..held.clone() }
}
