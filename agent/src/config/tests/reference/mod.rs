//! `docs/reference/configuration.md` is made of the keys that the reader asks for, the defaults that it gives, and the words of `keys.toml`.
//!
//! ```text
//! reader --Sources: every key asked for--> = keys.toml? --example, refused, a slip of the pen--> reader
//!    '--- effective configuration: defaults ---> page <--- type, range, meaning --- keys.toml
//! ```

mod page;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use self::words::{Key, Words, at, bases, field, words, written};
use super::super::load;
use crate::config::Diagnostic;
use crate::smoke::Suite;

const BASE: &str = "/etc/teal";

/// What a release has as a whole.
const OF_THE_RELEASE: [&str; 5] = ["min", "max", "on_unknown", "confirm", "retain"];

fn parsed(root: &Table) -> load::Read {
    load::read(&toml::to_string(root).unwrap(), Path::new(BASE))
}

/// Whether it is the smoke suite's own to judge.
fn is_of_the_suite(table: &str, key: &str) -> bool {
    table.starts_with("smoke") && key != "suite"
}

/// The mistakes of a configuration, those of its suite too.
fn mistakes(root: &Table, is_suite: bool) -> Vec<(String, String)> {
    match parsed(root).config {
        Err(errors) => errors.into_iter().map(|Diagnostic { field, message, .. }| (field, message)).collect(),
        Ok(config) if is_suite => {
            let suite = Suite::from_table(config.environments["prod"].smoke.inline.clone());
            suite.err().map(|error| ("smoke".to_owned(), error.to_string())).into_iter().collect()
        }
        Ok(_) => Vec::new(),
    }
}

/// The configurations with this row's example in them that are valid.
fn with_example(table: &Words, key: &Key) -> Vec<Table> {
    let is_suite = is_of_the_suite(&table.path, &key.name);
    let tried = bases().map(|mut root| {
        if is_suite {
            let mut suite: Table = "[[checks]]\nname = \"c\"\ncomponent = \"api\"\npath = \"/\"\n".parse().unwrap();
            if table.path.ends_with("json[]") {
                at(&mut suite, "checks[]")
                    .insert("json".to_owned(), vec!["pointer = \"\"".parse::<Table>().unwrap()].into());
            }
            suite.insert("allow_writes".to_owned(), key.with.contains_key("method").into());
            root.insert("smoke".to_owned(), suite.into());
        }
        let place = at(&mut root, &table.path);
        place.extend(key.with.clone());
        place.insert(key.name.clone(), key.example.clone());
        if table.path.ends_with("json[]") && key.name == "pointer" {
            place.insert("exists".to_owned(), true.into());
        }
        root
    });
    tried.into_iter().filter(|root| mistakes(root, is_suite).is_empty()).collect()
}

/// The rows of all tables, those of a table that has the keys of another too.
fn listed(tables: &[Words]) -> BTreeSet<String> {
    let join = |path: &str, name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let own = tables.iter().flat_map(|table| table.keys.iter().map(move |key| join(&table.path, &key.name)));
    let mut all: BTreeSet<String> = own.collect();
    for table in tables {
        let Some(same) = &table.same else { continue };
        let others = all.iter().filter_map(|key| key.strip_prefix(&format!("{same}.")));
        let others = others.filter(|key| !OF_THE_RELEASE.contains(&key.split(['.', '[']).next().unwrap()));
        let others: Vec<String> = others.map(|key| join(&table.path, key)).collect();
        all.extend(others);
    }
    all
}

#[test]
fn the_reference_has_every_key_that_the_reader_takes_and_no_other() {
    let read = bases().map(|root| parsed(&root));
    let asked: BTreeSet<String> = read
        .iter()
        .inspect(|read| assert!(read.config.is_ok(), "{:#?}", read.config))
        .flat_map(|read| read.sources.keys().map(written))
        .collect();
    let of_the_reader = |key: &String| !key.starts_with("smoke.") || key == "smoke.suite";
    let listed: BTreeSet<String> = listed(&words()).into_iter().filter(of_the_reader).collect();
    let missing: Vec<_> = asked.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&asked).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing in keys.toml: {missing:#?}, in vain there: {unknown:#?}"
    );
    assert!(asked.len() > 120, "only {} keys", asked.len());
}

