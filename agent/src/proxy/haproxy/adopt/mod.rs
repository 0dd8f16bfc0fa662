//! What somebody's own HAProxy configuration needs so that a fragment beside it gets its requests: a few lines, all else as it is.
//!
//! ```text
//! theirs --sections--> frontends --choose--> the one that users of these hosts come in by
//!                                               |  use_backend teal_ENV_edge if HOST [PATH]     before all its other use_backend
//!                                               '- hard-stop-after in global, where there is none
//! ```
//! Pure: text in, text out. The frontend is chosen by what it says of the hosts, and by nobody's guess where that is not plain.

mod choose;
mod sections;

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::render::{EdgeComponent, lines};
use sections::sections;

/// What is to be sent to the fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The environment whose fragment it is.
    pub environment: &'a str,
    /// Its components, with their hosts and paths.
    pub components: &'a [EdgeComponent],
    /// The host of the site's address, for components that name none.
    pub site: Option<&'a str>,
    /// How long an old process may live after a reload, where their configuration does not say.
    pub hard_stop_after: Duration,
    /// The frontend, where the operator names it.
    pub frontend: Option<&'a str>,
}

/// Their configuration with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The whole text; the same as before where nothing is missing.
    pub text: String,
    /// The frontend that sends to the fragment.
    pub frontend: String,
}

/// Why it is not known what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Beside other sites, "everything" would be theirs too.
    #[error(
        "component `{component}` names no hosts, and other sites come in by the same HAProxy: set environments.{environment}.url, or \
         `hosts` in [components.{component}]"
    )]
    NoHost {
        /// Which one.
        component: String,
        /// Of what.
        environment: String,
    },
    /// None that hands requests to back ends.
    #[error("it has no frontend in `mode http` with a `use_backend` or `default_backend`: Teal switches HTTP requests")]
    NoFrontend,
    /// Several that it could be.
    #[error("which frontend do users of {hosts} come in by? {names}: --frontend NAME")]
    Several {
        /// Whose users.
        hosts: String,
        /// The frontends.
        names: String,
    },
    /// The operator's is not there.
    #[error("--frontend {wanted}: there is none of this name in `mode http`; there are: {names}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The frontends.
        names: String,
    },
}

/// Puts into `theirs` what is missing.
///
/// # Errors
/// Where it is not plain what belongs where; nothing is guessed.
pub fn adopt(theirs: &str, wanted: &Wanted<'_>) -> Result<Adopted, AdoptError> {
    let rules = rules(wanted)?;
    let sections = sections(theirs);
    let backend = format!("teal_{}_edge", wanted.environment);
    let there = sections.iter().find(|section| section.hands_to(&backend));
    let frontend = match there {
        Some(section) => section,
        None => choose::frontend(&sections, wanted)?,
    };
    let mut text: Vec<String> = theirs.split('\n').map(str::to_owned).collect();
    // From the end to the beginning, so that numbers of lines stay true.
    let mut insertions = Vec::new();
    if there.is_none() {
        let (at, indent) = frontend.before_its_backends();
        insertions.push((at, rules.iter().map(|rule| format!("{indent}{rule}")).collect::<Vec<_>>()));
    }
    let mut globals = sections.iter().filter(|section| section.is("global"));
    if !globals.clone().any(|section| section.has("hard-stop-after")) {
        let line = format!("hard-stop-after {}", lines::time(wanted.hard_stop_after));
        insertions.push(match globals.next_back() {
            Some(global) => {
                let (at, indent) = global.end();
                (at, vec![format!("{indent}{line}")])
            }
            None => (0, vec!["global".to_owned(), format!("  {line}"), String::new()]),
        });
    }
    insertions.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, lines) in insertions {
        text.splice(at..at, lines);
    }
    Ok(Adopted { text: text.join("\n"), frontend: frontend.name.to_owned() })
}

/// A line for each group of hosts and each of its paths: what no component answers stays with them.
fn rules(wanted: &Wanted<'_>) -> Result<Vec<String>, AdoptError> {
    let mut claims: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for component in wanted.components {
        let mut hosts: Vec<&str> = component.hosts.iter().map(String::as_str).collect();
        if hosts.is_empty() {
            let missing =
                || AdoptError::NoHost { component: component.name.clone(), environment: wanted.environment.to_owned() };
            hosts.push(wanted.site.ok_or_else(missing)?);
        }
        let paths: Vec<&str> = component.paths.iter().map(String::as_str).collect();
        match claims.iter_mut().find(|(known, _)| *known == hosts) {
            Some((_, known)) if known.is_empty() || paths.is_empty() => known.clear(),
            Some((_, known)) => known.extend(paths),
            None => claims.push((hosts, paths)),
        }
    }
    let rule = |hosts: &[&str], path: Option<&str>| {
        let path = path.map_or_else(String::new, |path| format!(" {}", lines::path_is(path)));
        let hosts = hosts.join(" ");
        format!("use_backend teal_{}_edge if {{ req.hdr(host),host_only -m str -i {hosts} }}{path}", wanted.environment)
    };
    Ok(claims
        .iter()
        .flat_map(|(hosts, paths)| match paths.as_slice() {
            [] => vec![rule(hosts, None)],
            paths => paths.iter().map(|path| rule(hosts, Some(path))).collect(),
        })
        .collect())
}
