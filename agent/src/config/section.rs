//! Reads a TOML table key by key and keeps every mistake instead of stopping at the first.
//!
//! A section may have several layers, the most specific first: `[environments.prod.watch]` over `[watch]`.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, suggest};
use super::sources::{Source, Sources};
use super::value::Decode;

/// What was found so far in one file.
pub(super) struct Report<'a> {
    text: &'a str,
    /// Relative paths are taken from here.
    pub(super) base: &'a Path,
    errors: RefCell<Vec<Diagnostic>>,
    warnings: RefCell<Vec<Diagnostic>>,
    sources: RefCell<Sources>,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str, base: &'a Path) -> Self {
        Self { text, base, errors: RefCell::default(), warnings: RefCell::default(), sources: RefCell::default() }
    }

    /// Notes a mistake; the same one seen through two environments is noted once.
    pub(super) fn error(&self, place: &Place, message: impl Into<String>) {
        let diagnostic = Diagnostic::at(self.text, &place.span, &place.path, message);
        let mut errors = self.errors.borrow_mut();
        if !errors.contains(&diagnostic) {
            errors.push(diagnostic);
        }
    }

    /// Notes something that works but should be known.
    pub(super) fn warn(&self, place: &Place, message: impl Into<String>) {
        let diagnostic = Diagnostic::at(self.text, &place.span, &place.path, message);
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&diagnostic) {
            warnings.push(diagnostic);
        }
    }

    /// Notes where the value of a key comes from, by its place in the effective configuration.
    fn note(&self, key: String, found: Option<&Place>) {
        let at = found.map(|place| Diagnostic::at(self.text, &place.span, &place.path, ""));
        self.sources.borrow_mut().note(key, Source::of(at.as_ref()));
    }

    /// (errors, warnings, sources), mistakes in the order of the file.
    pub(super) fn into_parts(self) -> (Vec<Diagnostic>, Vec<Diagnostic>, Sources) {
        let (mut errors, mut warnings) = (self.errors.into_inner(), self.warnings.into_inner());
        errors.sort();
        warnings.sort();
        (errors, warnings, self.sources.into_inner())
    }
}

/// A dotted key and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) span: Range<usize>,
}

struct Layer<'a> {
    place: Place,
    table: &'a DeTable<'a>,
}

