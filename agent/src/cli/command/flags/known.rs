//! Names that may have been meant, and environments that nobody knows.

use std::collections::BTreeSet;

use teal_flags::model::{Document, Flag, Part};

use super::target::Service;
use super::{teal, warn};
use crate::cli::CliError;
use crate::client::flags::{Fetched, FlagClientError};

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
    match service.client.list().await {
        Ok(listing) => missing(name, &listing.document),
        Err(_) => CliError::usage(format!("there is no flag `{name}`")),
    }
}

/// The name of the flag of this name or number, in a document that was fetched anyway.
pub(super) fn name(document: &Document, asked: &str) -> Result<String, CliError> {
    let is_meant = |flag: &&Flag| flag.name == asked || asked.parse() == Ok(flag.id);
    if let Some(flag) = document.flags.iter().find(is_meant) {
        return Ok(flag.name.clone());
    }
    // Its answer says that it cannot be used.
    let is_unread = document.unreadable.iter().any(|one| one.part == Part::Flag && one.name.as_deref() == Some(asked));
    if is_unread { Ok(asked.to_owned()) } else { Err(missing(asked, document)) }
}

fn missing(name: &str, document: &Document) -> CliError {
    let missing = CliError::usage(format!("there is no flag `{name}`"));
    match nearest(name, document.flags.iter().map(|flag| flag.name.as_str())) {
        Some(near) => missing.hint(format!("did you mean {near}?")),
        None => missing.hint(format!("{}   shows all of them", teal("list"))),
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
pub(super) fn environments(service: &Service, document: &Document, named: &[String]) {
    let of_flags = document.flags.iter().flat_map(|flag| &flag.environments);
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
    fn a_flag_is_found_by_its_name_or_number_and_also_where_it_cannot_be_read() {
        let json =
            br#"{"flags": [{"id": 8, "name": "telehealth"}, {"id": 9, "name": "newer", "rollout_percentage": "all"}]}"#;
        let document = Document::from_json(json).unwrap();
        let check = |asked: &str, expected: Result<&str, &str>| {
            let found = name(&document, asked).map_err(|error| error.hints.join(" "));
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{asked}");
        };
        check("telehealth", Ok("telehealth"));
        check("8", Ok("telehealth"));
        check("newer", Ok("newer"));
        check("telehelth", Err("did you mean telehealth?"));
        check("zzz", Err("teal flags list   shows all of them"));
    }

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
