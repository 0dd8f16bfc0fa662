//! How many different users were served, between two reports: told apart by their keyed hashes, of which only the number leaves.
//!
//! ```text
//! threads' rings --each 100 ms--> seen already? (moka) --no--> one more of this flag, version and variant --report--> a number
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::blocking;
use super::exposures::Kind;
use super::shared::Shared;
use super::stop::Stop;
use crate::flags::users::Sightings;

/// How often threads' rings are emptied.
const EVERY: Duration = Duration::from_millis(100);

/// Users of all kinds that are told apart between two reports: a few megabytes.
const MOST: u64 = 100_000;

/// Empties the rings until told to stop; what is left then is seen by the last report.
pub(super) async fn run(shared: &Arc<Shared>, stop: Stop) {
    while shared.pending().notes_users() && !stop.is_over() {
        stop.sleep(EVERY).await;
        let shared = shared.clone();
        // Ended with the runtime: nobody is left to tell.
        let _ = blocking(move || shared.see_users()).await;
    }
}

/// The users since the last report.
#[derive(Debug)]
pub(super) struct Users {
    /// (number of the kind, hash): bounded in size by what is let in, and in time should no report ever come.
    seen: Cache<(u32, u64), ()>,
    /// Each kind's number and how many users it has.
    kinds: HashMap<Kind, (u32, u64)>,
    in_all: u64,
    overlooked: u64,
    lifetime: Duration,
}

impl Users {
    /// Reports come this often.
    pub(super) fn new(every: Duration) -> Self {
        let lifetime = every.saturating_mul(2);
        Self { seen: cache(lifetime), kinds: HashMap::new(), in_all: 0, overlooked: 0, lifetime }
    }

    /// These were served.
    pub(super) fn see(&mut self, sightings: Sightings) {
        self.overlooked += sightings.dropped;
        for (kind, users) in sightings.users {
            let next = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
            let (kind, count) = self.kinds.entry(kind).or_insert((next, 0));
            for user in users {
                if self.in_all < MOST {
                    let is_new = self.seen.entry((*kind, user)).or_insert(()).is_fresh();
                    (*count, self.in_all) = (*count + u64::from(is_new), self.in_all + u64::from(is_new));
                } else {
                    // Were they let in, others would be forgotten and counted twice.
                    self.overlooked += u64::from(!self.seen.contains_key(&(*kind, user)));
                }
            }
        }
    }

    /// How many of each kind there were; they are forgotten.
    pub(super) fn take(&mut self) -> Vec<(Kind, u64)> {
        (self.seen, self.in_all) = (cache(self.lifetime), 0);
        self.kinds.drain().map(|(kind, (_, count))| (kind, count)).collect()
    }

    /// Answers whose users were not looked at, ever.
    pub(super) fn overlooked(&self) -> u64 {
        self.overlooked
    }
}

fn cache(lifetime: Duration) -> Cache<(u32, u64), ()> {
    Cache::builder().max_capacity(MOST).time_to_live(lifetime).eviction_policy(EvictionPolicy::lru()).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, Layer, model};

    fn flags(names: &[&str]) -> Flags {
        let flags = Flags::noting_users(None, std::hash::RandomState::new());
        let list = names.iter().map(|name| model::Flag::new(*name)).collect();
        let document = model::Document { revision: 1, flags: list, ..model::Document::default() };
        flags.apply(Layer::Live, document, model::Timestamp::default());
        flags
    }

    fn told(users: &mut Users) -> Vec<String> {
        let mut all: Vec<String> = users
            .take()
            .into_iter()
            .map(|((flag, version, variant, _), count)| {
                format!("{flag} v{version} {} {count}", variant.as_deref().unwrap_or("none"))
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn users_are_counted_once_between_two_reports_however_they_are_asked_for() {
        let (flags, mut users) = (flags(&["a", "b"]), Users::new(Duration::from_secs(60)));
        for round in 0..3_u32 {
            for id in 0..50_u32 {
                flags.is_enabled(id, "a");
                flags.pin().is_enabled(id.to_string(), "a");
                flags.handle("a").is_enabled(id);
                let _ = flags.evaluate(id, "a");
            }
            std::thread::scope(|scope| drop(scope.spawn(|| flags.is_enabled(10 + round, "b"))));
            flags.is_enabled((), "b");
            users.see(flags.take_sightings());
        }
        assert_eq!(told(&mut users), ["a v1 on 50", "b v1 on 3"]);
        assert_eq!(told(&mut users), [""; 0]);
        flags.is_enabled(7_u32, "a");
        users.see(flags.take_sightings());
        assert_eq!((told(&mut users), users.overlooked()), (vec!["a v1 on 1".to_owned()], 0));
    }

    #[test]
    fn what_was_noted_before_an_update_counts_for_the_version_that_answered() {
        let (flags, mut users) = (flags(&["a"]), Users::new(Duration::from_secs(60)));
        for version in 2..30 {
            flags.is_enabled(version, "a");
            let flag = model::Flag { version, ..model::Flag::new("a") };
            let document = model::Document { revision: version, flags: vec![flag], ..model::Document::default() };
            flags.apply(Layer::Live, document, model::Timestamp::default());
        }
        users.see(flags.take_sightings());
        let mut expected: Vec<String> = (1..29).map(|version| format!("a v{version} on 1")).collect();
        expected.sort();
        assert_eq!(told(&mut users), expected);
    }

    #[test]
    fn too_many_users_make_the_number_too_low_and_never_too_high() {
        let (flags, mut users) = (flags(&["a"]), Users::new(Duration::from_secs(60)));
        for round in 0..2 {
            for id in 0..MOST + 500 {
                flags.is_enabled(id, "a");
                if id % 1000 == 999 {
                    users.see(flags.take_sightings());
                }
            }
            users.see(flags.take_sightings());
            assert_eq!(users.overlooked(), 500 * (round + 1));
        }
        for id in 0..1500_u32 {
            flags.is_enabled(id, "a");
        }
        users.see(flags.take_sightings());
        assert_eq!(users.overlooked(), 1000 + 476, "a thread's ring has room for 1,024");
        assert_eq!(told(&mut users), [format!("a v1 on {MOST}")]);
    }
}
