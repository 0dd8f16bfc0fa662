//! Answers given to who has no SDK, counted in memory until they are kept with the counts that SDKs report.
//!
//! ```text
//! check, OFREP --count--> Questions --each 5 s, and at the end--> Keeper: database, or upstream
//! ```
//! Counted are flag, version, variant and environment, never who asked. A list of all flags counts each of them: its clients answer from
//! it, and which flags they are asked for nobody knows (decision 63).

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use teal_flags::Evaluation;
use teal_flags::model::Flag;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::error::FlagsError;
use super::keeper::Keeper;
use super::now;
use super::store::{OTHER, Served};

/// Between two times that counts are kept.
const EVERY: Duration = Duration::from_secs(5);
/// Kinds of answers that are counted apart, more than an agent has; of others nobody is told. Clients may invent environments.
const MOST: usize = if cfg!(test) { 5 } else { 50_000 };
/// Environments that no flag names and that are counted apart, in the agent's whole life: as many as it meets first. All others are one,
/// so that clients who invent environments neither make a transaction of each nor fill the database's own hundred.
const MOST_UNNAMED: usize = 32;

/// What was answered and is not kept yet.
#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    kinds: usize,
    /// Environments that no flag names, as far as they are told apart.
    unnamed: HashSet<String>,
    /// By environment and flag; versions and variants of one are few.
    answers: Answers,
}

type Answers = HashMap<String, HashMap<String, Vec<Counted>>>;

#[derive(Debug)]
struct Counted {
    version: u64,
    variant: Option<Arc<str>>,
    count: u64,
}

impl Questions {
    /// Counts answers of one environment, once each. `is_named`: whether a flag names it.
    pub(super) fn count<'a>(
        &self,
        environment: &str,
        is_named: impl FnOnce() -> bool,
        answers: impl IntoIterator<Item = (&'a Flag, &'a Evaluation)>,
    ) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = counts.told_apart(environment, is_named);
        for (flag, answer) in answers {
            counts.add(environment, &flag.name, answer.version, answer.variant.as_ref(), 1);
        }
    }

    /// What was counted, by environment; from here on it is counted anew.
    fn take(&self) -> Vec<(String, Vec<Served>)> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let served = |(flag, kinds): (String, Vec<Counted>)| {
            kinds.into_iter().map(move |Counted { version, variant, count }| {
                let variant = variant.as_deref().map(str::to_owned);
                Served { flag: flag.clone(), version, variant, count }
            })
        };
        let of = |flags: HashMap<_, _>| flags.into_iter().flat_map(served).collect();
        answers.into_iter().map(|(environment, flags)| (environment, of(flags))).collect()
    }

    /// What could not be kept is counted again.
    fn put_back(&self, environment: &str, served: Vec<Served>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Served { flag, version, variant, count } in served {
            counts.add(environment, &flag, version, variant.map(Arc::from).as_ref(), count);
        }
    }
}

impl Counts {
    fn take(&mut self) -> Answers {
        self.kinds = 0;
        mem::take(&mut self.answers)
    }

    /// The environment, or what stands for all that are too many.
    fn told_apart<'a>(&mut self, environment: &'a str, is_named: impl FnOnce() -> bool) -> &'a str {
        let is_known = environment.is_empty()
            || self.answers.contains_key(environment)
            || self.unnamed.contains(environment)
            || is_named();
        if is_known {
            return environment;
        }
        if self.unnamed.len() >= MOST_UNNAMED {
            return OTHER;
        }
        self.unnamed.insert(environment.to_owned());
        environment
    }

    fn add(&mut self, environment: &str, flag: &str, version: u64, variant: Option<&Arc<str>>, count: u64) {
        let known = self.answers.get_mut(environment).and_then(|flags| flags.get_mut(flag));
        let is_kind = |known: &&mut Counted| known.version == version && known.variant.as_ref() == variant;
        if let Some(counted) = known.and_then(|kinds| kinds.iter_mut().find(is_kind)) {
            counted.count = counted.count.saturating_add(count);
        } else if self.kinds < MOST {
            self.kinds += 1;
            let flags = self.answers.entry(environment.to_owned()).or_default();
            flags.entry(flag.to_owned()).or_default().push(Counted { version, variant: variant.cloned(), count });
        }
    }
}

