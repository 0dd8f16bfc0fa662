//! Answers for who has no SDK: flags compiled for each environment that is asked for, and kept until they change.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use teal_flags::{Evaluation, Flags, Layer, OwnedContext};

use super::now;
use super::state::{Position, State};

/// Environments whose flags are kept compiled: clients name them, so that there must be an end.
const MOST: usize = 32;

/// The compiled flags of each environment.
#[derive(Debug, Default)]
pub(super) struct Evaluators(Mutex<HashMap<Option<String>, (Position, Flags)>>);

impl Evaluators {
    /// What a flag answers to a user in an environment; `None`: flags that are meant for some environments only are off.
    pub(super) fn evaluate(
        &self,
        state: &State,
        environment: Option<&str>,
        flag: &str,
        user: &OwnedContext,
    ) -> Evaluation {
        let now = now();
        let flags = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let environment = environment.map(str::to_owned);
            if known.len() >= MOST && !known.contains_key(&environment) {
                known.clear();
            }
            let fresh = || (Position { instance: "".into(), revision: 0 }, Flags::new(environment.as_deref()));
            let (position, flags) = known.entry(environment.clone()).or_insert_with(fresh);
            if position != state.position() {
                flags.apply(Layer::File, state.document(), now);
                position.clone_from(state.position());
            }
            flags.clone()
        };
        flags.tick(now);
        flags.snapshot().evaluate(user, flag)
    }
}
