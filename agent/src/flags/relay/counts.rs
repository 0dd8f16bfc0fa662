//! Counts of a node's applications on their way upstream: added up by minute, sent in reports that keep their id until they are
//! answered, bounded, and counted when they are lost.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};
use teal_flags::model::Timestamp;

use super::super::store::{Served, minute};

/// Kinds of counts that are kept; more than any node has.
const MOST_KINDS: usize = 50_000;
/// Reports of applications that are known again when they come again.
const MOST_SEEN: usize = 20_000;
/// What is kept of one kind, as the service does.
const MOST_OF_ONE: u64 = 1 << 50;

/// Environment and minute: what one report is about.
type Batch = (String, Timestamp);
/// Flag, version and variant.
type Kind = (String, u64, Option<String>);

/// Counts that the service has not taken.
#[derive(Debug)]
pub(super) struct Counts {
    batches: BTreeMap<Batch, BTreeMap<Kind, u64>>,
    kinds: usize,
    unanswered: Option<Report>,
    /// Ids of the applications' reports that were taken, in this order.
    seen: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
    /// Whose reports these are, and how many were made.
    id: String,
    made: u64,
    sent: u64,
    dropped: u64,
}

/// Counts as the service is told them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) body: Arc<Value>,
    count: u64,
}

/// How the counts fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Taken by the service.
    pub sent: u64,
    /// Kept for the next attempt.
    pub waiting: u64,
    /// Lost: the service does not want them, or there were too many kinds to keep.
    pub dropped: u64,
}

impl Counts {
    /// `id` is one that nobody else has.
    pub(super) fn new(id: String) -> Self {
        Self {
            batches: BTreeMap::new(),
            kinds: 0,
            unanswered: None,
            seen: HashSet::new(),
            order: VecDeque::new(),
            id,
            made: 0,
            sent: 0,
            dropped: 0,
        }
    }

    /// Adds what an application served; a report that was taken before, not again. What cannot be kept leaves nothing behind.
    pub(super) fn add(
        &mut self,
        report: Option<&str>,
        environment: &str,
        at: Timestamp,
        now: Timestamp,
        served: &[Served],
    ) {
        if served.is_empty() || report.is_some_and(|report| !self.is_new(report)) {
            return;
        }
        let batch = (environment.to_owned(), minute(at, now));
        for one in served {
            let kind = (one.flag.clone(), one.version, one.variant.clone());
            let added = one.count.min(MOST_OF_ONE);
            if let Some(count) = self.batches.get_mut(&batch).and_then(|counts| counts.get_mut(&kind)) {
                *count = (*count + added).min(MOST_OF_ONE);
            } else if self.kinds < MOST_KINDS {
                self.kinds += 1;
                self.batches.entry(batch.clone()).or_default().insert(kind, added);
            } else {
                self.dropped = self.dropped.saturating_add(added);
            }
        }
    }

    fn is_new(&mut self, report: &str) -> bool {
        let report: Arc<str> = report.into();
        if !self.seen.insert(report.clone()) {
            return false;
        }
        self.order.push_back(report);
        let oldest = self.order.pop_front_if(|_| self.seen.len() > MOST_SEEN);
        if let Some(oldest) = oldest {
            self.seen.remove(&oldest);
        }
        true
    }

    /// What to send; `None` when there is nothing. It stays the same until [`Counts::sent`] or [`Counts::refused`].
    pub(super) fn report(&mut self) -> Option<Report> {
        if self.unanswered.is_none() {
            self.unanswered = self.next();
        }
        self.unanswered.clone()
    }

    fn next(&mut self) -> Option<Report> {
        let ((environment, minute), counts) = self.batches.pop_first()?;
        self.kinds -= counts.len();
        self.made += 1;
        let line = |((flag, version, variant), count): (&Kind, &u64)| json!({"flag": flag, "version": version, "variant": variant, "count": count});
        let body = json!({
            "report": format!("{}-{}", self.id, self.made),
            "environment": environment,
            "from": minute.to_string(),
            "until": minute.to_string(),
            "counts": counts.iter().map(line).collect::<Vec<_>>(),
        });
        Some(Report { body: Arc::new(body), count: total(counts.values()) })
    }

    /// The service has taken the report.
    pub(super) fn sent(&mut self) {
        self.sent = self.sent.saturating_add(self.answered());
    }

    /// The service will never take the report.
    pub(super) fn refused(&mut self) {
        self.dropped = self.dropped.saturating_add(self.answered());
    }

    /// So many are no longer on their way.
    fn answered(&mut self) -> u64 {
        self.unanswered.take().map_or(0, |report| report.count)
    }

    pub(super) fn forwarded(&self) -> Forwarded {
        let kept = self.batches.values().flat_map(BTreeMap::values);
        let waiting = total(kept.chain(self.unanswered.as_ref().map(|report| &report.count)));
        Forwarded { sent: self.sent, waiting, dropped: self.dropped }
    }
}

