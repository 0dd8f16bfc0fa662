//! The typed client of the flag service: REST over HTTP, or over the operators' unix socket.
//!
//! ```text
//! FlagClient --door--> https://flags.internal      token, own authority
//!                \---> unix socket                 whoever may open it may change flags
//! ```
//! What a neighbouring version of the service says is read as far as it is understood ([`answer`]).

mod address;
mod answer;
mod door;
mod error;
mod token;

use http::Method;
use serde_json::{Value, json};
use teal_flags::model::{Document, Flag};

pub use address::Address;
pub use answer::{Audit, Checked, Fetched, Listing, Stale, StaleFlag};
pub(super) use door::{http, read};
pub use error::FlagClientError;
pub use token::Token;

use answer::{Entries, Page};
use door::{Ask, Door, IMPORT, Said};

/// Flags in one answer; the service gives no more.
const PAGE: usize = 1_000;

/// What is not for others to read, beside a token.
pub(super) const USERS: &str = "the users' ids";

/// How often a list is begun again that changed while it was read; then it is taken as it is.
const RESTARTS: u32 = 3;

/// A question to `check`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// Who; `None`: somebody unknown.
    pub user: Option<String>,
    /// Where; `None`: flags that are meant for some environments are off.
    pub environment: Option<String>,
    /// What is known of them.
    pub attributes: serde_json::Map<String, Value>,
}

/// Talks to one flag service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FlagClient {
    door: Door,
    /// Where others could read on the way who is asked for, so that nobody is named there.
    exposed: Option<String>,
}

impl FlagClient {
    /// A client. Nothing is opened yet.
    ///
    /// # Errors
    /// [`FlagClientError::Trust`], and [`FlagClientError::Exposed`] unless that is allowed.
    pub fn new(address: Address, token: Option<Token>, by: &str, plain_http: bool) -> Result<Self, FlagClientError> {
        let exposed = address.exposed(plain_http);
        if let Some(at) = exposed.clone().filter(|_| token.is_some()) {
            return Err(FlagClientError::Exposed { what: "the token", at });
        }
        Ok(Self { door: Door::new(address, token, by)?, exposed })
    }

    /// Where it calls, as people write it.
    #[must_use]
    pub fn at(&self) -> String {
        self.door.at()
    }

    /// All flags, by id. Those that this version cannot read are named in [`Document::unreadable`].
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn list(&self) -> Result<Listing, FlagClientError> {
        let (mut listing, mut restarts) = (Listing::default(), 0);
        loop {
            let query = [("limit", PAGE.to_string()), ("offset", listing.json.len().to_string())];
            let page: Page = self.door.ask(Ask::get(&[]).query(&query)).await?.json()?;
            if !listing.json.is_empty() && page.revision != listing.revision && restarts < RESTARTS {
                // Something was changed between two pages: one may have slipped through.
                (listing, restarts) = (Listing::default(), restarts + 1);
                continue;
            }
            listing.revision = page.revision;
            let is_last = page.flags.is_empty() || listing.json.len() + page.flags.len() >= page.total;
            listing.json.extend(page.flags);
            if is_last {
                break;
            }
        }
        let document = Document::from_value(json!({ "flags": listing.json }));
        listing.document = document.map_err(|error| self.door.garbled(&error, b""))?;
        Ok(listing)
    }

    /// One flag, by name or number.
    ///
    /// # Errors
    /// The service does not answer, or has no such flag.
    pub async fn flag(&self, flag: &str) -> Result<Fetched, FlagClientError> {
        let said = self.door.ask(Ask::get(&[flag])).await?;
        self.fetched(&said)
    }

    /// A new flag of these fields.
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn create(&self, fields: &Value, reason: &str) -> Result<Fetched, FlagClientError> {
        let said = self.door.ask(Ask::new(Method::POST, &[]).body(with_reason(fields, reason))).await?;
        self.fetched(&said)
    }

    /// Changes fields (RFC 7396: null puts one back); with a tag only if the flag is still that one.
    ///
    /// # Errors
    /// The service does not answer or refuses; [`FlagClientError::is_stale`] when the tag is not the flag's any more.
    pub async fn patch(
        &self,
        flag: &str,
        fields: &Value,
        reason: &str,
        only_if: Option<&str>,
    ) -> Result<Fetched, FlagClientError> {
        let body = with_reason(fields, reason);
        let said = self.door.ask(Ask::new(Method::PATCH, &[flag]).body(body).only_if(only_if)).await?;
        self.fetched(&said)
    }

