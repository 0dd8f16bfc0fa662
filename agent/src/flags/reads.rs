//! What flags say, for who only asks: the newest state, the states to come, and answers. Cheap to clone.
//!
//! The doors need no more of whoever keeps the flags, except to change them.

use std::sync::Arc;

use teal_flags::model::Flag;
use teal_flags::{Evaluation, OwnedContext};
use tokio::sync::watch;

use super::evaluate::{Answers, Evaluators};
use super::questions::Questions;
use super::state::State;

/// Flags to be read.
#[derive(Clone, Debug)]
pub struct Reads {
    states: watch::Receiver<Arc<State>>,
    evaluators: Arc<Evaluators>,
    pub(super) questions: Arc<Questions>,
}

impl Reads {
    /// Of a state that another puts in its place, again and again.
    pub(super) fn new(states: watch::Receiver<Arc<State>>) -> Self {
        Self { states, evaluators: Arc::default(), questions: Arc::default() }
    }

    /// Everything, as it is now.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.states.borrow().clone()
    }

    /// Everything, as it is and comes to be.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.states.clone()
    }

    /// What a flag answers to a user in an environment. Whoever tells it counts it: [`Reads::count`].
    #[must_use]
    pub fn evaluate(&self, environment: Option<&str>, flag: &str, user: &OwnedContext) -> Evaluation {
        self.answers(environment).one(flag, user)
    }

    /// What flags answer in an environment now, all of them at one moment; `None`: those that are meant for some environments only
    /// are off. Compiled once for each change; a question costs no more than the SDK's.
    #[must_use]
    pub fn answers(&self, environment: Option<&str>) -> Answers {
        self.evaluators.answers(&self.state(), environment)
    }

    /// Counts answers that were told to somebody who has no SDK, which would count them itself.
    pub fn count<'a>(&self, environment: Option<&str>, answers: impl IntoIterator<Item = (&'a Flag, &'a Evaluation)>) {
        let environment = environment.unwrap_or_default();
        let is_named = || self.state().flags().any(|flag| flag.environments.iter().any(|name| name == environment));
        self.questions.count(environment, is_named, answers);
    }
}
