//! Whose request it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, header};

use super::caller::{Caller, Who};
use super::{Access, FromHere, proxies, text};
use crate::access::{Record, Refusal, Token};
use crate::flags::now;
use crate::http::problem::Refused;
use crate::http::serve::Peer;

/// Characters of a person's name.
const PERSON: usize = 200;
/// When to come back while tokens were not read.
const LATER: Duration = Duration::from_secs(2);
/// What OFREP's clients may use instead of `Authorization`.
const API_KEY: &str = "x-api-key";

impl Access {
    pub(super) fn identify(
        &self,
        request: &Request,
        peer: Peer,
        address: Option<IpAddr>,
        path: Option<&str>,
    ) -> Result<Caller, Refused> {
        let headers = request.headers();
        let person = self.person(headers)?;
        let caller = |who| Caller::new(who, address, person.clone());
        if let Peer::Local(uid) = peer {
            return Ok(caller(Who::Operator(self.users.name(uid))));
        }
        let given = credentials(headers).filter(|word| Token::is_meant(word)).map(|word| self.admitted(word));
        if let Some(Ok(record)) = given {
            return Ok(caller(Who::Token(record)));
        }
        let from_here = if is_here(peer, headers) { self.settings.from_here } else { FromHere::Token };
        if from_here == FromHere::AnyToken {
            return Ok(caller(Who::Here));
        }
        // One that is wrong is not overlooked: who sends one means it.
        match given {
            Some(Err(Refusal::NotRead)) => return Err(Refused::not_read(LATER)),
            Some(Err(refusal)) => return Err(self.rejected(address, Some(refusal))),
            Some(Ok(_)) | None => {}
        }
        if from_here == FromHere::Nothing {
            return Ok(caller(Who::Here));
        }
        let is_legacy = |path: &str| self.settings.legacy.iter().any(|legacy| legacy.is(method(request), path));
        if path.is_some_and(is_legacy) {
            self.counters.legacy.add();
            return Ok(caller(Who::Anybody));
        }
        Err(self.rejected(address, None))
    }

    fn admitted(&self, word: &str) -> Result<Arc<Record>, Refusal> {
        let token = word.parse::<Token>().map_err(|_| Refusal::Unknown)?;
        self.settings.tokens.borrow().admit(&token, now())
    }

    /// Whoever fails often is told to wait: guessing is hopeless, and the log and the processor are not theirs.
    fn rejected(&self, address: Option<IpAddr>, refusal: Option<Refusal>) -> Refused {
        self.counters.unauthenticated.add();
        match address.map(|address| self.rates.failure(address)) {
            Some(Err(wait)) => self.limited(wait),
            _ => Refused::unauthenticated(refusal),
        }
    }

    fn person(&self, headers: &HeaderMap) -> Result<Option<String>, Refused> {
        let Some(person) = text(headers.get(&self.settings.person_header)) else { return Ok(None) };
        if person.chars().count() > PERSON {
            let name = &self.settings.person_header;
            return Err(Refused::malformed(format!("the header {name} is longer than {PERSON} characters")));
        }
        Ok(Some(person.trim().to_owned()).filter(|person| !person.is_empty()))
    }
}

/// Whether it was made on this machine. What a proxy here hands on was not, whether it is trusted or not: it comes from anywhere.
fn is_here(peer: Peer, headers: &HeaderMap) -> bool {
    matches!(peer, Peer::Address(connection) if connection.is_loopback()) && !headers.contains_key(proxies::FORWARDED)
}

/// `HEAD` is `GET` without a body.
fn method(request: &Request) -> &str {
    let method = request.method().as_str();
    if method == "HEAD" { "GET" } else { method }
}

/// The word after `Bearer`, or the API key.
fn credentials(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers.get(header::AUTHORIZATION)).and_then(|value| {
        let (scheme, word) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| word.trim())
    });
    bearer.or_else(|| text(headers.get(API_KEY)).map(str::trim))
}
