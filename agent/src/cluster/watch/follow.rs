//! The task: lists once, then watches and watches on.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::StreamExt as _;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{Scope, Timing, View};
use crate::cluster::client::{brief, is_gone};

/// Objects a page.
const PAGE: u32 = 500;
/// Pages of one list, at most: a `continue` that leads round in a circle ends.
const PAGES: usize = 400;
/// A list or the beginning of a watch takes no longer, whatever client was given.
const ANSWER: Duration = Duration::from_secs(10);
/// So often in a row the server may refuse to watch on from a version before everything is listed anew: after a restore
/// of etcd the version may lie in its future.
const REFUSALS: u32 = 3;

pub(super) struct Following<K> {
    api: Api<K>,
    scope: Scope,
    timing: Timing,
    trim: fn(&mut K),
    publish: watch::Sender<View<K>>,
    /// The version up to which the view has it all; none: it must be listed.
    version: Option<String>,
    refusals: u32,
    /// When the server last said anything.
    heard: Instant,
}

/// What was done.
enum Step {
    Listed,
    Ended,
}

/// Why a step failed: in words, and what follows from it.
struct Trouble {
    why: String,
    /// What is known is of no use any more.
    relist: bool,
    /// What the server asks for.
    error: Option<kube::Error>,
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        Self { why: brief(&error), relist: is_gone(&error), error: Some(error) }
    }
}

impl Trouble {
    fn late() -> Self {
        Self { why: "the API server does not answer".to_owned(), relist: false, error: None }
    }
}

impl<K> Following<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    pub(super) fn new(
        api: Api<K>,
        scope: Scope,
        timing: Timing,
        trim: fn(&mut K),
        publish: watch::Sender<View<K>>,
    ) -> Self {
        Self { api, scope, timing, trim, publish, version: None, refusals: 0, heard: Instant::now() }
    }

    pub(super) async fn run(mut self) {
        loop {
            let began = Instant::now();
            let done = match self.version.clone() {
                None => self.list().await,
                Some(version) => self.watch(version).await,
            };
            match done {
                Ok(Step::Listed) => {}
                // A server that ends every watch at once is not asked again without a pause.
                Ok(Step::Ended) => sleep_until(began + self.timing.patience.pause()).await,
                Err(trouble) => self.failed(&trouble).await,
            }
        }
    }

    async fn failed(&mut self, trouble: &Trouble) {
        tracing::debug!(kind = std::any::type_name::<K>(), trouble.why, "a watch was interrupted");
        if trouble.relist {
            self.version = None;
        }
        let heard = self.heard;
        self.publish.send_if_modified(|view| view.lost(heard, &trouble.why));
        match &trouble.error {
            Some(error) => self.timing.patience.wait_after(error).await,
            None => self.timing.patience.wait().await,
        }
    }

    /// All pages, and then all of it at once to the readers.
    async fn list(&mut self) -> Result<Step, Trouble> {
        let mut params = ListParams {
            label_selector: self.scope.labels.clone(),
            field_selector: self.scope.fields.clone(),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let mut page = timeout(ANSWER, self.api.list(&params)).await.map_err(|_| Trouble::late())??;
            self.heard = Instant::now();
            page.items.iter_mut().for_each(self.trim);
            all.extend(page.items);
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.version = page.metadata.resource_version.filter(|version| !version.is_empty());
                break;
            }
        }
        if self.version.is_none() {
            let why = "the API server's list has no end or no version".to_owned();
            return Err(Trouble { why, relist: true, error: None });
        }
        self.publish.send_if_modified(|view| view.replace(all));
        Ok(Step::Listed)
    }

    /// One watch, to its end.
    async fn watch(&mut self, version: String) -> Result<Step, Trouble> {
        let seconds = u32::try_from(self.timing.server.as_secs()).unwrap_or(u32::MAX).max(1);
        let params = WatchParams {
            label_selector: self.scope.labels.clone(),
            field_selector: self.scope.fields.clone(),
            timeout: Some(seconds),
            bookmarks: true,
            ..WatchParams::default()
        };
        let started = timeout(ANSWER, self.api.watch(&params, &version)).await.map_err(|_| Trouble::late())?;
        let events = match started {
            Ok(events) => events,
            Err(error) => return Err(self.refused(error)),
        };
        self.refusals = 0;
        self.heard = Instant::now();
        self.publish.send_if_modified(View::caught_up);
        // The server ends it in time; one that does not is dead, or the way to it is.
        let end = self.heard + self.timing.server + self.timing.grace;
        let mut events = std::pin::pin!(events);
        loop {
            let next = timeout_at(end, events.next()).await.map_err(|_| Trouble::late())?;
            self.heard = Instant::now();
            match next {
                Some(Ok(event)) => self.take(event)?,
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(Step::Ended),
            }
        }
    }

    fn refused(&mut self, error: kube::Error) -> Trouble {
        let mut trouble = Trouble::from(error);
        if matches!(trouble.error, Some(kube::Error::Api(_))) {
            self.refusals += 1;
        }
        if self.refusals >= REFUSALS {
            self.refusals = 0;
            trouble.relist = true;
        }
        trouble
    }

    fn take(&mut self, event: WatchEvent<K>) -> Result<(), Trouble> {
        match event {
            WatchEvent::Added(mut object) | WatchEvent::Modified(mut object) => {
                (self.trim)(&mut object);
                self.passed(object.resource_version());
                self.publish.send_modify(|view| view.put(object));
            }
            WatchEvent::Deleted(object) => {
                self.passed(object.resource_version());
                self.publish.send_modify(|view| view.remove(&object));
            }
            WatchEvent::Bookmark(bookmark) => self.passed(Some(bookmark.metadata.resource_version)),
            WatchEvent::Error(status) => return Err(kube::Error::Api(status).into()),
        }
        Ok(())
    }

    fn passed(&mut self, version: Option<String>) {
        if let Some(version) = version.filter(|version| !version.is_empty()) {
            self.version = Some(version);
        }
    }
}
