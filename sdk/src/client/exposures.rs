//! Counts of what was served, between the flags that count and the service that wants to know: added up while it does not listen.
//!
//! ```text
//! flags --add--> counts --report (once)--> Report, which stays the same until it is answered --sent--> forgotten
//! ```
//! An answer may be lost although the report arrived. A report is therefore sent again word for word under the id that it had, so
//! that the service can tell that it has it; what is counted meanwhile goes into the next one.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use serde_json::{Value, json};

use super::core::Exposure;
use super::status::ExposureStatus;
#[cfg(feature = "unique-users")]
use super::users::Users;
#[cfg(feature = "unique-users")]
use crate::flags::users::Sightings;
use crate::model::Timestamp;

/// Kinds of counts that are kept; more than any service has.
const MOST_KINDS: usize = 50_000;

/// What is counted apart.
pub(super) type Kind = (Arc<str>, u64, Option<Arc<str>>, bool);

/// What is counted of a kind.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    /// To how many different users, at least: the most that came between two reports. 0: that is not counted.
    users: u64,
}

/// Counts that the service has not taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// When the first of them was counted, at the earliest.
    from: Option<Timestamp>,
    /// When they were last taken from the flags.
    until: Option<Timestamp>,
    counts: BTreeMap<Kind, Tally>,
    #[cfg(feature = "unique-users")]
    users: Option<Users>,
    reporter: Reporter,
    unanswered: Option<Report>,
    sent: u64,
    dropped: u64,
}

/// Counts as the service is told them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) body: Arc<Value>,
    /// How many answers it counts.
    count: u64,
}

/// Whose reports these are: random, anew for each client.
#[derive(Debug)]
struct Reporter {
    id: u128,
    /// How many reports were made.
    made: u64,
}

impl Default for Reporter {
    fn default() -> Self {
        let half = || u128::from(RandomState::new().hash_one(0));
        Self { id: half() << 64 | half(), made: 0 }
    }
}

impl Reporter {
    /// An id that no other report has.
    fn next(&mut self) -> String {
        self.made += 1;
        format!("{:032x}-{}", self.id, self.made)
    }
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
                self.counts.entry(kind).or_default().count += count;
            }
        }
        #[cfg(feature = "unique-users")]
        for (kind, users) in self.users.iter_mut().flat_map(Users::take) {
            if let Some(tally) = self.counts.get_mut(&kind) {
                tally.users = tally.users.max(users);
            }
        }
    }

    /// From now on users are counted between two reports, which come this often.
    #[cfg(feature = "unique-users")]
    pub(super) fn note_users(&mut self, every: std::time::Duration) {
        self.users = Some(Users::new(every));
    }

    /// Whether users are counted.
    #[cfg(feature = "unique-users")]
    pub(super) fn notes_users(&self) -> bool {
        self.users.is_some()
    }

    /// These were served since the last time.
    #[cfg(feature = "unique-users")]
    pub(super) fn see(&mut self, sightings: Sightings) {
        if let Some(users) = &mut self.users {
            users.see(sightings);
        }
    }

    /// What to send; `None` when there is nothing. It stays the same until [`Pending::sent`] or [`Pending::refused`].
    pub(super) fn report(&mut self, environment: Option<&str>) -> Option<Report> {
        if self.unanswered.is_none() {
            self.unanswered = self.next(environment);
        }
        self.unanswered.clone()
    }

    /// All that was counted, as a new report.
    fn next(&mut self, environment: Option<&str>) -> Option<Report> {
        let (from, until) = (self.from.take()?, self.until?);
        let line = |((flag, version, variant, defaulted), Tally { count, users }): (&Kind, &Tally)| {
            let mut line = json!({"flag": &**flag, "version": version, "variant": variant.as_deref(), "count": count});
            if *defaulted {
                line["defaulted"] = true.into();
            }
            if *users > 0 {
                line["users"] = (*users).into();
            }
            line
        };
        let counts = std::mem::take(&mut self.counts);
        let body = json!({
            "report": self.reporter.next(),
            "environment": environment,
            "from": from.to_string(),
            "until": until.to_string(),
            "counts": counts.iter().map(line).collect::<Vec<_>>(),
        });
        Some(Report { body: Arc::new(body), count: total(&counts) })
    }

    /// The service has taken the report.
    pub(super) fn sent(&mut self) {
        self.sent += self.unanswered.take().map_or(0, |report| report.count);
    }

    /// The service will never take the report.
    pub(super) fn refused(&mut self) {
        self.dropped += self.unanswered.take().map_or(0, |report| report.count);
    }

    pub(super) fn status(&self) -> ExposureStatus {
        let waiting = total(&self.counts) + self.unanswered.as_ref().map_or(0, |report| report.count);
        #[cfg(feature = "unique-users")]
        let overlooked = self.users.as_ref().map_or(0, Users::overlooked);
        #[cfg(not(feature = "unique-users"))]
        let overlooked = 0;
        ExposureStatus { sent: self.sent, waiting, dropped: self.dropped, overlooked }
    }
}

