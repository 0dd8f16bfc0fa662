//! The objects of one kind that a selector chooses, kept current by one task.
//!
//! ```text
//!  list (pages) --all--> View <--each event-- watch (30 s, bookmarks) --ends--> watch on
//!     ^                   |                      |                 \--fails--> pause, watch on; the view says since when
//!     '------- 410 -------|----------------------'                             it is old
//!                         '--> readers: a consistent look, and a signal when it changes
//! ```
//! Objects may be whole or, as `PartialObjectMeta<K>`, their metadata alone.

mod follow;
mod view;

use std::fmt::Debug;
use std::time::Duration;

use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::view::{Freshness, Key, View};
use crate::cluster::client::Patience;

/// Which objects are watched; all of the [`Api`]'s without a selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// As `kubectl -l` takes it.
    pub labels: Option<String>,
    /// As `kubectl --field-selector` takes it.
    pub fields: Option<String>,
}

impl Scope {
    /// The one object of this name. A role that names it allows it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { fields: Some(format!("metadata.name={name}")), labels: None }
    }

    /// Objects with these labels.
    #[must_use]
    pub fn labelled(labels: impl Into<String>) -> Self {
        Self { labels: Some(labels.into()), fields: None }
    }
}

/// How often the server is asked, and when it is given up on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// After so long the server ends a watch, in whole seconds; the next one goes on where it ended.
    pub server: Duration,
    /// So much later a watch that the server has not ended is dead.
    pub grace: Duration,
    /// Between two tries.
    pub patience: Patience,
}

impl Default for Timing {
    fn default() -> Self {
        Self { server: Duration::from_secs(30), grace: Duration::from_secs(5), patience: Patience::default() }
    }
}

/// What a watch knows. Cheap to clone; every clone has its own signal.
#[derive(Debug)]
pub struct Watched<K> {
    view: watch::Receiver<View<K>>,
}

impl<K> Clone for Watched<K> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone() }
    }
}

impl<K> Watched<K> {
    /// Looks at the objects as they are at one moment. The watch waits meanwhile: take what you need and go.
    pub fn look<R>(&self, look: impl FnOnce(&View<K>) -> R) -> R {
        look(&self.view.borrow())
    }

    /// As [`Self::look`]; what is seen is no news to [`Self::changed`] any more.
    pub fn look_and_note<R>(&mut self, look: impl FnOnce(&View<K>) -> R) -> R {
        look(&self.view.borrow_and_update())
    }

    /// Waits for news: of an object, or of whether the view is current. False when the watch has ended.
    pub async fn changed(&mut self) -> bool {
        self.view.changed().await.is_ok()
    }

    /// Waits until the view was complete once. False when the watch ended before.
    pub async fn ready(&self) -> bool {
        self.view.clone().wait_for(View::is_complete).await.is_ok()
    }
}

/// Starts a watch. It ends with `stop`.
pub fn spawn<K>(api: Api<K>, scope: Scope, stop: CancellationToken) -> (Watched<K>, JoinHandle<()>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    spawn_with(api, scope, Timing::default(), stop)
}

/// [`spawn`] that keeps of each object what `trim` leaves of it: memory is for what is read.
pub fn spawn_trimmed<K>(
    api: Api<K>,
    scope: Scope,
    trim: fn(&mut K),
    stop: CancellationToken,
) -> (Watched<K>, JoinHandle<()>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    start(api, scope, Timing::default(), trim, stop)
}

/// [`spawn`] with other times.
pub fn spawn_with<K>(api: Api<K>, scope: Scope, timing: Timing, stop: CancellationToken) -> (Watched<K>, JoinHandle<()>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    start(api, scope, timing, |_| {}, stop)
}

fn start<K>(
    api: Api<K>,
    scope: Scope,
    timing: Timing,
    trim: fn(&mut K),
    stop: CancellationToken,
) -> (Watched<K>, JoinHandle<()>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let (publish, view) = watch::channel(View::new());
    let following = follow::Following::new(api, scope, timing, trim, publish);
    let task = tokio::spawn(async move {
        // It never ends by itself.
        let _ = stop.run_until_cancelled(following.run()).await;
    });
    (Watched { view }, task)
}

#[cfg(test)]
mod tests;
