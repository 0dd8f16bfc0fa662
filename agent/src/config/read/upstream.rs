//! `upstream` and what belongs to it in `[flags]`: which service a relay follows.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::config::flags::Upstream;
use crate::config::section::Section;

/// More often would only be load.
const LEAST_REPORT: Duration = Duration::from_millis(100);

/// `None`: the agent is the service itself.
pub(super) fn read(section: &Section<'_>) -> Option<Upstream> {
    let addresses = if section.is_list("upstream") {
        section.or("upstream", Vec::new())
    } else {
        section.optional("upstream").into_iter().collect()
    };
    let upstream = Upstream {
        token_file: section.optional("upstream_token_file"),
        ca_file: section.optional("upstream_ca_file"),
        report_every: section.or("upstream_report_every", Duration::from_secs(60)),
        addresses,
    };
    if section.has("upstream") && upstream.addresses.is_empty() {
        section.error("upstream", "this names no service: write for instance \"https://flags.internal\"");
    }
    for key in ["upstream_token_file", "upstream_ca_file", "upstream_report_every"] {
        if section.has(key) && !section.has("upstream") {
            section.error(key, "this is for a relay: name the service with `upstream`, or leave it away");
        }
    }
    for address in &upstream.addresses {
        if let Some(problem) = problem(address, &Kind::RELAY, false) {
            section.error("upstream", problem);
        }
    }
    if upstream.report_every < LEAST_REPORT {
        section.error("upstream_report_every", "this must be at least 100ms");
    }
    section.has("upstream").then_some(upstream)
}

/// Who goes to an address, for what is said of a wrong one.
pub(super) struct Kind {
    token_file: &'static str,
    ca_file: &'static str,
    carries: &'static str,
}

impl Kind {
    /// A relay, to the flag service.
    const RELAY: Self =
        Self { token_file: "upstream_token_file", ca_file: "upstream_ca_file", carries: "flags and token" };
    /// An observer, to an edge's agent.
    pub(super) const OBSERVER: Self = Self { token_file: "token_file", ca_file: "ca_file", carries: "the token" };
}

/// Why an address cannot be used, read as the client will read it. What may be a password is not repeated.
pub(super) fn problem(address: &str, kind: &Kind, may_be_clear: bool) -> Option<String> {
    let form = "write it as https://HOST, with a port and a path where needed";
    let url = match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => return Some(format!("this is no address: {form}")),
    };
    let Kind { token_file, ca_file, carries } = kind;
    if !url.username().is_empty() || url.password().is_some() {
        return Some(format!("this carries a name or password: put the token into a file, `{token_file}`"));
    }
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    if url.query().is_some() || url.fragment().is_some() {
        return Some(format!("`{scheme}://{host}` goes on with what an address has not: {form}"));
    }
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    (scheme == "http" && !is_here && !may_be_clear)
        .then(|| format!("{carries} would travel in clear to {host}: use https (`{ca_file}` for a private authority)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_refused_as_the_client_would() {
        let check = |address: &str, expected: Option<&str>| {
            let found = problem(address, &Kind::RELAY, false);
            assert!(!found.as_ref().is_some_and(|found| found.contains("5ec7e7")), "{found:?}");
            let is_expected = match expected {
                Some(words) => found.as_ref().is_some_and(|found| found.contains(words)),
                None => found.is_none(),
            };
            assert!(is_expected, "{address}: {found:?}");
        };
        for address in ["https://flags.internal", "HTTPS://flags.internal:9443/teal/", "http://127.0.0.1:9181"] {
            check(address, None);
        }
        check("http://[::1]:9181", None);
        check("http://LOCALHOST", None);
        for address in [
            "",
            "flags.internal",
            "ftp://flags.internal",
            "https://",
            "https://:9443",
            "https://a:b",
            "https://a:99999",
        ] {
            check(address, Some("this is no address: write it as https://HOST"));
        }
        check("https://teal:5ec7e7@flags.internal", Some("`upstream_token_file`"));
        check("https://5ec7e7@flags.internal", Some("`upstream_token_file`"));
        check("https://flags.internal?token=5ec7e7", Some("`https://flags.internal` goes on"));
        check("https://flags.internal/#5ec7e7", Some("`https://flags.internal` goes on"));
        check("http://flags.internal", Some("in clear to flags.internal"));
        // What only looks like this machine is read as the client does.
        check("http://127.0.0.1.example", Some("in clear to 127.0.0.1.example"));
        check("http:\\\\flags.internal\\127.0.0.1", Some("in clear to flags.internal"));
    }
}
