//! Answers for who has no SDK: flags compiled for each environment that is asked for, once for each revision and moment.
//!
//! ```text
//! (state, environment) --is it compiled, and still true?--> Answers: one flag, or all
//!                             '-- no: compile what changed or became due
//! ```

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use teal_flags::model::Timestamp;
use teal_flags::{Evaluation, Flags, Layer, OwnedContext, Snapshot};

use super::now;
use super::state::State;

/// Environments whose flags are kept compiled, more than are told apart in counts; of more, the one that was compiled first is forgotten.
const MOST: usize = if cfg!(test) { 32 } else { 128 };

/// All flags in one environment, at one revision and moment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Answers {
    state: Arc<State>,
    snapshot: Arc<Snapshot>,
}

impl Answers {
    /// What they are made of.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What a flag answers to a user.
    #[must_use]
    pub fn one(&self, flag: &str, user: &OwnedContext) -> Evaluation {
        self.snapshot.evaluate(user, flag)
    }
}

/// The compiled flags of each environment.
#[derive(Debug, Default)]
pub(super) struct Evaluators(RwLock<Option<Known>>);

/// The newest state that anybody asked with, and what was compiled of it or of earlier ones.
#[derive(Debug)]
struct Known {
    state: Arc<State>,
    /// The environments that its flags name. In all others they answer as in none, so that clients who invent environments get
    /// nothing compiled.
    named: HashSet<String>,
    compiled: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    environment: Option<String>,
    flags: Flags,
    answers: Answers,
    /// When time changes them; `None`: never.
    due: Option<Timestamp>,
}

impl Evaluators {
    /// What flags answer in an environment; `None`: flags that are meant for some environments only are off.
    pub(super) fn answers(&self, state: &Arc<State>, environment: Option<&str>) -> Answers {
        self.answers_at(state, environment, now())
    }

    fn answers_at(&self, state: &Arc<State>, environment: Option<&str>, now: Timestamp) -> Answers {
        let found = {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            known.as_ref().and_then(|known| known.find(state, environment, now))
        };
        found.unwrap_or_else(|| {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            let known = known.get_or_insert_with(|| Known::new(state.clone()));
            // Another request may have done it meanwhile.
            known.find(state, environment, now).unwrap_or_else(|| known.compile(state, environment, now))
        })
    }
}

impl Known {
    fn new(state: Arc<State>) -> Self {
        let named = state.flags().flat_map(|flag| &flag.environments).cloned().collect();
        Self { state, named, compiled: Vec::new() }
    }

    fn find(&self, state: &State, environment: Option<&str>, now: Timestamp) -> Option<Answers> {
        let compiled = self.compiled.get(self.place(environment)?)?;
        let is_true = self.is_of(state)
            && compiled.answers.state.position() == self.state.position()
            && compiled.due.is_none_or(|due| now < due);
        is_true.then(|| compiled.answers.clone())
    }

    fn compile(&mut self, state: &Arc<State>, environment: Option<&str>, now: Timestamp) -> Answers {
        if !self.is_of(state) {
            *self = Self { compiled: std::mem::take(&mut self.compiled), ..Self::new(state.clone()) };
        }
        let (flags, was) = match self.place(environment).map(|place| self.compiled.remove(place)) {
            Some(Compiled { flags, answers, .. }) => (flags, Some(answers.state.position().clone())),
            None => (Flags::new(self.named(environment)), None),
        };
        if was.as_ref() != Some(self.state.position()) {
            flags.apply(Layer::File, self.state.document(), now);
        }
        let due = flags.tick(now);
        let answers = Answers { state: self.state.clone(), snapshot: flags.snapshot() };
        if self.compiled.len() >= MOST {
            self.compiled.remove(0);
        }
        let environment = self.named(environment).map(str::to_owned);
        self.compiled.push(Compiled { environment, flags, answers: answers.clone(), due });
        answers
    }

    /// Whether this is of that state, or of a later one: who asks may have looked just before a change.
    fn is_of(&self, state: &State) -> bool {
        let (here, there) = (self.state.position(), state.position());
        here.instance == there.instance && here.revision >= there.revision
    }

    fn named<'a>(&self, environment: Option<&'a str>) -> Option<&'a str> {
        environment.filter(|name| self.named.contains(*name))
    }

    fn place(&self, environment: Option<&str>) -> Option<usize> {
        let environment = self.named(environment);
        self.compiled.iter().position(|compiled| compiled.environment.as_deref() == environment)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use teal_flags::model::Document;

    use super::super::state::{Kept, Position};
    use super::*;

    fn state(revision: u64, flags: &Value) -> Arc<State> {
        let document = Document::from_value(json!({ "flags": flags })).unwrap();
        let flags = (1..).zip(document.flags).map(|(id, mut flag)| {
            flag.id = id;
            Kept { flag: Arc::new(flag), revision }
        });
        let position = Position { instance: "a".into(), revision };
        Arc::new(State::new(position, flags.collect(), BTreeMap::new(), vec![]))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn is_on(answers: &Answers, flag: &str) -> Option<bool> {
        answers.one(flag, &OwnedContext::default()).enabled
    }

    #[test]
    fn flags_are_compiled_once_for_each_revision_and_environment_that_a_flag_names() {
        let evaluators = Evaluators::default();
        let first = state(1, &json!([{"name": "x", "enabled": true, "environments": ["prod"]}]));
        let snapshot =
            |state: &Arc<State>, environment: Option<&str>| evaluators.answers_at(state, environment, at(0)).snapshot;
        let prod = snapshot(&first, Some("prod"));
        assert!(Arc::ptr_eq(&prod, &snapshot(&first, Some("prod"))));
        let nowhere = snapshot(&first, None);
        assert!(!Arc::ptr_eq(&prod, &nowhere));
        for made_up in 0..1000 {
            assert!(Arc::ptr_eq(&nowhere, &snapshot(&first, Some(&format!("made-up-{made_up}")))));
        }
        assert_eq!(evaluators.0.read().unwrap().as_ref().unwrap().compiled.len(), 2);

        let second = state(2, &json!([{"name": "x", "enabled": false}]));
        assert!(!Arc::ptr_eq(&prod, &snapshot(&second, Some("prod"))));
        // Who looked just before the change is told what is so now.
        let late = evaluators.answers_at(&first, Some("prod"), at(0));
        assert_eq!((late.state().position().revision, is_on(&late, "x")), (2, Some(false)));
    }

    #[test]
    fn of_very_many_environments_the_first_are_forgotten() {
        let evaluators = Evaluators::default();
        let names: Vec<String> = (0..2 * MOST).map(|number| format!("e{number}")).collect();
        let state = state(1, &json!([{"name": "x", "enabled": true, "environments": names}]));
        for _ in 0..2 {
            for name in &names {
                assert_eq!(is_on(&evaluators.answers_at(&state, Some(name), at(0)), "x"), Some(true), "{name}");
            }
        }
        assert_eq!(evaluators.0.read().unwrap().as_ref().unwrap().compiled.len(), MOST);
    }

    #[test]
    fn time_changes_answers_when_it_has_come() {
        let evaluators = Evaluators::default();
        let schedule = json!({"from": "1970-01-01T00:01:00Z", "until": "1970-01-01T00:02:00Z"});
        let state = state(1, &json!([{"name": "x", "enabled": true, "schedule": schedule}]));
        let check = |millis, expected| {
            assert_eq!(is_on(&evaluators.answers_at(&state, None, at(millis)), "x"), Some(expected), "{millis}");
        };
        check(59_999, false);
        check(60_000, true);
        check(119_999, true);
        check(120_000, false);
    }
}