fn total(counts: &BTreeMap<Kind, Tally>) -> u64 {
    counts.values().map(|tally| tally.count).sum()
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
        let mut body = (*pending.report(Some("prod")).unwrap().body).clone();
        assert!(body["report"].take().as_str().unwrap().ends_with("-1"));
        let expected = json!({
            "report": null, "environment": "prod", "from": "1970-01-01T00:00:30Z", "until": "1970-01-01T00:02:00Z",
            "counts": [
                {"flag": "x", "version": 1, "variant": null, "defaulted": true, "count": 1},
                {"flag": "x", "version": 1, "variant": "on", "count": 7},
                {"flag": "x", "version": 2, "variant": "on", "count": 5},
            ],
        });
        assert_eq!(body, expected);
        assert_eq!(pending.status(), ExposureStatus { sent: 0, waiting: 13, dropped: 0, ..ExposureStatus::default() });
        pending.sent();
        assert_eq!(pending.report(None), None);
        assert_eq!(pending.status(), ExposureStatus { sent: 13, waiting: 0, dropped: 0, ..ExposureStatus::default() });
    }

    #[test]
    fn a_report_that_nobody_answered_stays_as_it_was_and_the_next_has_what_came_since() {
        let mut pending = Pending::default();
        let report = |pending: &mut Pending, second| {
            pending.add(vec![served("x", 1, Some("on"), 3)], at(second));
            pending.report(None).unwrap()
        };
        let first = report(&mut pending, 1);
        assert_eq!(report(&mut pending, 2), first);
        assert_eq!(pending.status(), ExposureStatus { sent: 0, waiting: 6, dropped: 0, ..ExposureStatus::default() });
        pending.sent();
        let second = pending.report(None).unwrap();
        assert_eq!(second.body["counts"][0]["count"], 3);
        assert_ne!(second.body["report"], first.body["report"]);
        assert_eq!(second.body["from"], first.body["until"]);
        pending.refused();
        assert_eq!(pending.report(None), None);
        assert_eq!(pending.status(), ExposureStatus { sent: 3, waiting: 0, dropped: 3, ..ExposureStatus::default() });
        let mut other = Pending::default();
        assert_ne!(report(&mut other, 1).body["report"], first.body["report"], "another client");
    }

    #[test]
    fn a_service_that_never_listens_does_not_fill_the_memory() {
        let mut pending = Pending::default();
        for version in 0..MOST_KINDS as u64 + 10 {
            pending.add(vec![served("x", version, None, 2)], at(1));
        }
        pending.add(vec![served("x", 0, None, 2)], at(1));
        let most = MOST_KINDS as u64 * 2 + 2;
        assert_eq!(
            pending.status(),
            ExposureStatus { sent: 0, waiting: most, dropped: 20, ..ExposureStatus::default() }
        );
    }
}
