//! A rollback that waits until the old colour has scaled up, as the resource tells of it.
//!
//! ```text
//!  taken --> the old colour scales up (`kept.back` says why) --> bad: followed like every release
//!     \--.                    \--> it did not come: traffic stays
//!         '-- neither for 30 s, or not bad for much longer than a start takes: nobody carries it out
//! ```

use std::time::Duration;

use teal_rollout::policy::Verdict;

use crate::api::why;
use crate::cluster::resource::State;

/// How often the release is read without a word of its way back before that is told.
const PATIENCE: u32 = 30;

/// What was seen so far.
#[derive(Debug)]
pub(super) struct ScalingUp {
    is_under_way: bool,
    /// Reads, about one a second, since the last news.
    idle: u32,
    /// How many of them scaling up may take.
    longest: u32,
}

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It scales up since now, in a sentence.
    Begins(String),
    /// Nothing new.
    Goes,
    /// Traffic stays on the new colour, in a sentence.
    Stays(String),
}

impl ScalingUp {
    /// Scaling up may take so long.
    pub(super) fn within(longest: Duration) -> Self {
        let longest = u32::try_from(longest.as_secs()).unwrap_or(u32::MAX);
        Self { is_under_way: false, idle: 0, longest }
    }

    /// Looks at the state of the release that is to go back, as it was read just now.
    pub(super) fn look(&mut self, state: &State, environment: &str) -> Step {
        if state.verdict != Verdict::Open {
            return Step::Goes;
        }
        let back = state.kept.as_ref().and_then(|kept| kept.back.as_ref());
        match (back, self.is_under_way) {
            (Some(cause), false) => {
                (self.is_under_way, self.idle) = (true, 0);
                Step::Begins(format!("the old colour scales up, then traffic goes back to it: {}", why(cause)))
            }
            (Some(_), true) => {
                self.idle += 1;
                if self.idle < self.longest {
                    return Step::Goes;
                }
                Step::Stays(format!(
                    "the old colour has not scaled up in {} s, traffic stays where it is\n    \
                     by hand: teal edge force {environment} back",
                    self.longest
                ))
            }
            (None, true) => Step::Stays(format!(
                "the old colour did not scale up, traffic stays where it is\n    \
                 why: kubectl describe bg   or   teal status {environment}"
            )),
            (None, false) => {
                self.idle += 1;
                if self.idle < PATIENCE {
                    return Step::Goes;
                }
                Step::Stays(format!(
                    "taken, and not seen to go back for {PATIENCE} s\n    \
                     why: kubectl describe bg   or   teal status {environment}"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use teal_rollout::document::{Cause, Document};
    use teal_rollout::policy::Salt;
    use teal_rollout::retention::{Kept, Replicas};

    use super::*;

    fn state(back: Option<&str>, verdict: Verdict) -> State {
        let back = back.map(|by| Cause::Order { by: by.into() });
        let kept = Kept { stage: 1, order: 2, replicas: Replicas::Full, full: std::collections::BTreeMap::new(), back };
        let salt = Salt::try_from("site".to_owned()).unwrap();
        let mut document = Document::new(["app".to_owned()], salt, vec!["edge".to_owned()]);
        document.kept = Some(kept);
        document.epoch.verdict = verdict;
        State::from(&document)
    }

    #[test]
    fn what_becomes_of_scaling_up_is_said_once() {
        let mut seen = ScalingUp::within(Duration::from_secs(60));
        let mut check = |back, verdict, said: &str| {
            let text = match seen.look(&state(back, verdict), "prod") {
                Step::Begins(text) => format!("begins: {text}"),
                Step::Goes => String::new(),
                Step::Stays(text) => format!("stays: {text}"),
            };
            assert!(if said.is_empty() { text.is_empty() } else { text.starts_with(said) }, "{text}, not {said}");
        };
        check(None, Verdict::Open, "");
        check(
            Some("anna"),
            Verdict::Open,
            "begins: the old colour scales up, then traffic goes back to it: ordered by anna",
        );
        check(Some("anna"), Verdict::Open, "");
        check(Some("anna"), Verdict::Bad, "");
        check(None, Verdict::Open, "stays: the old colour did not scale up");
    }

    #[test]
    fn an_order_that_nobody_carries_out_is_not_waited_for_for_ever() {
        let check = |back: Option<&str>, reads: u32| {
            let mut seen = ScalingUp::within(Duration::from_secs(60));
            let steps = (0..reads).map(|_| seen.look(&state(back, Verdict::Open), "prod"));
            let stays: Vec<bool> = steps.map(|step| matches!(step, Step::Stays(_))).collect();
            assert_eq!((stays.iter().filter(|it| **it).count(), stays.last()), (1, Some(&true)), "{back:?}");
        };
        check(None, PATIENCE);
        check(Some("anna"), 61);
    }
}
