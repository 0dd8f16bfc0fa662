//! Where a flag service is.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::FlagClientError;

/// All paths of the service stand below this.
const PREFIX: &str = "/api/v1/feature-flags";

/// Where a flag service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `http(s)://HOST[:PORT][/PREFIX]`, without the service's own path.
    base: Url,
    /// The operators' unix socket, instead of a connection to the host.
    socket: Option<PathBuf>,
    /// A PEM file with the authorities to trust instead of the system's.
    authority: Option<PathBuf>,
}

impl Address {
    /// An `http://` or `https://` address. The service's own path may be there or not.
    ///
    /// # Errors
    /// [`FlagClientError::Address`].
    pub fn parse(text: &str, authority: Option<PathBuf>) -> Result<Self, FlagClientError> {
        let wrong = |problem: &str| FlagClientError::Address { address: text.to_owned(), problem: problem.to_owned() };
        let form = "write it as https://HOST, with a port and a path where needed";
        let mut base = Url::parse(text).map_err(|error| wrong(&format!("{error}; {form}")))?;
        if !base.username().is_empty() || base.password().is_some() {
            // Not repeated: it is a secret.
            let problem =
                "carries a name or password; put the token into a file and name it with --token-file".to_owned();
            return Err(FlagClientError::Address { address: base.host_str().unwrap_or_default().to_owned(), problem });
        }
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none_or(str::is_empty) {
            return Err(wrong(form));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong(&format!("has a query or fragment; {form}")));
        }
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix(PREFIX).unwrap_or(path).to_owned();
        base.set_path(&path);
        Ok(Self { base, socket: None, authority })
    }

    /// The operators' unix socket.
    ///
    /// # Errors
    /// None; the host that is asked there is this machine.
    pub fn socket(path: impl Into<PathBuf>) -> Result<Self, FlagClientError> {
        Ok(Self { socket: Some(path.into()), ..Self::parse("http://localhost", None)? })
    }

    /// Itself, where neither a token nor a user's id may be sent: where others can read it on the way, and that is not allowed.
    pub(in crate::client) fn exposed(&self, plain_http: bool) -> Option<String> {
        (!plain_http && !self.is_private()).then(|| self.to_string())
    }

    /// Whether what is sent stays on this machine or is encrypted.
    fn is_private(&self) -> bool {
        self.base.scheme() == "https" || self.is_local()
    }

    /// Whether it is this machine: then a proxy of the environment has nothing to do with it.
    pub(super) fn is_local(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    pub(super) fn unix(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    pub(super) fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// The address of a path of segments below the service's own, each escaped.
    pub(in crate::client) fn of(&self, segments: &[&str]) -> Url {
        below(&self.base, PREFIX, segments)
    }

    /// The same beside the service's own paths.
    pub(in crate::client) fn beside(&self, segments: &[&str]) -> Url {
        below(&self.base, "", segments)
    }
}

fn below(base: &Url, prefix: &str, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{prefix}", url.path().trim_end_matches('/')));
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(path) => write!(f, "{}", path.display()),
            None => f.write_str(self.base.as_str().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_once_and_each_segment_is_escaped() {
        let check = |text: &str, shown: &str, flag: &str| {
            let address = Address::parse(text, None).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!(address.of(&["a/b c", "check"]).as_str(), flag, "{text}");
        };
        let escaped = "/api/v1/feature-flags/a%2Fb%20c/check";
        check("http://127.0.0.1:9181", "http://127.0.0.1:9181", &format!("http://127.0.0.1:9181{escaped}"));
        check("https://flags.internal/", "https://flags.internal", &format!("https://flags.internal{escaped}"));
        check("https://x/teal/api/v1/feature-flags/", "https://x/teal", &format!("https://x/teal{escaped}"));
        let socket = Address::socket("/run/teal.sock").unwrap();
        assert_eq!(socket.to_string(), "/run/teal.sock");
        assert_eq!(socket.of(&["x"]).as_str(), "http://localhost/api/v1/feature-flags/x");
    }

    #[test]
    fn what_is_no_address_says_how_one_is_written_and_repeats_no_password() {
        let check = |text: &str, words: &str| {
            let error = Address::parse(text, None).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("s3cret"), "{text}: {error}");
        };
        check("flags.internal:9181", "write it as https://HOST");
        check("9181", "write it as https://HOST");
        check("ftp://flags", "write it as https://HOST");
        check("https://me:s3cret@flags", "--token-file");
        check("https://flags?x=1", "query");
    }

    #[test]
    fn only_what_is_encrypted_or_stays_here_is_private() {
        let check = |text: &str, expected: bool| {
            assert_eq!(Address::parse(text, None).unwrap().is_private(), expected, "{text}");
        };
        check("https://flags.internal", true);
        check("http://localhost:9181", true);
        check("http://[::1]:9181", true);
        check("http://flags.internal", false);
        check("http://127.0.0.1.evil.example", false);
    }
}