#[test]
fn the_reference_has_every_key_of_the_smoke_suite() {
    let tables = words();
    // serde says which keys it knows when it meets one that it does not.
    let check = |path: &str, text: &str| {
        let error = Suite::parse(text).unwrap_err().to_string();
        let known = error.split("expected").nth(1).unwrap_or_else(|| panic!("{error}")).lines().next().unwrap();
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        let keys = tables.iter().find(|table| table.path == path).unwrap().keys.iter();
        assert_eq!(keys.map(|key| key.name.as_str()).filter(|name| *name != "suite").collect::<BTreeSet<_>>(), known);
    };
    check("smoke", "x = 1");
    check("smoke.checks[]", "[[checks]]\nx = 1");
    check("smoke.checks[].json[]", "[[checks]]\n[[checks.json]]\nx = 1");
}

#[test]
fn every_example_is_taken_and_what_is_out_of_range_is_refused_where_it_stands() {
    for table in words() {
        for key in &table.keys {
            let name = format!("{}.{}", table.path, key.name);
            let is_suite = is_of_the_suite(&table.path, &key.name);
            let valid = with_example(&table, key);
            assert!(!valid.is_empty(), "{name}: the example is refused: {:#?}", {
                bases().map(|mut root| {
                    let place = at(&mut root, &table.path);
                    place.extend(key.with.clone());
                    place.insert(key.name.clone(), key.example.clone());
                    mistakes(&root, is_suite)
                })
            });
            assert!(key.range.is_empty() || !key.refused.is_empty(), "{name}: a range, and nothing that it refuses");
            for (mut root, refused) in
                valid.iter().flat_map(|root| key.refused.iter().map(|value| (root.clone(), value)))
            {
                at(&mut root, &table.path).insert(key.name.clone(), refused.clone());
                let found = mistakes(&root, is_suite);
                let place = if is_suite { "smoke".to_owned() } else { field(&table.path) };
                assert!(found.iter().any(|(field, _)| field.starts_with(&place)), "{name} = {refused}: {found:#?}");
            }
        }
    }
}

#[test]
fn a_key_that_is_misspelled_is_named_with_line_column_and_what_was_meant() {
    for table in words().into_iter().filter(|table| !table.path.starts_with("smoke")) {
        for key in &table.keys {
            let wrong = format!("{0}{1}", key.name, key.name.chars().next_back().unwrap());
            for mut root in with_example(&table, key) {
                let place = at(&mut root, &table.path);
                let value = place.remove(&key.name).unwrap();
                place.insert(wrong.clone(), value);
                let text = toml::to_string(&root).unwrap();
                let begins = |(at, _): &(usize, &str)| {
                    let end = text[at + wrong.len()..].chars().next().unwrap();
                    let start = text[..*at].chars().next_back().unwrap_or('\n');
                    !end.is_ascii_alphanumeric() && matches!(start, '\n' | '.' | '[')
                };
                let (at, _) = text.match_indices(&wrong).find(begins).unwrap();
                let place = Diagnostic::at(&text, &(at..at), "", "");
                let meant = format!("unknown key `{wrong}`; did you mean `{}`?", key.name);
                let found = load::read(&text, Path::new(BASE)).config.unwrap_err();
                let found = found.iter().find(|found| found.message == meant);
                let found = found.unwrap_or_else(|| panic!("{}.{wrong}: nobody says {meant}", table.path));
                assert_eq!((found.line, found.column), (place.line, place.column), "{found} in\n{text}");
            }
        }
    }
}

/// The default, as the page has it.
fn default(table: &Words, key: &Key) -> String {
    if let Some(words) = &key.default {
        return words.clone();
    }
    let mut required = false;
    for mut root in bases() {
        // What else is needed for it stands there otherwise.
        at(&mut root, &table.path).remove(&key.name);
        match parsed(&root).config {
            Err(errors) => required |= errors.iter().any(|error| error.message.contains("is missing")),
            Ok(config) => {
                let effective: Table = config.effective().parse().unwrap();
                let mut value = Value::Table(effective);
                let path = match table.path.split('.').next() {
                    Some("watch" | "smoke" | "components") => format!("environments.NAME.{}", table.path),
                    _ => table.path.clone(),
                };
                let root = value.as_table_mut().unwrap();
                if let Some(value) = at(root, &path).get(&key.name) {
                    return format!("`{value}`");
                }
            }
        }
    }
    assert!(required, "{}.{}: say in words what happens without it", table.path, key.name);
    "required".to_owned()
}
