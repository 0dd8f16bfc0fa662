//! Where the service is: its base address, checked once.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;

use super::error::ClientError;

/// All paths of the service stand below this.
const PREFIX: &str = "api/v1/feature-flags";

/// The service's base address.
#[derive(Clone, Debug)]
pub(super) struct Address {
    base: Url,
}

impl Address {
    /// `https://HOST[:PORT][/PREFIX]`; `http` to this machine only, unless it is allowed.
    ///
    /// # Errors
    /// When it is no such address.
    pub(super) fn parse(text: &str, plain_http: bool) -> Result<Self, ClientError> {
        let wrong =
            |address: &str, problem: &str| ClientError::Address { address: address.into(), problem: problem.into() };
        let form = "write it as https://HOST, with a port and a path where needed";
        let mut base = Url::parse(text).map_err(|error| wrong("(unreadable)", &format!("{error}; {form}")))?;
        let said = base.host_str().unwrap_or_default().to_owned();
        if !matches!(base.scheme(), "http" | "https") || said.is_empty() {
            return Err(wrong(&said, form));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong(
                &said,
                "carries a name or password; put the token into a file and name it with token_file()",
            ));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong(&said, "has a query or fragment; leave it away"));
        }
        if base.scheme() == "http" && !plain_http && !is_loopback(&said) {
            return Err(ClientError::PlainHttp { host: said });
        }
        let path = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Ok(Self { base })
    }

    /// The address of a resource, as in `stream`, for an environment.
    pub(super) fn of(&self, resource: &str, environment: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{PREFIX}/{resource}", self.base.path()));
        if let Some(environment) = environment {
            url.query_pairs_mut().append_pair("environment", environment);
        }
        url
    }

    /// Whether TLS is used.
    pub(super) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether it is this machine: no proxy is asked.
    pub(super) fn is_loopback(&self) -> bool {
        self.base.host_str().is_some_and(is_loopback)
    }
}

/// Where the service is to be had: at least one address, of which one is asked at a time.
#[derive(Debug)]
pub(super) struct Addresses {
    all: Vec<Address>,
    at: AtomicUsize,
}

impl Addresses {
    /// `None` when there are none.
    pub(super) fn new(all: Vec<Address>) -> Option<Self> {
        (!all.is_empty()).then_some(Self { all, at: AtomicUsize::new(0) })
    }

    /// The one to ask, and which it is.
    pub(super) fn current(&self) -> (usize, &Address) {
        let at = self.at.load(Ordering::Relaxed);
        (at, &self.all[at])
    }

    /// That one does not answer as it should: the next is asked from now on.
    pub(super) fn turn(&self) {
        self.at.store((self.current().0 + 1) % self.all.len(), Ordering::Relaxed);
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, plain_http: bool, expected: Result<&str, &str>) {
        let found = Address::parse(text, plain_http);
        let found =
            found.map(|address| address.of("stream", Some("prod & eu")).to_string()).map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
            _ => panic!("{text}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn addresses_are_taken_or_refused_with_the_way_out() {
        let path = "/api/v1/feature-flags/stream?environment=prod+%26+eu";
        check("https://flags.internal", false, Ok(&format!("https://flags.internal{path}")));
        check("https://flags.internal:8443/", false, Ok(&format!("https://flags.internal:8443{path}")));
        check("https://x.example/teal/", false, Ok(&format!("https://x.example/teal{path}")));
        check("http://localhost:8090", false, Ok(&format!("http://localhost:8090{path}")));
        check("http://127.0.0.1:8090", false, Ok(&format!("http://127.0.0.1:8090{path}")));
        check("http://[::1]:8090", false, Ok(&format!("http://[::1]:8090{path}")));
        check("http://flags.internal", true, Ok(&format!("http://flags.internal{path}")));
        check("http://flags.internal", false, Err("allow_plain_http()"));
        check("http://localhost.evil.example", false, Err("in clear"));
        check("ftp://flags.internal", false, Err("write it as https://HOST"));
        check("flags.internal", false, Err("write it as https://HOST"));
        check("", false, Err("write it as https://HOST"));
        check("https://ops:secret@flags.internal", false, Err("token_file()"));
        check("https://flags.internal?x=1", false, Err("query"));
    }

    #[test]
    fn an_error_does_not_repeat_a_password() {
        for text in ["https://ops:secret@x.example", "https://ops:secret@"] {
            assert!(!format!("{:?}", Address::parse(text, false)).contains("secret"));
        }
    }
}