fn total<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(flag: &str, count: u64) -> Served {
        Served { flag: flag.to_owned(), version: 1, variant: Some("on".to_owned()), count }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-11-28T09:10:11Z";

    fn add(counts: &mut Counts, report: Option<&str>, environment: &str, until: &str, flag: &str, count: u64) {
        counts.add(report, environment, at(until), at(NOW), &[served(flag, count)]);
    }

    #[test]
    fn counts_of_many_are_one_report_for_each_environment_and_minute() {
        let mut counts = Counts::new("me".to_owned());
        add(&mut counts, Some("a-1"), "prod", "2026-11-28T09:08:05Z", "x", 3);
        add(&mut counts, Some("b-1"), "prod", "2026-11-28T09:08:55Z", "x", 4);
        add(&mut counts, Some("b-2"), "prod", "2026-11-28T09:09:55Z", "x", 5);
        add(&mut counts, Some("c-1"), "dev", "2026-11-28T09:08:55Z", "y", 6);
        let mut said = Vec::new();
        while let Some(report) = counts.report() {
            let body = &report.body;
            said.push(format!(
                "{} {} {} {}",
                body["report"], body["environment"], body["until"], body["counts"][0]["count"]
            ));
            counts.sent();
        }
        let expected = [
            r#""me-1" "dev" "2026-11-28T09:08:00Z" 6"#,
            r#""me-2" "prod" "2026-11-28T09:08:00Z" 7"#,
            r#""me-3" "prod" "2026-11-28T09:09:00Z" 5"#,
        ];
        assert_eq!(said, expected);
        assert_eq!(counts.forwarded(), Forwarded { sent: 18, ..Forwarded::default() });
    }

    #[test]
    fn what_comes_again_is_counted_once_and_what_was_not_answered_goes_again_as_it_was() {
        let mut counts = Counts::new("me".to_owned());
        for _ in 0..3 {
            add(&mut counts, Some("a-1"), "prod", NOW, "x", 3);
        }
        let first = counts.report().unwrap();
        add(&mut counts, Some("a-2"), "prod", NOW, "x", 4);
        add(&mut counts, Some("a-1"), "prod", NOW, "x", 3);
        assert_eq!(counts.report().unwrap(), first);
        assert_eq!(counts.forwarded(), Forwarded { waiting: 7, ..Forwarded::default() });
        counts.sent();
        assert_eq!(counts.report().unwrap().count, 4);
        counts.refused();
        assert_eq!(counts.report(), None);
        assert_eq!(counts.forwarded(), Forwarded { sent: 3, waiting: 0, dropped: 4 });
    }

    #[test]
    fn a_service_that_never_listens_does_not_fill_the_memory() {
        let mut counts = Counts::new("me".to_owned());
        for version in 0..MOST_KINDS as u64 + 10 {
            let served = Served { version, ..served("x", 2) };
            counts.add(Some(&format!("a-{version}")), "prod", at(NOW), at(NOW), &[served]);
        }
        assert_eq!(counts.forwarded(), Forwarded { sent: 0, waiting: 2 * MOST_KINDS as u64, dropped: 20 });
        assert_eq!((counts.seen.len(), counts.order.len()), (MOST_SEEN, MOST_SEEN));
        while counts.report().is_some() {
            counts.sent();
        }
        add(&mut counts, None, "prod", NOW, "x", 1);
        assert_eq!(counts.forwarded().waiting, 1, "there is room again");
    }

    #[test]
    fn nor_do_environments_and_minutes_without_a_count() {
        let mut counts = Counts::new("me".to_owned());
        for environment in 0..MOST_KINDS + 10 {
            add(&mut counts, None, &environment.to_string(), NOW, "x", 1);
        }
        assert_eq!((counts.batches.len(), counts.forwarded().dropped), (MOST_KINDS, 10));
        while counts.report().is_some() {
            counts.sent();
        }
        for environment in 0..10 {
            counts.add(Some(&format!("a-{environment}")), &environment.to_string(), at(NOW), at(NOW), &[]);
        }
        assert_eq!((counts.batches.len(), counts.seen.contains("a-1")), (0, false), "flags that nobody knows");
    }

    #[test]
    fn no_number_is_too_large_to_be_added() {
        let mut counts = Counts::new("me".to_owned());
        for report in ["a-1", "a-2"] {
            add(&mut counts, Some(report), "prod", NOW, "x", u64::MAX);
        }
        assert_eq!(counts.report().unwrap().body["counts"][0]["count"], MOST_OF_ONE);
        for version in 0..MOST_KINDS as u64 + 10 {
            let served = Served { version, ..served("x", u64::MAX) };
            counts.add(None, "prod", at(NOW), at(NOW), &[served]);
        }
        assert_eq!(counts.forwarded(), Forwarded { sent: 0, waiting: u64::MAX, dropped: 10 * MOST_OF_ONE });
        counts.sent();
        counts.report();
        counts.sent();
        assert_eq!(counts.forwarded().sent, u64::MAX);
    }
}
