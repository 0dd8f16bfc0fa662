//! Questions to the service about what applications know: anybody can make up an instance, and each answer may be a whole document.
//!
//! ```text
//! later revision of the instance here --> one at a time, a second apart
//! another instance ---------------------> the same, apart from those; never again about one that was answered
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use teal_flags::Revision;
use teal_flags::client::ClientError;
use tokio::time::{Instant, sleep_until};

use super::super::state::Position;
use super::lock;

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(1);
/// Instances that are remembered.
const MOST_ANSWERED: usize = 256;

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// When the next may be asked; held while one is.
    later: tokio::sync::Mutex<Option<Instant>>,
    other: tokio::sync::Mutex<Option<Instant>>,
    /// Instances of which the service said that it is another, the newest last.
    answered: Mutex<VecDeque<Arc<str>>>,
}

impl Asking {
    /// Asks, unless what is known is no more than what is `here`, or was answered. Who comes while another asks does not.
    pub(super) async fn about(
        &self,
        known: &Position,
        here: impl Fn() -> Position,
        ask: impl AsyncFnOnce(&Revision) -> Result<(), ClientError>,
    ) {
        let is_new = || {
            let here = here();
            let is_less = known.instance == here.instance && known.revision <= here.revision;
            let is_answered = known.instance != here.instance && lock(&self.answered).contains(&known.instance);
            !is_less && !is_answered
        };
        if !is_new() {
            return;
        }
        let turn = if known.instance == here().instance { &self.later } else { &self.other };
        let Ok(mut next) = turn.try_lock() else { return };
        if let Some(next) = *next {
            sleep_until(next).await;
        }
        // It may have been heard meanwhile.
        if !is_new() {
            return;
        }
        *next = Some(Instant::now() + PAUSE);
        let asked = Revision { instance: Some(known.instance.to_string()), revision: known.revision };
        match ask(&asked).await {
            Ok(()) if here().instance != known.instance => self.remember(known.instance.clone()),
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "the service could not be asked about what an application knows"),
        }
    }

    fn remember(&self, instance: Arc<str>) {
        let mut answered = lock(&self.answered);
        if answered.len() >= MOST_ANSWERED {
            answered.pop_front();
        }
        answered.push_back(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    /// How often the service is asked about these, one after the other, when it is at a:5.
    async fn asked(asking: &Asking, known: &[&str]) -> usize {
        let mut asked = 0;
        for known in known {
            asking
                .about(
                    &at(known),
                    || at("a:5"),
                    async |_| {
                        asked += 1;
                        Ok(())
                    },
                )
                .await;
        }
        asked
    }

    #[tokio::test]
    async fn an_instance_that_is_another_is_asked_about_once() {
        let asking = Asking::default();
        assert_eq!(asked(&asking, &["b:1", "b:1", "b:2"]).await, 1);
        assert_eq!(asked(&asking, &["a:4", "a:5", "b:9"]).await, 0);
        assert_eq!(asked(&asking, &["a:6"]).await, 1, "also while others were asked about");
    }

    #[tokio::test]
    async fn what_was_not_answered_is_asked_again() {
        let asking = Asking::default();
        asking.about(&at("b:1"), || at("a:5"), async |_| Err(ClientError::Ended)).await;
        assert_eq!(asked(&asking, &["b:1"]).await, 1);
    }

    #[tokio::test]
    async fn made_up_instances_are_bounded_and_wait_for_each_other() {
        let asking = Asking::default();
        for number in 0..MOST_ANSWERED + 10 {
            asking.remember(number.to_string().into());
        }
        assert_eq!(asking.answered.lock().unwrap().len(), MOST_ANSWERED);
        let began = Instant::now();
        assert_eq!(asked(&asking, &["x:1", "y:1"]).await, 2);
        assert!(began.elapsed() >= PAUSE, "the second waits");
    }

    #[tokio::test]
    async fn one_is_asked_at_a_time() {
        let asking = Asking::default();
        let mut meanwhile = None;
        let inner = async |_: &Revision| {
            meanwhile = Some(asked(&asking, &["c:1", "d:1"]).await);
            Ok(())
        };
        asking.about(&at("b:1"), || at("a:5"), inner).await;
        assert_eq!(meanwhile, Some(0));
    }
}
