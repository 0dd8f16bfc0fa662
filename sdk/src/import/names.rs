//! Names that are valid here for names that were valid elsewhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::report::Report;
use crate::model::limits;

/// A name for each: the same one where that is valid, otherwise in small letters with `-` for what is not allowed.
pub(super) fn names<'a>(
    originals: impl Iterator<Item = &'a str> + Clone,
    report: &mut Report,
) -> BTreeMap<String, String> {
    // Those that stay as they are come first, so that no other takes their names.
    let mut taken: HashSet<String> = originals.clone().filter(|name| plain(name) == *name).map(str::to_owned).collect();
    let (mut names, mut numbers) = (BTreeMap::new(), HashMap::new());
    for original in originals {
        if names.contains_key(original) {
            continue;
        }
        let wanted = plain(original);
        let name = if wanted == original { wanted } else { free(&wanted, &taken, &mut numbers) };
        if name != original {
            report.about(Some(original));
            report.find("its name is not allowed here", format_args!("it is called {name}"));
        }
        taken.insert(name.clone());
        names.insert(original.to_owned(), name);
    }
    names
}

/// Small letters, digits, `_`, `.` and `-`, a letter first.
fn plain(original: &str) -> String {
    let small = original.chars().flat_map(char::to_lowercase);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    let name = small.map(|c| if allowed(c) { c } else { '-' });
    let starts_well = original.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let start = if starts_well { "" } else { "f-" };
    start.chars().chain(name).take(limits::NAME).collect()
}

/// The name with the next number that is free; `numbers` has the last one of each name.
fn free(wanted: &str, taken: &HashSet<String>, numbers: &mut HashMap<String, usize>) -> String {
    let mut name = wanted.to_owned();
    while taken.contains(&name) {
        let number = numbers.entry(wanted.to_owned()).and_modify(|number| *number += 1).or_insert(2);
        let end = format!("-{number}");
        name = format!("{}{end}", &wanted[..wanted.len().min(limits::NAME - end.len())]);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_where_they_can_and_never_meet() {
        let check = |originals: &[&str], expected: &[&str]| {
            let found = names(originals.iter().copied(), &mut Report::default());
            let found: Vec<&str> = originals.iter().map(|original| found[*original].as_str()).collect();
            assert_eq!(found, expected);
        };
        check(&["telehealth", "price-page_2.x"], &["telehealth", "price-page_2.x"]);
        check(&["Feature.A", "feature.a", "FEATURE.A"], &["feature.a-2", "feature.a", "feature.a-3"]);
        check(&["Hellø Wørld", "2nd", "", "🌍"], &["hell--w-rld", "f-2nd", "f-", "f--"]);
        let long = "A".repeat(120);
        check(&[&long, &"A".repeat(110)], &[&"a".repeat(100), &format!("{}-2", "a".repeat(98))]);
    }
}
