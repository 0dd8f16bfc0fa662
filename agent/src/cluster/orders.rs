//! Orders through the API server, for a command line without an agent's socket: written into the resource, answered there.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::client::{Patience, brief, is_conflict, is_invalid, is_not_found};
use super::resource::{BlueGreen, Heard, Intent, Wish};
use super::watch::{self, Scope};

/// Who writes orders.
const MANAGER: &str = "teal-cli";
/// So often an order is written again over a resource that changes meanwhile.
const ROUNDS: u32 = 10;

/// Why an order was not given, or nobody answered.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such environment.
    #[error("there is no `BlueGreen` `{name}` in the namespace `{namespace}`: look with `kubectl get bg -A`")]
    Unknown {
        /// Where it was looked for.
        namespace: String,
        /// What it was to be called.
        name: String,
    },
    /// The API server says no.
    #[error("the API server refuses the order: {0}")]
    Refused(String),
    /// Another order was given just before, and nobody has answered it yet.
    #[error(
        "the order `{id}` by {by} has not been answered yet; wait for it, or look who leads with `kubectl get lease`"
    )]
    Busy {
        /// Of the other order.
        id: String,
        /// Who gave it.
        by: String,
    },
    /// The API server cannot be reached.
    #[error("the API server cannot be asked: {0}")]
    Away(String),
    /// Nobody took it up in time. It stands, and may be carried out yet.
    #[error(
        "no agent has answered the order `{id}` within {within:?}; it stands: look whether an agent runs and leads \
         (`kubectl get lease`, `kubectl describe bg`)"
    )]
    Unanswered {
        /// Of the order.
        id: String,
        /// How long was waited.
        within: Duration,
    },
    /// A later order took its place before it was answered.
    #[error("the order `{id}` was replaced by another one before anybody answered it")]
    Replaced {
        /// Of the order.
        id: String,
    },
}

/// An environment's resource as a person reaches it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Environment {
    api: Api<BlueGreen>,
    namespace: String,
    name: String,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub order: Wish,
    /// By component; for a deploy only.
    pub versions: BTreeMap<String, String>,
    /// Who asks.
    pub by: String,
    /// Why, in their words; "" for nothing.
    pub reason: String,
}

impl Environment {
    /// The resource `name` of a namespace.
    #[must_use]
    pub fn new(client: &kube::Client, namespace: &str, name: &str) -> Self {
        let api = Api::namespaced(client.clone(), namespace);
        Self { api, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The resource as it is: state, status, conditions.
    ///
    /// # Errors
    /// [`OrderError::Unknown`], [`OrderError::Away`] and [`OrderError::Refused`].
    pub async fn read(&self) -> Result<BlueGreen, OrderError> {
        self.api.get(&self.name).await.map_err(|error| self.error(&error))
    }

    /// Gives an order; its id, by which [`Self::answer`] is asked. An order that nobody has answered is replaced only by a
    /// rollback.
    ///
    /// # Errors
    /// [`OrderError`]. After [`OrderError::Away`] it may have been given all the same: giving it anew is safe, since the
    /// machine refuses what is done already.
    pub async fn give(&self, request: &Request) -> Result<String, OrderError> {
        let intent = Intent {
            id: format!("i-{}", uuid::Uuid::new_v4()),
            order: request.order,
            versions: request.versions.clone(),
            by: request.by.clone(),
            reason: request.reason.clone(),
        };
        let mut last = String::new();
        for _ in 0..ROUNDS {
            let found = self.read().await?;
            if found.spec.intent.as_ref().is_some_and(|found| found.id == intent.id) {
                return Ok(intent.id);
            }
            self.mind_the_one_before(&found, request.order)?;
            // Whole: a merge would leave the versions of the order before.
            let patch: json_patch::Patch = serde_json::from_value(json!([
                {"op": "replace", "path": "/metadata/resourceVersion", "value": found.metadata.resource_version},
                {"op": "add", "path": "/spec/intent", "value": intent},
            ]))
            .map_err(|error| OrderError::Refused(error.to_string()))?;
            let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
            match self.api.patch(&self.name, &params, &Patch::<()>::Json(patch)).await {
                Ok(_) => return Ok(intent.id),
                Err(error) if is_conflict(&error) => last = brief(&error),
                Err(error @ kube::Error::Api(_)) => return Err(self.error(&error)),
                // It may be there: the next look shows.
                Err(error) => last = brief(&error),
            }
            Patience::default().wait().await;
        }
        Err(OrderError::Away(last))
    }

    /// Waits for what became of an order: carried out, or refused and why.
    ///
    /// # Errors
    /// [`OrderError::Unanswered`] after `within`, and [`OrderError::Replaced`].
    pub async fn answer(&self, id: &str, within: Duration) -> Result<Heard, OrderError> {
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let (mut watched, _task) = watch::spawn(self.api.clone(), Scope::named(&self.name), stop);
        let answered = async {
            loop {
                if let Some(object) = watched.look_and_note(|view| view.named(&self.name).cloned()) {
                    if let Some(heard) = answer_to(&object, id) {
                        return Ok(heard);
                    }
                    if object.spec.intent.as_ref().is_some_and(|intent| intent.id != id) {
                        return Err(OrderError::Replaced { id: id.to_owned() });
                    }
                }
                if !watched.changed().await {
                    return Err(OrderError::Unanswered { id: id.to_owned(), within });
                }
            }
        };
        let unanswered = |_| OrderError::Unanswered { id: id.to_owned(), within };
        tokio::time::timeout(within, answered).await.map_err(unanswered)?
    }

    fn mind_the_one_before(&self, found: &BlueGreen, order: Wish) -> Result<(), OrderError> {
        let Some(before) = &found.spec.intent else { return Ok(()) };
        let is_answered = found.status.as_ref().and_then(|status| status.intent.as_ref()) == Some(&before.id);
        if is_answered || order == Wish::Rollback {
            return Ok(());
        }
        Err(OrderError::Busy { id: before.id.clone(), by: before.by.clone() })
    }

    fn error(&self, error: &kube::Error) -> OrderError {
        match error {
            error if is_not_found(error) => {
                OrderError::Unknown { namespace: self.namespace.clone(), name: self.name.clone() }
            }
            kube::Error::Api(status) if is_invalid(error) || status.code == 403 || status.code == 401 => {
                OrderError::Refused(brief(error))
            }
            error => OrderError::Away(brief(error)),
        }
    }
}

fn answer_to(object: &BlueGreen, id: &str) -> Option<Heard> {
    let status = object.status.as_ref()?;
    status.order.clone().filter(|heard| heard.id == id && heard.taken.is_some())
}

#[cfg(test)]
mod tests;
