//! How the writer follows a database that is not its alone: by hints, by looking, and by noticing that time went back.

use std::sync::Arc;

use super::error::FlagsError;
use super::seen;
use super::state::{Position, State};
use super::store::{Hint, Loaded};
use super::writer::Writer;

impl Writer {
    /// Looks whether everything is as it is known, and publishes what is not. This is also how the database is found at the start,
    /// and again after it was away.
    pub(super) async fn look(&mut self) -> Result<(), FlagsError> {
        let looked = match self.known.clone() {
            None => self.first().await,
            Some(known) => self.compare(&known).await,
        };
        if looked.is_ok() && self.away.take().is_some() {
            tracing::info!(position = %self.states.borrow().position(), "the flags' database is back");
        }
        let refused = looked.as_ref().err().filter(|error| !error.is_away() && self.store.is_shared());
        let refused = refused.map(ToString::to_string);
        // Each look meets it again: it is said once.
        if let Some(error) = refused.as_ref().filter(|_| refused != self.refused) {
            tracing::error!(error, "the flags' database cannot be used as it is");
        }
        self.refused = refused;
        self.noted(looked)
    }

    async fn compare(&mut self, known: &Loaded) -> Result<(), FlagsError> {
        match self.store.is_same(known).await? {
            Some(true) => Ok(()),
            Some(false) => self.renew(known, "rows were changed by hand").await,
            None => self.catch_up().await,
        }
    }

    /// Brings the schema up to date and reads everything.
    async fn first(&mut self) -> Result<(), FlagsError> {
        self.store.prepare().await?;
        let loaded = self.store.load(None).await?;
        let here = loaded.state.position();
        match seen::read(&self.seen) {
            Some(was) if was.instance != here.instance || was.revision > here.revision => {
                self.renew(&loaded, "the database is another one than before, or older").await
            }
            _ if !loaded.is_whole => self.renew(&loaded, "the table is not as the service left it").await,
            _ => {
                self.publish(loaded);
                Ok(())
            }
        }
    }

    /// Reads what changed since, and publishes it.
    pub(super) async fn catch_up(&mut self) -> Result<(), FlagsError> {
        let known = self.present_or_away()?;
        let loaded = self.store.load(Some(&known)).await?;
        let (was, here) = (known.state.position().clone(), loaded.state.position().clone());
        if !loaded.is_whole {
            self.renew(&loaded, "the table is not as the service left it").await
        } else if self.former.contains(&here.instance) {
            self.renew(&loaded, "the database is an older one").await
        } else if here.instance != was.instance {
            tracing::warn!(position = %here, "the flags are another instance: another agent began it, or another database is in the place");
            self.publish(loaded);
            Ok(())
        } else if here.revision < was.revision {
            self.renew(&loaded, "the database is older than it was").await
        } else {
            self.publish(loaded);
            Ok(())
        }
    }

    fn present_or_away(&self) -> Result<Loaded, FlagsError> {
        self.known.clone().ok_or_else(|| FlagsError::Away("it was not read yet".to_owned()))
    }

    pub(super) async fn hinted(&mut self, hint: Hint) {
        let Some(known) = &self.known else { return };
        let here = known.state.position();
        // What this agent did itself is said to it as well.
        let is_known =
            matches!(&hint, Hint::Said(said) if said.instance == here.instance && said.revision <= here.revision);
        if is_known {
            return;
        }
        // Trouble is met again by the next look.
        let looked = if hint == Hint::Missed { self.look().await } else { self.catch_up().await };
        let _ = self.noted(looked);
    }

    /// Nobody can know more of this instance than there is: then the database is an older one than it was.
    pub(super) async fn heard(&mut self, heard: &Position) {
        let is_later =
            |state: &State| heard.instance == state.position().instance && heard.revision > state.position().revision;
        if self.present().is_err() || !is_later(&self.states.borrow()) {
            return;
        }
        // Another agent may have said it.
        let mut done = if self.store.is_shared() { self.catch_up().await } else { Ok(()) };
        if done.is_ok()
            && is_later(&self.states.borrow())
            && let Some(known) = self.known.clone()
        {
            done = self.renew(&known, "an application knows a later revision").await;
        }
        if let Err(error) = self.noted(done) {
            // It is tried again with the next one who knows.
            tracing::error!(%error, "the flags cannot be made another instance");
        }
    }

    /// Begins another life of the service, from what is in the database.
    async fn renew(&mut self, from: &Loaded, why: &str) -> Result<(), FlagsError> {
        self.store.renew(&from.state.position().instance).await?;
        let loaded = self.store.load(None).await?;
        tracing::warn!(why, position = %loaded.state.position(), "the flags are another instance from now on: they were restored, emptied or changed by hand");
        self.publish(loaded);
        Ok(())
    }

    /// Puts a state in the place of the one before; one that is no news is not told again.
    pub(super) fn publish(&mut self, loaded: Loaded) {
        let state = loaded.state.clone();
        self.known = Some(loaded);
        let was = self.states.borrow().position().clone();
        if was.instance != state.position().instance && !was.instance.is_empty() {
            self.former.push(was.instance.clone());
        }
        if was != *state.position() {
            self.states.send_replace(state);
            self.note();
        }
    }

    /// Writes down how far the service is.
    fn note(&self) {
        if let Err(error) = seen::write(&self.seen, self.states.borrow().position()) {
            tracing::warn!(%error, path = %self.seen.display(), "cannot be written: a restored database is noticed later");
        }
    }
}

impl Loaded {
    /// After one more change.
    pub(super) fn after(&self, revision: u64, changed: super::state::Changed) -> Self {
        let mut prints = self.prints.clone();
        match &changed {
            super::state::Changed::Put(flag) => prints.put(flag, revision),
            super::state::Changed::Deleted { id, .. } => prints.remove(*id),
            super::state::Changed::PutSegment(segment) => prints.put_segment(segment, revision),
            super::state::Changed::DeletedSegment { name } => prints.remove_segment(name),
        }
        Self { state: Arc::new(self.state.after(revision, changed)), prints, is_whole: true }
    }
}
