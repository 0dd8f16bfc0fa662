//! Names that may have been meant, and environments that nobody knows.

use std::collections::BTreeSet;

use super::target::Service;
use super::warn;
use crate::cli::CliError;
use crate::client::flags::{Fetched, FlagClientError, Listing};

/// How like two names must be (Jaro-Winkler) for one to be taken for the other.
const ALIKE: f64 = 0.8;

/// The flag of this name or number; of an unknown one, what it may have been.
pub(super) async fn flag(service: &Service, name: &str) -> Result<Fetched, CliError> {
    match service.client.flag(name).await {
        Ok(fetched) => Ok(fetched),
        Err(error) => Err(unknown(service, name, error).await),
    }
}

/// The error, with names that are like the one that is not there.
pub(super) async fn unknown(service: &Service, name: &str, error: FlagClientError) -> CliError {
    if !error.is_unknown() {
        return error.into();
    }
    let missing = CliError::usage(format!("there is no flag `{name}`"));
    let Ok(listing) = service.client.list().await else { return missing };
    let names = listing.document.flags.iter().map(|flag| flag.name.as_str());
    match nearest(name, names) {
        Some(near) => missing.hint(format!("did you mean {near}?")),
        None => missing.hint("teal flags list   shows all of them"),
    }
}

/// The name that is most like this one, if any is.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let scored = names.map(|other| {
        let part = if name.len() >= 4 && other.contains(&name) { ALIKE } else { 0.0 };
        (strsim::jaro_winkler(&name, other).max(part), other)
    });
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, other)| other)
}

/// Warns of an environment that neither a flag nor the configuration names.
pub(super) fn environments(service: &Service, listing: &Listing, named: &[String]) {
    let of_flags = listing.document.flags.iter().flat_map(|flag| &flag.environments);
    let known: BTreeSet<&str> = of_flags.chain(&service.environments).map(String::as_str).collect();
    for name in named.iter().filter(|name| !known.contains(name.as_str())) {
        if known.is_empty() {
            continue;
        }
        let near = nearest(name, known.iter().copied()).map_or_else(
            || format!("known are {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near}?"),
        );
        warn(&format!("no other flag and no configuration names the environment `{name}`: {near}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_one_that_is_like_it() {
        let check = |name: &str, expected: Option<&str>| {
            let names = ["telehealth", "billing_integration", "mobile_app_sync"];
            assert_eq!(nearest(name, names.into_iter()), expected, "{name}");
        };
        check("telehelth", Some("telehealth"));
        check("Telehealth", Some("telehealth"));
        check("billing", Some("billing_integration"));
        check("sync", Some("mobile_app_sync"));
        check("zzz", None);
        check("", None);
    }
}
