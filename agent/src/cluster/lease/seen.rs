//! What is seen of a lease that somebody else holds, and for how long nothing has been.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

/// A lease of which nobody says how long it lasts.
const UNKNOWN: Duration = Duration::from_secs(45);

/// The lease as it was seen last.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) object: Lease,
    /// It has been deleted since. That is no leave to take over: its holder may not know yet.
    pub(super) is_gone: bool,
    /// For how long no renewal came although one would have been seen.
    silent: Duration,
    /// Since when it is looked at without a gap; none while the server is away.
    looking: Option<Instant>,
}

impl Seen {
    pub(super) fn new(object: Lease) -> Self {
        Self { object, is_gone: false, silent: Duration::ZERO, looking: None }
    }

    pub(super) fn holder(&self) -> Option<&str> {
        let holder = self.object.spec.as_ref()?.holder_identity.as_deref()?;
        Some(holder).filter(|holder| !holder.is_empty())
    }

    pub(super) fn transitions(&self) -> u64 {
        transitions(&self.object)
    }

    /// Whether this is another version of it.
    pub(super) fn is_other(&self, object: &Lease) -> bool {
        self.object.metadata.resource_version != object.metadata.resource_version
            || self.object.metadata.uid != object.metadata.uid
    }

    /// Time in which nothing could have been seen does not count: after an outage the holder gets its whole lease again
    /// less what was silent before.
    pub(super) fn looked(&mut self, now: Instant, is_current: bool) {
        if let Some(since) = self.looking.take() {
            self.silent += now.saturating_duration_since(since);
        }
        self.looking = is_current.then_some(now);
    }

    /// How long it must be silent until it is free.
    pub(super) fn left(&self) -> Duration {
        let seconds = self.object.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let lease = seconds.and_then(|s| u64::try_from(s).ok()).map_or(UNKNOWN, Duration::from_secs);
        lease.saturating_sub(self.silent)
    }
}

pub(super) fn transitions(object: &Lease) -> u64 {
    let count = object.spec.as_ref().and_then(|spec| spec.lease_transitions);
    count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::coordination::v1::LeaseSpec;

    #[test]
    fn only_time_in_which_a_renewal_would_have_been_seen_counts() {
        let spec = LeaseSpec { lease_duration_seconds: Some(15), ..LeaseSpec::default() };
        let mut seen = Seen::new(Lease { spec: Some(spec), ..Lease::default() });
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        seen.looked(at(0), true);
        seen.looked(at(10), false);
        assert_eq!(seen.left(), Duration::from_secs(5));
        seen.looked(at(70), true);
        assert_eq!(seen.left(), Duration::from_secs(5), "a minute without the server says nothing");
        seen.looked(at(73), true);
        seen.looked(at(74), true);
        assert_eq!(seen.left(), Duration::from_secs(1));
        seen.looked(at(80), true);
        assert_eq!(seen.left(), Duration::ZERO);
    }
}
