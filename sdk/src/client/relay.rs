//! For who hands flags on: hears every document, sends the counts of others, and asks about what others know.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::core::{Outcome, Revision};
use super::error::ClientError;
use super::http::Service;
use super::shared::Asked;
use super::{Client, fetch, report};
use crate::model::Document;

type Listener = Box<dyn FnMut(&Document, Outcome) + Send>;

/// Hears each document that was taken over.
#[derive(Clone)]
pub(super) struct Tap(Arc<Mutex<Listener>>);

impl Tap {
    pub(super) fn new(listener: impl FnMut(&Document, Outcome) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(listener))))
    }

    /// Held while a document is taken over, so that it is heard before the next one is.
    pub(super) fn lock(&self) -> MutexGuard<'_, Listener> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap(..)")
    }
}

impl Client {
    /// Sends counts that others took, as `POST .../exposures` wants them (docs/flag-service.md). Under the same id they may be sent
    /// again when the answer was lost.
    ///
    /// # Errors
    /// When the service did not say that it has them.
    pub async fn forward(&self, report: Vec<u8>) -> Result<(), ClientError> {
        report::post(self.service()?, report).await
    }

    /// Somebody else knows this of the service: asks it, and takes what it has when that is something else. A service that knows
    /// less finds out that its database was restored.
    ///
    /// # Errors
    /// When the service cannot be asked, or what it sent cannot be taken, or is older than what is here.
    pub async fn ask_about(&self, known: &Revision) -> Result<(), ClientError> {
        let text = format!("\"{}:{}\"", known.instance.as_deref().unwrap_or_default(), known.revision);
        let mut tag = text.try_into().ok();
        fetch::attempt(&self.shared, self.service()?, &mut tag, Asked::Aside).await.map(drop)
    }

    fn service(&self) -> Result<&Service, ClientError> {
        self.service.as_deref().ok_or_else(|| ClientError::Stopped("there is no service to ask".into()))
    }
}
