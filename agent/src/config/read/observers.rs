//! `[observers]`.

use std::net::SocketAddr;

use super::super::observing::Observers;
use super::super::section::Section;
use super::super::types::{Platform, PlatformKind};

/// `taken` are the agent's other doors, by their keys.
pub(super) fn read(section: Section<'_>, platform: &Platform, taken: &[(&str, SocketAddr)]) -> Observers {
    let observers = Observers {
        listen: section.or("listen", SocketAddr::from(([127, 0, 0, 1], 9464))),
        tls_certificate_file: section.optional("tls_certificate_file"),
        tls_key_file: section.optional("tls_key_file"),
        insecure_http: section.or("insecure_http", false),
        tokens: section.required("tokens", "[\"teal_ID:SHA256\"]"),
    };
    if section.has("tokens") && observers.tokens.is_empty() {
        section.error("tokens", "nobody could tell anything: add the digest of a token, or leave [observers] away");
    }
    if platform.kind != PlatformKind::Kubernetes {
        section.error(
            "listen",
            "observers watch Pods: add `kind = \"kubernetes\"` in [platform], or leave [observers] away",
        );
    }
    let listen = observers.listen;
    let is_plain = observers.tls_certificate_file.is_none() && observers.tls_key_file.is_none();
    if is_plain && !listen.ip().is_loopback() {
        if observers.insecure_http {
            let message = "tokens travel in clear: whoever can listen on the way can tell what is not so";
            section.report.warn(&section.place_of("insecure_http"), message);
        } else {
            let message = format!(
                "{listen} can be reached by other machines, and tokens would travel in clear: add `tls_certificate_file` and \
                 `tls_key_file`; `insecure_http = true` where the network itself is encrypted"
            );
            section.error("listen", message);
        }
    }
    match (&observers.tls_certificate_file, &observers.tls_key_file) {
        (Some(_), None) => section.error("tls_certificate_file", "a certificate needs its key: add `tls_key_file`"),
        (None, Some(_)) => section.error("tls_key_file", "a key needs its certificate: add `tls_certificate_file`"),
        _ => {}
    }
    for (key, _) in taken.iter().filter(|(_, address)| *address == listen && listen.port() != 0) {
        section.error("listen", format!("{listen} is `{key}` as well: give the observers another port"));
    }
    section.finish();
    observers
}