    /// Deletes a flag; with a tag only if it is still that one.
    ///
    /// # Errors
    /// As [`FlagClient::patch`].
    pub async fn delete(&self, flag: &str, reason: &str, only_if: Option<&str>) -> Result<(), FlagClientError> {
        let query = [("reason", reason.to_owned())];
        self.door.ask(Ask::new(Method::DELETE, &[flag]).query(&query).only_if(only_if)).await?;
        Ok(())
    }

    /// Who changed a flag, newest first: at most `limit`, older than entry `before`. Also of a deleted one.
    ///
    /// # Errors
    /// The service does not answer, or there never was such a flag.
    pub async fn audit(&self, flag: &str, before: Option<i64>, limit: usize) -> Result<Vec<Audit>, FlagClientError> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(before.map(|id| ("before", id.to_string())));
        let entries: Entries = self.door.ask(Ask::get(&[flag, "audit-log"]).query(&query)).await?.json()?;
        Ok(entries.entries)
    }

    /// What a flag answers. The question goes as a body, so that no id is in a proxy's log of addresses.
    ///
    /// # Errors
    /// The service does not answer, or has no such flag; [`FlagClientError::Exposed`] where somebody is named, unless that is allowed.
    pub async fn check(&self, flag: &str, question: &Question) -> Result<Checked, FlagClientError> {
        let Question { user, environment, attributes } = question;
        let names_somebody = user.is_some() || !attributes.is_empty();
        if let Some(at) = self.exposed.clone().filter(|_| names_somebody) {
            return Err(FlagClientError::Exposed { what: USERS, at });
        }
        let body = json!({"user_id": user, "environment": environment, "attributes": attributes});
        self.door.ask(Ask::new(Method::POST, &[flag, "check"]).body(body)).await?.json()
    }

    /// Everything that is evaluated, flags and segments, at one revision.
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn snapshot(&self) -> Result<Document, FlagClientError> {
        let said = self.door.ask(Ask::get(&["snapshot"])).await?;
        Document::from_json(&said.body).map_err(|error| self.door.garbled(&error, &said.body))
    }

    /// Flags and history of another application, all of it or nothing; says what was done.
    ///
    /// # Errors
    /// The service does not answer, or other flags are in the way.
    pub async fn import(&self, fields: &Value, reason: &str) -> Result<Value, FlagClientError> {
        let ask = Ask::new(Method::POST, &["import"]).body(with_reason(fields, reason)).patience(IMPORT);
        self.door.ask(ask).await?.json()
    }

    /// Flags that were the same for all, or not asked for, for so many days.
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn stale(&self, days: u32) -> Result<Stale, FlagClientError> {
        self.door.ask(Ask::get(&["stale"]).query(&[("days", days.to_string())])).await?.json()
    }

    /// One segment, and its entity tag.
    ///
    /// # Errors
    /// The service does not answer, or has no such segment.
    pub async fn segment(&self, segment: &str) -> Result<(Value, Option<String>), FlagClientError> {
        let said = self.door.ask(Ask::get(&["segments", segment])).await?;
        Ok((said.json()?, said.tag))
    }

    /// A new segment of these fields.
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn create_segment(&self, fields: &Value, reason: &str) -> Result<(), FlagClientError> {
        self.door.ask(Ask::new(Method::POST, &["segments"]).body(with_reason(fields, reason))).await?;
        Ok(())
    }

    /// Changes a segment's fields, as [`FlagClient::patch`].
    ///
    /// # Errors
    /// As [`FlagClient::patch`].
    pub async fn patch_segment(
        &self,
        segment: &str,
        fields: &Value,
        reason: &str,
        only_if: Option<&str>,
    ) -> Result<(), FlagClientError> {
        let body = with_reason(fields, reason);
        self.door.ask(Ask::new(Method::PATCH, &["segments", segment]).body(body).only_if(only_if)).await?;
        Ok(())
    }

    fn fetched(&self, said: &Said) -> Result<Fetched, FlagClientError> {
        let json: Value = said.json()?;
        let flag = Flag::from_value(json.clone()).map_err(|error| self.door.garbled(&error, &said.body))?;
        Ok(Fetched { flag, json, tag: said.tag.clone() })
    }
}

/// The reason stands beside a flag's own fields.
fn with_reason(fields: &Value, reason: &str) -> Value {
    let mut body = fields.clone();
    if let Some(fields) = body.as_object_mut().filter(|_| !reason.is_empty()) {
        fields.insert("reason".to_owned(), reason.into());
    }
    body
}

#[cfg(test)]
mod tests;
