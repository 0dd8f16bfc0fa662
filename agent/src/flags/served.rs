//! Which of the counts that applications send can be so.

use super::state::State;
use super::store::Served;

/// Counts of flags that there are, each as far as its flag could serve it.
pub(super) fn servable(state: &State, served: Vec<Served>) -> Vec<Served> {
    let within = |one: Served| Some(one.clone().within(state.named(&one.flag)?));
    served.into_iter().filter_map(within).collect()
}