/// One table, possibly over less specific ones.
pub(super) struct Section<'a> {
    pub(super) report: &'a Report<'a>,
    /// Where it stands, for what is missing in it.
    pub(super) place: Place,
    /// Where its values stand in the effective configuration, whichever layer they come from.
    path: String,
    layers: Vec<Layer<'a>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub(super) fn root(report: &'a Report<'a>, table: &'a DeTable<'a>) -> Self {
        let place = Place { path: String::new(), span: 0..0 };
        Self::new(report, place.clone(), String::new(), vec![Layer { place, table }])
    }

    fn new(report: &'a Report<'a>, place: Place, path: String, layers: Vec<Layer<'a>>) -> Self {
        Self { report, place, path, layers, known: RefCell::default() }
    }

    /// This section, falling back to `other` key by key.
    pub(super) fn over(mut self, other: Self) -> Self {
        if self.layers.is_empty() && !other.layers.is_empty() {
            self.place = other.place;
        }
        self.layers.extend(other.layers);
        self
    }

    /// The value of `key` in the most specific layer that has it.
    fn get(&self, key: &'static str) -> Option<(Place, &'a DeValue<'a>)> {
        self.known.borrow_mut().push(key);
        self.layers.iter().find_map(|layer| {
            let value = lookup(layer.table, key)?;
            Some((Place { path: join(&layer.place.path, key), span: value.span() }, value.get_ref()))
        })
    }

    /// [`Self::get`] for a value that is going to be used, whose source is noted.
    fn take(&self, key: &'static str) -> Option<(Place, &'a DeValue<'a>)> {
        let found = self.get(key);
        self.report.note(join(&self.path, key), found.as_ref().map(|(place, _)| place));
        found
    }

    /// Notes that what `key` says is shown as `shown`, `watch.rate`.
    pub(super) fn shown_as(&self, key: &'static str, shown: &str) {
        self.report.sources.borrow_mut().same(join(&self.path, shown), &join(&self.path, key));
    }

    /// Where `key` stands, or the section where it does not.
    pub(super) fn place_of(&self, key: &'static str) -> Place {
        self.get(key).map_or_else(|| self.place.clone(), |(place, _)| place)
    }

    /// The value of an optional key; a wrong one is reported and counts as absent.
    pub(super) fn optional<T: Decode>(&self, key: &'static str) -> Option<T> {
        let (place, value) = self.take(key)?;
        T::decode(value, self.report.base).map_err(|message| self.report.error(&place, message)).ok()
    }

    /// The value, or `default` when the key is absent.
    pub(super) fn or<T: Decode>(&self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The value of a key that must be there; a stand-in after a mistake, which makes the whole file refused.
    pub(super) fn required<T: Decode + Default>(&self, key: &'static str, example: &str) -> T {
        if self.get(key).is_none() {
            self.report.error(&self.place, format!("`{key}` is missing: add for instance `{key} = {example}`"));
        }
        self.optional(key).unwrap_or_default()
    }

    /// A sub-table, empty when the key is absent; its layers follow this section's layers.
    pub(super) fn table(&self, key: &'static str) -> Self {
        self.known.borrow_mut().push(key);
        self.child(key)
    }

    /// A sub-table that may also be the word "off"; `None` where the most specific layer that has the key says so.
    pub(super) fn table_or_off(&self, key: &'static str) -> Option<Self> {
        self.take(key);
        let mut layers = Vec::new();
        for layer in &self.layers {
            let Some(value) = lookup(layer.table, key) else { continue };
            let place = Place { path: join(&layer.place.path, key), span: value.span() };
            match value.get_ref() {
                DeValue::Table(table) => layers.push(Layer { place, table }),
                DeValue::String(word) if word == "off" && layers.is_empty() => return None,
                // Switched on by a more specific table, which nothing below this word adds to.
                DeValue::String(word) if word == "off" => break,
                _ => self.report.error(&place, "this must be a table { ... }, or \"off\""),
            }
        }
        let place = layers.first().map_or_else(|| self.place.clone(), |layer: &Layer<'_>| layer.place.clone());
        Some(Self::new(self.report, place, join(&self.path, key), layers))
    }

    /// How many layers it has.
    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Only its `count` most specific layers, with the keys that are known by now.
    pub(super) fn most_specific(mut self, count: usize) -> Self {
        self.layers.truncate(count);
        self
    }

    fn child(&self, key: &str) -> Self {
        let mut layers = Vec::new();
        for layer in &self.layers {
            let Some(value) = lookup(layer.table, key) else { continue };
            let place = Place { path: join(&layer.place.path, key), span: value.span() };
            match value.get_ref() {
                DeValue::Table(table) => layers.push(Layer { place, table }),
                _ => self.report.error(&place, format!("this must be a table: write `[{}]`", place.path)),
            }
        }
        let place = layers.first().map_or_else(|| self.place.clone(), |layer| layer.place.clone());
        Self::new(self.report, place, join(&self.path, key), layers)
    }

    /// The tables in a table of names, `api` in `[components]`, in name order.
    pub(super) fn children(&self) -> Vec<(String, Self)> {
        let mut names: Vec<String> =
            self.layers.iter().flat_map(|layer| layer.table.keys().map(|name| name.get_ref().to_string())).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .map(|name| {
                let section = self.child(&name);
                (name, section)
            })
            .collect()
    }

    /// The tables of an array, `routes = [{ ... }]` or `[[smoke.checks]]`; `None` when the key is absent.
    pub(super) fn list(&self, key: &'static str) -> Option<Vec<Self>> {
        let (place, value) = self.take(key)?;
        let DeValue::Array(items) = value else {
            self.report.error(&place, "this must be a list of tables: [{ ... }, { ... }]");
            return None;
        };
        let section = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| {
            let place = Place { path: place.path.clone(), span: item.span() };
            let path = format!("{}[{index}]", join(&self.path, key));
            match item.get_ref() {
                DeValue::Table(table) => {
                    Some(Self::new(self.report, place.clone(), path, vec![Layer { place, table }]))
                }
                _ => {
                    self.report.error(&place, "this must be a table: { ... }");
                    None
                }
            }
        };
        Some(items.iter().enumerate().filter_map(section).collect())
    }

    /// Whether the key holds a list.
    pub(super) fn is_list(&self, key: &'static str) -> bool {
        self.get(key).is_some_and(|(_, value)| matches!(value, DeValue::Array(_)))
    }

    /// Whether the key stands in any layer.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// A mistake at `key`.
    pub(super) fn error(&self, key: &'static str, message: impl Into<String>) {
        self.report.error(&self.place_of(key), message);
    }

    /// Everything in it as plain TOML, unread, for a reader with its own rules.
    pub(super) fn into_table(self) -> toml::Table {
        let mut all = toml::Table::new();
        for layer in self.layers.iter().rev() {
            for (key, value) in layer.table {
                let place = Place { path: join(&layer.place.path, key.get_ref()), span: value.span() };
                self.report.note(join(&self.path, key.get_ref()), Some(&place));
                let deserializer = toml::de::ValueDeserializer::from(value.clone());
                if let Ok(value) = toml::Value::deserialize(deserializer) {
                    all.insert(key.get_ref().to_string(), value);
                }
            }
        }
        all
    }

    /// Reports every key that nobody asked for. Call it last.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for layer in &self.layers {
            for key in layer.table.keys() {
                let name: &str = key.get_ref();
                if !known.contains(&name) {
                    let place = Place { path: join(&layer.place.path, name), span: key.span() };
                    let mut candidates = known.clone();
                    candidates.sort_unstable();
                    candidates.dedup();
                    self.report.error(&place, format!("unknown key `{name}`{}", suggest(name, candidates)));
                }
            }
        }
    }
}

fn lookup<'a>(table: &'a DeTable<'a>, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
