//! The document in the resource, by compare-and-swap on its version.
//!
//! ```text
//!  known: the state that was there last    version: of the object that has it, none when an answer is missing
//!  put --409, or version unknown--> read: known, or one of our own tries, or older than known -> go on over it
//!                                         anything else --------------------------------------> Met
//! ```
//! Labels, orders and status change the version as well; only another state is news.

use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;
use teal_rollout::document::Document;

use super::Settings;
use crate::cluster::client::{brief, is_conflict, is_invalid, is_not_found};
use crate::cluster::resource::{BlueGreen, BlueGreenSpec, State};
use crate::cluster::watch::{View, Watched};
use crate::store::StoreError;
use crate::store::document::{Documents, Put, Unsure};

/// So often a write is tried again over a version that moved; after that the writer pauses.
const ROUNDS: u32 = 5;

/// Who owns the state, whichever agent writes it.
const MANAGER: &str = "teal";

/// The resource of an environment as this agent writes it.
#[derive(Debug)]
pub struct Resource {
    api: Api<BlueGreen>,
    settings: Settings,
    watched: Watched<BlueGreen>,
    /// The state that was there last, as far as this agent knows.
    known: Option<State>,
    /// The object's version; `Some(None)`: it is not there.
    version: Option<Option<String>>,
    unsure: Unsure<State>,
}

impl Resource {
    pub(super) fn new(api: Api<BlueGreen>, settings: Settings, watched: Watched<BlueGreen>) -> Self {
        Self { api, settings, watched, known: None, version: None, unsure: Unsure::default() }
    }

    /// Begins with what is believed to be there.
    pub(super) fn believe(&mut self, document: Option<&Document>) {
        self.known = document.map(State::from);
    }

    /// Reads what is there.
    pub(super) async fn read(&mut self) -> Result<Option<State>, StoreError> {
        self.version = None;
        let found = self.api.get_opt(&self.settings.name).await.map_err(|error| self.away(&error))?;
        self.version = Some(found.as_ref().and_then(|found| found.metadata.resource_version.clone()));
        Ok(found.and_then(|found| found.spec.state))
    }

    async fn write(&self, version: Option<&str>, state: &State) -> kube::Result<BlueGreen> {
        let Some(version) = version else {
            let mut made = BlueGreen::new(&self.settings.name, BlueGreenSpec::default());
            made.spec.state = Some(state.clone());
            let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            return self.api.create(&params, &made).await;
        };
        // The state is one value: a merge would keep fields of the one before, an apply the order of its lists.
        let patch: json_patch::Patch = serde_json::from_value(json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/spec/state", "value": state},
        ]))
        .map_err(kube::Error::SerdeError)?;
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.api.patch(&self.settings.name, &params, &Patch::<()>::Json(patch)).await
    }

    fn away(&self, error: &kube::Error) -> StoreError {
        StoreError::Away { name: self.settings.place(), why: brief(error) }
    }

    /// Whether `found` may be written over without asking anybody.
    fn is_ours(&self, found: Option<&State>) -> bool {
        found.is_none_or(|found| {
            Some(found) == self.known.as_ref() || self.unsure.holds(found) || self.is_set_back(found)
        })
    }

    /// A backup of the cluster was restored: what is there was here before.
    fn is_set_back(&self, found: &State) -> bool {
        let order = |state: &State| (state.release, state.verdict, state.step);
        self.known.as_ref().is_some_and(|known| found.revision < known.revision && order(found) <= order(known))
    }

    /// What the watch shows, if it is another's and new.
    fn seen(&mut self, view: &View<BlueGreen>) -> Option<Document> {
        let object = view.named(&self.settings.name)?;
        let state = object.spec.state.as_ref()?;
        if Some(state) == self.known.as_ref() || self.is_set_back(state) {
            return None;
        }
        if self.unsure.holds(state) {
            // Ours; the next write finds out from which version on.
            self.version = None;
            return None;
        }
        self.version = Some(object.metadata.resource_version.clone());
        self.known = Some(state.clone());
        Some(Document::from(state.clone()))
    }
}

impl Documents for Resource {
    async fn put(&mut self, document: &Document) -> Result<Put, StoreError> {
        let state = State::from(document);
        let mut last = String::new();
        for _ in 0..ROUNDS {
            let version = if let Some(version) = self.version.take() {
                version
            } else {
                let found = self.read().await?;
                if found.as_ref() == Some(&state) {
                    self.known = found;
                    self.unsure.clear();
                    return Ok(Put::Stored);
                }
                if let Some(found) = found.filter(|found| !self.is_ours(Some(found))) {
                    self.known = Some(found.clone());
                    return Ok(Put::Met(Box::new(Document::from(found))));
                }
                self.version.take().flatten()
            };
            // Before it is asked for: whoever waits may give up on the answer.
            self.unsure.add(&state);
            match self.write(version.as_deref(), &state).await {
                Ok(object) => {
                    self.version = Some(object.metadata.resource_version);
                    self.known = Some(state);
                    self.unsure.clear();
                    return Ok(Put::Stored);
                }
                Err(error) if is_conflict(&error) || is_not_found(&error) => last = brief(&error),
                Err(error) if is_invalid(&error) => {
                    return Err(StoreError::Refused { name: self.settings.place(), why: brief(&error) });
                }
                Err(error) => return Err(self.away(&error)),
            }
        }
        Err(StoreError::Away { name: self.settings.place(), why: last })
    }

    async fn news(&mut self) -> Document {
        loop {
            let watched = self.watched.clone();
            if let Some(document) = watched.look(|view| self.seen(view)) {
                return document;
            }
            if !self.watched.changed().await {
                // The agent ends.
                std::future::pending::<()>().await;
            }
        }
    }

    fn has_copy(&self) -> bool {
        true
    }
}
