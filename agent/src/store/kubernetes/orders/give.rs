//! An order on its way to the controller and back.

use teal_rollout::machine::{Order, Refusal};
use tokio::sync::oneshot;

use super::Task;
use super::words::order;
use crate::cluster::resource::Intent;

/// An order on its way to the controller, with the place for its answer: the release it is about, or why not.
#[derive(Debug)]
pub struct Asked {
    /// What is ordered.
    pub order: Order,
    /// Dropped without an answer, the order is given again later.
    pub answer: oneshot::Sender<Result<u64, Refusal>>,
}

impl Task {
    /// Gives it to the controller; `None` while that cannot say.
    pub(super) async fn give(&self, order: Order) -> Option<Result<u64, Refusal>> {
        let (answer, answered) = oneshot::channel();
        self.orders.asked.send(Asked { order, answer }).await.ok()?;
        match answered.await.ok()? {
            Err(Refusal::Starting | Refusal::NotLeading) => None,
            result => Some(result),
        }
    }

    /// [`Self::give`], which lasts as long as the store is away; `None` when another order came in its place: a rollback.
    pub(super) async fn give_unless_replaced(&mut self, intent: &Intent) -> Option<Option<Result<u64, Refusal>>> {
        let (mut watched, name) = (self.watched.clone(), self.settings.name.clone());
        let replaced = async {
            loop {
                let seen =
                    watched.look_and_note(|view| view.named(&name).and_then(|object| object.spec.intent.clone()));
                if seen.is_some_and(|seen| seen.id != intent.id) || !watched.changed().await {
                    return;
                }
            }
        };
        tokio::select! {
            result = self.give(order(intent)) => Some(result),
            () = replaced => None,
        }
    }
}
