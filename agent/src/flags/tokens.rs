//! Keeps the service's tokens: one task changes them, and publishes all of them to the doors, which ask nobody else.
//!
//! ```text
//! create, revoke --> keeper: one transaction --> Directory --watch--> doors, streams
//! other agents' --looked for twice a second--^   |
//! uses, by the doors, in memory ---------------- '--each minute--> database
//! ```
//! While the database is away, what was read last counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use teal_flags::model::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::error::FlagsError;
use super::now;
use super::store::{Author, Mark, Store, TokenAudit};
use crate::access::{Digest, Directory, FirstToken, Record, Roles, Token, TokenId, Used};

/// Between two looks at tokens that other agents may change: what they revoke ends here within a second.
const LOOK: Duration = Duration::from_millis(500);
/// Between two notes of when tokens were used.
const NOTE: Duration = Duration::from_secs(60);
/// Orders that may wait.
const WAITING: usize = 16;

/// What a new token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// At least one.
    pub roles: Roles,
    /// Empty: all.
    pub environments: Vec<String>,
    /// Until when; `None`: until it is revoked.
    pub expires: Option<Timestamp>,
    /// Whether it may name the person whom it acts for.
    pub may_name_people: bool,
}

/// The tokens of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens {
    store: Store,
    orders: mpsc::Sender<Order>,
    directory: watch::Receiver<Arc<Directory>>,
}

#[derive(Debug)]
enum Order {
    Add { record: Record, author: Author, reply: oneshot::Sender<Result<(), FlagsError>> },
    Revoke { token: String, author: Author, reply: oneshot::Sender<Result<TokenId, FlagsError>> },
}

impl Tokens {
    /// Starts the keeper; it ends with `stop`. Returns once the tokens were read, or cannot be for now.
    pub(super) async fn start(
        store: Store,
        first: Option<FirstToken>,
        stop: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (sender, directory) = watch::channel(Arc::<Directory>::default());
        let (orders, ordered) = mpsc::channel(WAITING);
        let mut keeper =
            Keeper { store: store.clone(), first, sender, mark: None, noted: HashMap::new(), is_away: false };
        keeper.look().await;
        let task = tokio::spawn(keeper.run(ordered, stop));
        (Self { store, orders, directory }, task)
    }

    /// All of them, as they are and come to be.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Directory>> {
        self.directory.clone()
    }

    /// All of them, as they are.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.borrow().clone()
    }

    /// Makes a token. Only here its secret is known.
    ///
    /// # Errors
    /// [`FlagsError::TokenExists`], and whatever keeps it from being stored.
    pub async fn create(&self, new: NewToken, author: Author) -> Result<(Token, Arc<Record>), FlagsError> {
        let token = Token::random().ok_or(FlagsError::NoRandom)?;
        let record = record(&token, token.digest(), new);
        self.order(|reply| Order::Add { record: record.clone(), author, reply }).await??;
        Ok((token, Arc::new(record)))
    }

    /// Revokes a token by its id or name. When this returns, nobody comes in by it here.
    ///
    /// # Errors
    /// [`FlagsError::UnknownToken`], and whatever keeps it from being stored.
    pub async fn revoke(&self, token: &str, author: Author) -> Result<Arc<Record>, FlagsError> {
        let id = self.order(|reply| Order::Revoke { token: token.to_owned(), author, reply }).await??;
        let known = self.directory().get(&id).cloned();
        known.ok_or_else(|| FlagsError::UnknownToken(token.to_owned()))
    }

    /// Who made and revoked tokens, newest first: at most `limit`, older than entry `before`.
    ///
    /// # Errors
    /// [`FlagsError::Sql`] and [`FlagsError::Away`].
    pub async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<TokenAudit>, FlagsError> {
        self.store.token_audit(before, limit).await
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, FlagsError> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| FlagsError::Stopping)?;
        answer.await.map_err(|_| FlagsError::Stopping)
    }
}

fn record(token: &Token, digest: Digest, new: NewToken) -> Record {
    Record {
        id: token.id().clone(),
        digest,
        name: new.name,
        roles: new.roles,
        environments: new.environments,
        may_name_people: new.may_name_people,
        created: now(),
        expires: new.expires,
        revoked: None,
        used: Used::default(),
    }
}

/// The task's own.
struct Keeper {
    store: Store,
    /// To be adopted when the database is first read.
    first: Option<FirstToken>,
    sender: watch::Sender<Arc<Directory>>,
    mark: Option<Mark>,
    /// Uses that are in the database.
    noted: HashMap<TokenId, Timestamp>,
    is_away: bool,
}

impl Keeper {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        let (mut look, mut note) = (Instant::now() + LOOK, Instant::now() + NOTE);
        loop {
            let must_look = self.store.is_shared() || self.mark.is_none();
            let order = tokio::select! {
                order = orders.recv() => order,
                () = sleep_until(look), if must_look => {
                    self.look().await;
                    look = Instant::now() + LOOK;
                    continue;
                }
                () = sleep_until(note) => {
                    self.note().await;
                    note = Instant::now() + NOTE;
                    continue;
                }
                () = stop.cancelled() => orders.try_recv().ok(),
            };
            let Some(order) = order else { break };
            self.obey(order).await;
        }
        self.note().await;
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Add { record, author, reply } => {
                let added = self.store.add_token(&record, &author, now()).await;
                self.look().await;
                let _ = reply.send(added);
            }
            Order::Revoke { token, author, reply } => {
                let revoked = self.store.revoke_token(&token, &author, now()).await;
                self.look().await;
                let _ = reply.send(revoked);
            }
        }
    }

    /// Publishes what is in the database, where it is another than before.
    async fn look(&mut self) {
        match self.read().await {
            Ok(()) => {
                if std::mem::take(&mut self.is_away) {
                    tracing::info!("the tokens are read again");
                }
            }
            Err(error) if !std::mem::replace(&mut self.is_away, true) => {
                tracing::error!(%error, "the tokens cannot be read: those that were read last count until they can");
            }
            Err(_) => {}
        }
    }

    async fn read(&mut self) -> Result<(), FlagsError> {
        if let Some(first) = &self.first {
            self.store.adopt(first, now()).await?;
            self.first = None;
        }
        let Some((mark, records)) = self.store.tokens(self.mark).await? else { return Ok(()) };
        let known = self.sender.borrow().clone();
        let records = records.into_iter().map(|record| {
            let Some(before) = known.get(&record.id) else { return record };
            // What the doors noted since is kept.
            if let Some(last) = record.used.last() {
                before.used.note(last);
            }
            Record { used: before.used.clone(), ..record }
        });
        self.sender.send_replace(Arc::new(Directory::new(records)));
        self.mark = Some(mark);
        Ok(())
    }

    /// Stores when tokens were used.
    async fn note(&mut self) {
        let directory = self.sender.borrow().clone();
        let uses = directory.iter().filter_map(|record| Some((record.id.clone(), record.used.last()?)));
        let mut uses: Vec<_> = uses.filter(|(id, at)| self.noted.get(id).is_none_or(|noted| noted < at)).collect();
        // In order: two agents that note the same ones must not wait for each other in a circle.
        uses.sort_unstable_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        if uses.is_empty() {
            return;
        }
        match self.store.note_uses(&uses).await {
            Ok(()) => self.noted.extend(uses),
            // The next minute says the same.
            Err(error) => tracing::debug!(%error, "when tokens were used was not stored"),
        }
    }
}
