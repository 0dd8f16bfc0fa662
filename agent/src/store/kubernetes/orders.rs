//! Orders out of the resource: each id once, whoever leads and however often agents start.
//!
//! ```text
//!  spec.intent (id) --leader--> status.order: taken up, at release N --CAS--> the controller --> status.order: the answer
//!                                  |  found without an answer: the state says whether it was carried out
//!                                  '-- a rollback: every agent gives it to its own controller, at once
//! ```

mod give;
mod words;

use std::time::Duration;

use kube::Api;
use serde_json::{Value, json};
use teal_rollout::document::Document;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::give::Asked;
use self::words::{Given, heard, is_answered, is_done, order, release_of};
use super::{Settings, apply};
use crate::cluster::client::{Patience, brief};
use crate::cluster::lease::{Lease, Standing};
use crate::cluster::resource::{BlueGreen, Heard, Intent, Wish};
use crate::cluster::watch::Watched;
use crate::store::{IntentRow, Sqlite};

/// Before an order that cannot be given just now is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// An order that another agent took up is not given here before it was seen without an answer for so long: it may be on its
/// way.
const DOUBT: Duration = Duration::from_secs(5);
/// Who owns the answer, whichever agent gives it.
const MANAGER: &str = "teal-order";

/// What it takes to carry orders out.
#[derive(Debug)]
pub struct Orders {
    /// The environment, as SQLite knows it.
    pub environment: String,
    /// Remembers the last id.
    pub store: Sqlite,
    /// None: nobody else is there.
    pub lease: Option<Lease>,
    /// To the controller.
    pub asked: mpsc::Sender<Asked>,
}

/// Carries orders out until `stop`.
pub fn spawn(
    client: &kube::Client,
    settings: Settings,
    orders: Orders,
    watched: Watched<BlueGreen>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let standing = orders.lease.as_ref().map(Lease::standing);
    let api = settings.api(client);
    let task = Task {
        api,
        settings,
        orders,
        watched,
        standing,
        last: None,
        own: None,
        others: None,
        patience: Patience::of(AGAIN),
    };
    tokio::spawn(async move {
        let _ = stop.run_until_cancelled(task.run()).await;
    })
}

struct Task {
    api: Api<BlueGreen>,
    settings: Settings,
    orders: Orders,
    watched: Watched<BlueGreen>,
    standing: Option<watch::Receiver<Standing>>,
    /// The last order that was given here, and what came of it.
    last: Option<Given>,
    /// The id that this process took up: nobody else gives it.
    own: Option<String>,
    /// The id that another took up, and since when it was seen without an answer.
    others: Option<(String, Instant)>,
    patience: Patience,
}

/// What came of a look at the resource.
enum Step {
    /// There is nothing to do until something changes.
    Done,
    /// It has to be looked at again, now.
    Next,
    /// It has to be tried again.
    Again,
}

