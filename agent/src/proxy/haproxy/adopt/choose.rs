//! Which frontend the users of the site come in by.

use super::sections::Section;
use super::{AdoptError, Wanted};

/// The operator's, else the only one that names a host of the site, else the only one there is.
pub(super) fn frontend<'a, 'b>(
    sections: &'a [Section<'b>],
    wanted: &Wanted<'_>,
) -> Result<&'a Section<'b>, AdoptError> {
    let is_way_in = |section: &&Section<'_>| section.http && (section.is("frontend") || section.is("listen"));
    let ways_in = || sections.iter().filter(is_way_in);
    if let Some(name) = wanted.frontend {
        let unknown = || AdoptError::Unknown { wanted: name.to_owned(), names: names(ways_in()) };
        return ways_in().find(|section| section.name == name).ok_or_else(unknown);
    }
    // One that only redirects, or shows statistics, hands nothing on.
    let candidates: Vec<_> =
        ways_in().filter(|section| section.has("use_backend") || section.has("default_backend")).collect();
    let hosts: Vec<&str> = hosts(wanted);
    let named: Vec<_> =
        candidates.iter().copied().filter(|section| hosts.iter().any(|host| section.mentions(host))).collect();
    match (named.as_slice(), candidates.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only),
        ([], []) => Err(AdoptError::NoFrontend),
        ([], several) | (several, _) => {
            Err(AdoptError::Several { hosts: hosts.join(", "), names: names(several.iter().copied()) })
        }
    }
}

fn hosts<'a>(wanted: &Wanted<'a>) -> Vec<&'a str> {
    let own = wanted.components.iter().flat_map(|component| component.hosts.iter().map(String::as_str));
    let mut hosts: Vec<&str> = own.chain(wanted.site).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn names<'a, 'b: 'a>(sections: impl Iterator<Item = &'a Section<'b>>) -> String {
    sections.map(|section| section.name).collect::<Vec<_>>().join(", ")
}