impl Keeper {
    /// Keeps what was answered, again and again until told to stop. [`Keeper::keep_questions`] is to come after the last answer.
    pub async fn keep_questions_until(self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
            self.keep_questions().await;
        }
    }

    /// Keeps what was answered until now; while the database is away, in memory.
    pub async fn keep_questions(&self) {
        for (environment, served) in self.reads().questions.take() {
            match self.count(None, environment.clone(), now(), served.clone()).await {
                Ok(()) => {}
                Err(error @ FlagsError::Unsure(_)) => {
                    tracing::warn!(%error, "answers of `check` and OFREP may be missing in the counts");
                }
                Err(error) => {
                    tracing::debug!(%error, "answers of `check` and OFREP are counted later");
                    self.reads().questions.put_back(&environment, served);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use teal_flags::Reason;

    use super::*;

    fn answer(version: u64, variant: Option<&str>) -> Evaluation {
        let variant = variant.map(Arc::from);
        Evaluation { enabled: None, value: None, variant, reason: Reason::Static, error: None, version }
    }

    #[test]
    fn answers_are_counted_by_kind_up_to_a_bound_and_taken_once() {
        let flag = |id: i64| Flag::from_value(json!({"id": id, "name": format!("flag-{id}")})).unwrap();
        let (one, two) = (flag(1), flag(2));
        let questions = Questions::default();
        let told = || {
            let line = |environment: &str, served: Served| {
                let variant = served.variant.unwrap_or_default();
                format!("{environment} {} {} {variant} {}", served.flag, served.version, served.count)
            };
            let all = questions.take().into_iter();
            let mut all: Vec<String> =
                all.flat_map(|(at, served)| served.into_iter().map(move |served| line(&at, served))).collect();
            all.sort();
            all
        };
        for _ in 0..3 {
            questions.count("prod", || true, [(&one, &answer(1, Some("on"))), (&two, &answer(4, None))]);
        }
        questions.count("prod", || true, [(&one, &answer(1, Some("off"))), (&one, &answer(2, Some("on")))]);
        questions.count("", || false, [(&one, &answer(1, Some("on")))]);
        // One too many, and one that is known.
        questions.count("made-up", || false, [(&one, &answer(1, Some("on")))]);
        questions.count("prod", || true, [(&two, &answer(4, None))]);
        let expected =
            [" flag-1 1 on 1", "prod flag-1 1 off 1", "prod flag-1 1 on 3", "prod flag-1 2 on 1", "prod flag-2 4  4"];
        assert_eq!(told(), expected);
        assert_eq!(told(), [""; 0]);
        questions.count("made-up", || false, [(&one, &answer(1, Some("on")))]);
        for (environment, served) in questions.take() {
            questions.put_back(&environment, served);
        }
        questions.count("made-up", || false, [(&one, &answer(1, Some("on")))]);
        assert_eq!(told(), ["made-up flag-1 1 on 2"]);
    }

    #[test]
    fn environments_that_no_flag_names_are_counted_apart_up_to_a_bound() {
        let flag = Flag::from_value(json!({"id": 1, "name": "x"})).unwrap();
        let questions = Questions::default();
        let mut apart = HashSet::new();
        for number in 0..200 {
            let name = format!("made-up-{number}");
            questions.count(&name, || false, [(&flag, &answer(1, None))]);
            apart.extend(questions.take().into_iter().map(|(environment, _)| environment));
        }
        assert_eq!(apart.len(), MOST_UNNAMED + 1, "however often counts are kept: {apart:?}");
        assert!(apart.contains("made-up-0") && apart.contains(OTHER));
        // Those that were first still have their own, and so have those that are named.
        for (name, is_named) in [("made-up-0", false), ("made-up-150", false), ("", false), ("prod", true)] {
            questions.count(name, || is_named, [(&flag, &answer(1, None))]);
        }
        let counted: HashSet<String> = questions.take().into_iter().map(|(environment, _)| environment).collect();
        assert_eq!(counted, ["made-up-0", OTHER, "", "prod"].map(str::to_owned).into());
    }
}
