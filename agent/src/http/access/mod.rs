//! Who comes through the flags' door: every request is admitted here, or refused, before anything looks at it.
//!
//! ```text
//! request --> whose address (proxies) --> how often (rates) --> whose token (Directory, in memory) --> a page's? (origins)
//!         --> may this role do this here (access::RULES) --> the handler, with a Caller
//! ```
//! Who has no token is somebody only where that was said: on this machine in `--dev`, through the operators' socket, and on the
//! paths of `legacy_anonymous`.

mod caller;
mod counters;
mod identify;
mod origins;
mod proxies;
mod rates;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use tokio::sync::watch;

pub(super) use caller::{Caller, Lease};
pub use counters::Counters;
use origins::Origins;
use rates::Rates;
use users::Users;

use super::problem::Refused;
use super::serve::Peer;
use crate::access::{Directory, LegacyPath, OF_OBSERVERS, RULES, rule};

/// What is asked of who comes from this machine itself, by no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromHere {
    /// A token, as of everybody.
    Token,
    /// Nothing, but a token that is sent must be good: `--dev`.
    Nothing,
    /// Nothing, and tokens that are not known here are the service's: a relay, which changes nothing.
    AnyToken,
}

/// Whom the door lets in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// All tokens, as they are and come to be.
    pub tokens: watch::Receiver<Arc<Directory>>,
    /// Whether who comes from this machine needs a token.
    pub from_here: FromHere,
    /// What everybody may do.
    pub legacy: Vec<LegacyPath>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// What names the person behind a token.
    pub person_header: HeaderName,
    /// Names by which the door is asked, beside this machine's own.
    pub hosts: Vec<String>,
    /// Web applications whose pages may ask, as in `https://app.example`.
    pub origins: Vec<String>,
    /// Requests a second of one token; more are told when to come back.
    pub per_token: u32,
    /// Requests a second of one address.
    pub per_address: u32,
}

/// Admits, or refuses.
#[derive(Debug)]
pub(super) struct Access {
    settings: Settings,
    origins: Origins,
    rates: Rates,
    users: Users,
    counters: Arc<Counters>,
}

impl Access {
    /// For a door that only this machine reaches, or not.
    pub(super) fn new(settings: Settings, is_loopback: bool, counters: Arc<Counters>) -> Self {
        let origins =
            Origins::new(is_loopback, settings.hosts.clone(), settings.origins.clone(), &settings.person_header);
        let rates = Rates::new(settings.per_token, settings.per_address);
        Self { settings, origins, rates, users: Users::default(), counters }
    }

    /// What ends when the caller's token does.
    pub(super) fn lease(&self, caller: &Caller) -> Lease {
        caller.lease(self.settings.tokens.clone())
    }
}

/// Everything that stands before a handler.
pub(super) async fn admit(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    // Where nobody said from where it comes, it is nobody's.
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        access.counters.unauthenticated.add();
        return Refused::unauthenticated(None).into_response();
    };
    if let Some(answer) = access.origins.preflight(&request) {
        return answer;
    }
    let origin = access.origins.allowed(request.headers());
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let mut response = match access.caller(&request, peer, path) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    if let Some(origin) = origin {
        origins::expose(response.headers_mut(), origin);
    }
    response
}

impl Access {
    /// Who asks for a path of the door's; without one for what is not there.
    fn caller(&self, request: &Request, peer: Peer, path: Option<&str>) -> Result<Caller, Refused> {
        let address = self.address(request, peer);
        if let Some(address) = address {
            self.rates.address(address).map_err(|wait| self.limited(wait))?;
        }
        let caller = self.identify(request, peer, address, path)?;
        if matches!(peer, Peer::Address(_)) {
            let is_known = caller.token().is_some();
            self.origins.check(request.headers(), is_known).map_err(|header| {
                self.counters.strangers.add();
                Refused::stranger(header)
            })?;
        }
        if let Some(token) = caller.token() {
            self.rates.token(token).map_err(|wait| self.limited(wait))?;
        }
        // What is not there is said to whoever may ask for anything.
        let Some(path) = path else { return Ok(caller) };
        self.may(caller, request.method(), path)
    }

    /// Where the request comes from, as far as that is believed.
    fn address(&self, request: &Request, peer: Peer) -> Option<IpAddr> {
        match peer {
            Peer::Address(address) => Some(proxies::origin(address, request.headers(), &self.settings.trusted_proxies)),
            Peer::Local(_) => None,
        }
    }

    /// Whether the caller's roles are enough for this.
    fn may(&self, caller: Caller, method: &Method, path: &str) -> Result<Caller, Refused> {
        match rule(method.as_str(), path) {
            Some(rule) => caller.within(rule.roles).inspect_err(|_| self.counters.forbidden.add()),
            None if *method == Method::OPTIONS => Ok(caller),
            None => Err(methods(path).map_or_else(Refused::unlisted, |allowed| Refused::method(method, &allowed))),
        }
    }

    fn limited(&self, wait: std::time::Duration) -> Refused {
        self.counters.limited.add();
        Refused::too_often(wait)
    }
}

/// The methods of a path, as `Allow` has them; `None`: it has no rule.
fn methods(path: &str) -> Option<String> {
    let ruled = || RULES.iter().chain(OF_OBSERVERS).filter(|rule| rule.path == path).map(|rule| rule.method);
    ruled().next()?;
    let mut names: Vec<&str> = ruled().chain(ruled().any(|method| method == "GET").then_some("HEAD")).collect();
    names.push("OPTIONS");
    names.sort_unstable();
    Some(names.join(", "))
}

/// A header's text, if it can be read as such.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests;
