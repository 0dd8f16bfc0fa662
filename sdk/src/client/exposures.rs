//! Counts of what was served, between the flags that count and the service that wants to know: added up while it does not listen.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::core::Exposure;
use super::status::ExposureStatus;
use crate::model::Timestamp;

/// Kinds of counts that are kept; more than any service has.
const MOST_KINDS: usize = 50_000;

/// What is counted apart.
type Kind = (Arc<str>, u64, Option<Arc<str>>, bool);

/// Counts that the service has not taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// When the first of them was counted, at the earliest.
    from: Option<Timestamp>,
    /// When they were last taken from the flags.
    until: Option<Timestamp>,
    counts: BTreeMap<Kind, u64>,
    sent: u64,
    dropped: u64,
}

impl Pending {
    /// Counting begins.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.until = Some(now);
    }

    /// Adds what was counted since the last time.
    pub(super) fn add(&mut self, exposures: Vec<Exposure>, now: Timestamp) {
        let since = self.until.replace(now).unwrap_or(now);
        for Exposure { flag, version, variant, defaulted, count, .. } in exposures {
            self.from.get_or_insert(since);
            let kind = (flag, version, variant, defaulted);
            if self.counts.len() >= MOST_KINDS && !self.counts.contains_key(&kind) {
                self.dropped += count;
            } else {
                *self.counts.entry(kind).or_default() += count;
            }
        }
    }

    /// What to send; `None` when there is nothing. It stays until [`Pending::sent`] or [`Pending::drop_all`].
    pub(super) fn report(&self, environment: Option<&str>) -> Option<Value> {
        let (from, until) = (self.from?, self.until?);
        let line = |((flag, version, variant, defaulted), count): (&Kind, &u64)| {
            let mut line = json!({"flag": &**flag, "version": version, "variant": variant.as_deref(), "count": count});
            if *defaulted {
                line["defaulted"] = true.into();
            }
            line
        };
        let counts: Vec<Value> = self.counts.iter().map(line).collect();
        Some(
            json!({"environment": environment, "from": from.to_string(), "until": until.to_string(), "counts": counts}),
        )
    }

    /// The service has taken them.
    pub(super) fn sent(&mut self) {
        self.sent += self.clear();
    }

    /// The service will never take them.
    pub(super) fn drop_all(&mut self) {
        self.dropped += self.clear();
    }

    fn clear(&mut self) -> u64 {
        self.from = None;
        std::mem::take(&mut self.counts).into_values().sum()
    }

    pub(super) fn status(&self) -> ExposureStatus {
        ExposureStatus { sent: self.sent, waiting: self.counts.values().sum(), dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(flag: &str, version: u64, variant: Option<&str>, count: u64) -> Exposure {
        Exposure { flag: flag.into(), version, variant: variant.map(Into::into), defaulted: variant.is_none(), count }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn counts_are_added_up_until_they_are_taken() {
        let mut pending = Pending::default();
        pending.begin(at(0));
        pending.add(vec![], at(30));
        assert_eq!(pending.report(None), None);
        pending.add(vec![served("x", 1, Some("on"), 3), served("x", 1, None, 1)], at(60));
        pending.add(vec![served("x", 1, Some("on"), 4), served("x", 2, Some("on"), 5)], at(120));
        let expected = json!({
            "environment": "prod", "from": "1970-01-01T00:00:30Z", "until": "1970-01-01T00:02:00Z",
            "counts": [
                {"flag": "x", "version": 1, "variant": null, "defaulted": true, "count": 1},
                {"flag": "x", "version": 1, "variant": "on", "count": 7},
                {"flag": "x", "version": 2, "variant": "on", "count": 5},
            ],
        });
        assert_eq!(pending.report(Some("prod")), Some(expected));
        assert_eq!(pending.status(), ExposureStatus { sent: 0, waiting: 13, dropped: 0 });
        pending.sent();
        assert_eq!(pending.report(None), None);
        assert_eq!(pending.status(), ExposureStatus { sent: 13, waiting: 0, dropped: 0 });
    }

    #[test]
    fn a_service_that_never_listens_does_not_fill_the_memory() {
        let mut pending = Pending::default();
        for version in 0..MOST_KINDS as u64 + 10 {
            pending.add(vec![served("x", version, None, 2)], at(1));
        }
        pending.add(vec![served("x", 0, None, 2)], at(1));
        let most = MOST_KINDS as u64 * 2 + 2;
        assert_eq!(pending.status(), ExposureStatus { sent: 0, waiting: most, dropped: 20 });
    }
}
