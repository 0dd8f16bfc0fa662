//! `upstream` and what belongs to it in `[flags]`: which service a relay follows.

use std::net::IpAddr;
use std::time::Duration;

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
        if let Some(problem) = problem(address) {
            section.error("upstream", problem);
        }
    }
    if upstream.report_every < LEAST_REPORT {
        section.error("upstream_report_every", "this must be at least 100ms");
    }
    section.has("upstream").then_some(upstream)
}

/// Why an address cannot be used. What may be a password is not repeated.
fn problem(address: &str) -> Option<String> {
    let form = "write it as https://HOST, with a port and a path where needed";
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) if !rest.is_empty() => (scheme, rest),
        _ => return Some(format!("this is no address: {form}")),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some("this carries a name or password: put the token into a file, `upstream_token_file`".to_owned());
    }
    if rest.contains(['?', '#']) || rest.chars().any(char::is_whitespace) {
        return Some(format!("`{scheme}://{authority}` goes on with what an address has not: {form}"));
    }
    let port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = authority.rsplit_once(':').filter(|(_, end)| port(end)).map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (scheme == "http" && !is_here).then(|| {
        format!(
            "flags and token would travel in clear to {host}: use https (`upstream_ca_file` for a private authority)"
        )
    })
}