impl Task {
    async fn run(mut self) {
        self.last = loop {
            match self.orders.store.intent(&self.orders.environment).await {
                Ok(last) => {
                    break last.map(|row| Given { id: row.id, taken: row.taken, message: row.message, exit: None });
                }
                Err(error) => tracing::warn!(error = error.to_string(), "the last order cannot be read"),
            }
            self.patience.wait().await;
        };
        loop {
            match self.look().await {
                Ok(Step::Done) => {}
                Ok(Step::Next) => continue,
                Ok(Step::Again) => {
                    self.patience.wait().await;
                    continue;
                }
                Err(error) => {
                    tracing::debug!(error = brief(&error), "an order was not taken up");
                    self.patience.wait().await;
                    continue;
                }
            }
            let standing = async {
                match &mut self.standing {
                    // A renewal is no news, and costs nothing.
                    Some(standing) => standing.changed().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                is_there = self.watched.changed() => if !is_there { return },
                is_there = standing => if !is_there { self.standing = None },
            }
        }
    }

    fn leads(&self) -> bool {
        self.orders.lease.as_ref().is_none_or(Lease::leads)
    }

    async fn look(&mut self) -> kube::Result<Step> {
        let name = &self.settings.name;
        let seen = self.watched.look_and_note(|view| view.named(name).filter(|_| view.is_current()).cloned());
        let Some(intent) = seen.as_ref().and_then(|object| object.spec.intent.clone()) else { return Ok(Step::Done) };
        if seen.is_some_and(|object| is_answered(&object, &intent)) {
            return Ok(Step::Done);
        }
        if intent.order == Wish::Rollback && self.given(&intent).is_none() {
            // Whoever leads, and before anybody is told: every edge goes back by itself.
            return self.roll_back(&intent).await;
        }
        if !self.leads() {
            return Ok(Step::Done);
        }
        // Not what the watch shows, which may be a moment old: another may have led until just now.
        let Some(object) = self.api.get_opt(name).await? else { return Ok(Step::Done) };
        if object.spec.intent.as_ref() != Some(&intent) || is_answered(&object, &intent) {
            return Ok(Step::Done);
        }
        self.carry_out(object, &intent).await
    }

    /// What came of it, if it was given here.
    fn given(&self, intent: &Intent) -> Option<Given> {
        self.last.clone().filter(|last| last.id == intent.id)
    }

    async fn roll_back(&mut self, intent: &Intent) -> kube::Result<Step> {
        let Some(result) = self.give(order(intent)).await else { return Ok(Step::Again) };
        tracing::info!(order = intent.id, by = intent.by, ?result, "a rollback was ordered through the resource");
        self.remember(Given::new(&intent.id, result)).await;
        // The agent that leads answers for all: this one, perhaps.
        Ok(Step::Next)
    }

    async fn carry_out(&mut self, object: BlueGreen, intent: &Intent) -> kube::Result<Step> {
        let order_before = object.status.as_ref().and_then(|status| status.order.clone());
        let claim = order_before.filter(|order| order.id == intent.id);
        if let Some(given) = self.given(intent) {
            return self.answer(object, intent, claim, given).await;
        }
        let (object, claim) = match claim {
            Some(claim) => (object, claim),
            None => {
                let claim = heard(intent, &self.settings.agent, release_of(&object));
                let object = self.write(&object, &claim).await?;
                self.own = Some(intent.id.clone());
                (object, claim)
            }
        };
        // Taken up by another, or by this agent before it was started again: it may be done already.
        let is_ours = self.own.as_ref() == Some(&intent.id);
        let document = object.spec.state.clone().map(Document::from);
        let done = document.filter(|document| !is_ours && is_done(intent, &claim, document));
        let result = match done {
            Some(document) => Ok(document.epoch.release),
            None if !is_ours && self.may_be_on_its_way(&claim) => return Ok(Step::Again),
            None if !self.leads() => return Ok(Step::Done),
            None => match self.give_unless_replaced(intent).await {
                Some(Some(result)) => result,
                Some(None) => return Ok(Step::Again),
                None => return Ok(Step::Next),
            },
        };
        tracing::info!(order = intent.id, by = intent.by, ?result, "an order came through the resource");
        let given = Given::new(&intent.id, result);
        self.remember(given.clone()).await;
        self.answer(object, intent, Some(claim), given).await
    }

    fn may_be_on_its_way(&mut self, claim: &Heard) -> bool {
        if claim.agent == self.settings.agent {
            return false;
        }
        if self.others.as_ref().is_none_or(|(id, _)| *id != claim.id) {
            self.others = Some((claim.id.clone(), Instant::now()));
        }
        self.others.as_ref().is_some_and(|(_, since)| since.elapsed() < DOUBT)
    }

    /// Writes the answer until it is there, or another order is.
    async fn answer(
        &self,
        mut object: BlueGreen,
        intent: &Intent,
        claim: Option<Heard>,
        given: Given,
    ) -> kube::Result<Step> {
        let claim = claim.unwrap_or_else(|| heard(intent, &self.settings.agent, release_of(&object)));
        let answer = Heard { taken: Some(given.taken), message: given.message, exit: given.exit, ..claim };
        while let Err(error) = self.write(&object, &answer).await {
            tracing::debug!(error = brief(&error), "an order was not answered");
            Patience::default().wait().await;
            match self.api.get_opt(&self.settings.name).await {
                Ok(Some(found)) if found.spec.intent.as_ref() == Some(intent) && !is_answered(&found, intent) => {
                    object = found;
                }
                Ok(_) => break,
                Err(_) => {}
            }
        }
        Ok(Step::Done)
    }

    /// Over what was read, or not at all.
    async fn write(&self, object: &BlueGreen, heard: &Heard) -> kube::Result<BlueGreen> {
        let last = object.status.as_ref().and_then(|status| status.intent.clone());
        let intent = if heard.taken.is_some() { Some(heard.id.clone()) } else { last };
        let mut status: Value = json!({"order": heard});
        if let Some(intent) = intent {
            status["intent"] = json!(intent);
        }
        let version = object.metadata.resource_version.as_deref();
        apply::status(&self.api, &self.settings, MANAGER, version, status).await
    }

    async fn remember(&mut self, given: Given) {
        let row = IntentRow { id: given.id.clone(), taken: given.taken, message: given.message.clone() };
        self.last = Some(given);
        if let Err(error) = self.orders.store.put_intent(&self.orders.environment, &row).await {
            tracing::warn!(error = error.to_string(), "an order that was carried out is not remembered here");
        }
    }
}

#[cfg(test)]
mod tests;
