//! All tokens of a service at one moment, as the doors look them up.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use teal_flags::model::Timestamp;

use super::Role;
use super::role::Roles;
use super::token::{Digest, FirstToken, Token, TokenId};

/// Milliseconds.
const MINUTE: i64 = 60_000;

/// When a token was last used, to the minute. Shared by all copies; written without a lock, and stored from time to time.
#[derive(Clone, Debug, Default)]
pub struct Used(Arc<AtomicI64>);

impl Used {
    /// Last at this moment.
    #[must_use]
    pub fn at(moment: Option<Timestamp>) -> Self {
        Self(Arc::new(AtomicI64::new(moment.map_or(0, Timestamp::millis))))
    }

    /// It is used. Writes once a minute at most.
    pub fn note(&self, now: Timestamp) {
        let minute = now.millis().div_euclid(MINUTE) * MINUTE;
        if self.0.load(Ordering::Relaxed) < minute {
            self.0.fetch_max(minute, Ordering::Relaxed);
        }
    }

    /// The minute of its last use; `None`: never.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        let millis = self.0.load(Ordering::Relaxed);
        (millis > 0).then(|| Timestamp::from_millis(millis))
    }
}

/// What is known of a token.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which one.
    pub id: TokenId,
    /// What its secret is held against.
    pub digest: Digest,
    /// What people call it; stands in the audit log as who made a change.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// Where; empty: everywhere.
    pub environments: Vec<String>,
    /// Whether it may name the person whom it acts for.
    pub may_name_people: bool,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is worth nothing; `None`: until it is revoked.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was last used.
    pub used: Used,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such token, or its secret is another one.
    #[error("the token is not known here")]
    Unknown,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Nobody could look it up yet.
    #[error("tokens were not read yet")]
    NotRead,
}

impl Record {
    /// The one that `teal.toml` brings.
    #[must_use]
    pub fn first(token: &FirstToken, now: Timestamp) -> Self {
        Self {
            id: token.id.clone(),
            digest: token.digest,
            name: "first".to_owned(),
            roles: Roles::of(&[Role::Admin]),
            environments: Vec::new(),
            may_name_people: false,
            created: now,
            expires: None,
            revoked: None,
            used: Used::default(),
        }
    }

    /// Whether it is worth something at this moment.
    ///
    /// # Errors
    /// [`Refusal::Revoked`] and [`Refusal::Expired`].
    pub fn valid(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.revoked.is_some() {
            return Err(Refusal::Revoked);
        }
        if self.expires.is_some_and(|expires| expires <= now) { Err(Refusal::Expired) } else { Ok(()) }
    }
}

/// All tokens at one moment. Does not change. The default is what there is before any were read.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    is_read: bool,
    tokens: HashMap<TokenId, Arc<Record>>,
}

impl Directory {
    /// These tokens.
    #[must_use]
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        Self {
            is_read: true,
            tokens: records.into_iter().map(|record| (record.id.clone(), Arc::new(record))).collect(),
        }
    }

    /// One token.
    #[must_use]
    pub fn get(&self, id: &TokenId) -> Option<&Arc<Record>> {
        self.tokens.get(id)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.tokens.values()
    }

    /// Whose a token is, if it is worth something.
    ///
    /// # Errors
    /// [`Refusal`]. Only who has the secret is told more than that it is not known.
    pub fn admit(&self, token: &Token, now: Timestamp) -> Result<Arc<Record>, Refusal> {
        if !self.is_read {
            return Err(Refusal::NotRead);
        }
        let record = self.tokens.get(token.id());
        // As long as for one that there is.
        let kept = record.map_or(Digest::of_nobody(), |record| record.digest);
        let matches: bool = token.digest().matches(&kept).into();
        let record = record.filter(|_| matches).ok_or(Refusal::Unknown)?;
        record.valid(now)?;
        record.used.note(now);
        Ok(record.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_living_token_with_its_own_secret_is_admitted() {
        let now: Timestamp = "2026-11-28T09:10:11.5Z".parse().unwrap();
        let later = Timestamp::from_millis(now.millis() + 1);
        let token = Token::random().unwrap();
        let record = Record::first(&FirstToken::from(&token), now);
        let check = |record: Record, token: &Token, expected: Result<(), Refusal>| {
            let directory = Directory::new([record]);
            assert_eq!(directory.admit(token, now).map(|_| ()), expected);
        };
        check(record.clone(), &token, Ok(()));
        check(record.clone(), &Token::random().unwrap(), Err(Refusal::Unknown));
        let forged: Token = format!("teal_{}_{}", token.id(), "0".repeat(64)).parse().unwrap();
        check(record.clone(), &forged, Err(Refusal::Unknown));
        check(Record { expires: Some(later), ..record.clone() }, &token, Ok(()));
        check(Record { expires: Some(now), ..record.clone() }, &token, Err(Refusal::Expired));
        check(Record { revoked: Some(now), ..record.clone() }, &token, Err(Refusal::Revoked));
        // Who only guesses is not told that there was one.
        check(Record { revoked: Some(now), ..record }, &forged, Err(Refusal::Unknown));
    }

    #[test]
    fn a_use_is_noted_by_its_minute_and_never_goes_back() {
        let used = Used::default();
        let check = |moment: &str, expected: &str| {
            used.note(moment.parse().unwrap());
            assert_eq!(used.last().unwrap().to_string(), expected, "{moment}");
        };
        assert_eq!(used.last(), None);
        check("2026-11-28T09:10:11.5Z", "2026-11-28T09:10:00Z");
        check("2026-11-28T09:10:59Z", "2026-11-28T09:10:00Z");
        check("2026-11-28T09:11:00Z", "2026-11-28T09:11:00Z");
        check("2026-11-28T09:10:00Z", "2026-11-28T09:11:00Z");
    }
}
