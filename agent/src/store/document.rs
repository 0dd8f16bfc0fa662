//! The document behind one door, wherever it is kept: written over what was seen last, or not at all.

use std::future::Future;

use teal_rollout::document::Document;

use super::{Sqlite, StoreError};

/// What came of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    /// It is there, now or already.
    Stored,
    /// Somebody else wrote meanwhile; this is there instead.
    Met(Box<Document>),
}

/// Where the document is that counts.
pub trait Documents: Send + 'static {
    /// Writes `document` over what is known to be there. The same one may be written again.
    ///
    /// # Errors
    /// [`StoreError`]: it may be written all the same. The next call finds out.
    fn put(&mut self, document: &Document) -> impl Future<Output = Result<Put, StoreError>> + Send;

    /// Waits for a document of somebody else. May be dropped at any time.
    fn news(&mut self) -> impl Future<Output = Document> + Send;

    /// Whether SQLite holds a copy only.
    fn has_copy(&self) -> bool;
}

/// Values whose writes were never answered: what stands there may be one of them, and then it is our own.
#[derive(Debug)]
pub(super) struct Unsure<T>(Vec<T>);

impl<T> Default for Unsure<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq + Clone> Unsure<T> {
    /// More are not tried between two answers.
    const MOST: usize = 16;

    pub(super) fn add(&mut self, value: &T) {
        if !self.holds(value) {
            self.0.truncate(Self::MOST - 1);
            self.0.insert(0, value.clone());
        }
    }

    pub(super) fn holds(&self, value: &T) -> bool {
        self.0.contains(value)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The document in SQLite, where one agent alone is.
#[derive(Debug)]
pub struct InSqlite {
    store: Sqlite,
    environment: String,
    /// The revision that is there.
    stored: u64,
    unsure: Unsure<Document>,
}

impl InSqlite {
    /// Over the document of revision `stored`; 0 for none.
    #[must_use]
    pub fn new(store: Sqlite, environment: String, stored: u64) -> Self {
        Self { store, environment, stored, unsure: Unsure::default() }
    }
}

impl Documents for InSqlite {
    async fn put(&mut self, document: &Document) -> Result<Put, StoreError> {
        loop {
            // Before it is asked for: whoever waits may give up on the answer.
            self.unsure.add(document);
            match self.store.put_document(&self.environment, self.stored, document).await {
                Ok(()) => {
                    self.stored = document.revision;
                    self.unsure.clear();
                    return Ok(Put::Stored);
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
            let found = self.store.document(&self.environment).await?;
            let revision = found.as_ref().map_or(0, |found| found.revision);
            self.stored = revision;
            match found {
                Some(found) if found == *document => return Ok(Put::Stored),
                // Unless a try that timed out was written after all.
                Some(found) if !self.unsure.holds(&found) => return Ok(Put::Met(Box::new(found))),
                _ => {}
            }
        }
    }

    async fn news(&mut self) -> Document {
        // The lock of the state folder keeps everybody else away.
        std::future::pending().await
    }

    fn has_copy(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
