//! The configuration as it is used: every default filled in, and for each value the line that says so.
//!
//! ```text
//! Config --TOML--> text --positions of its values--> the same text, with `# teal.toml:12` or `# default` behind each value
//! ```

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sources::{Source, Sources};
use super::types::Config;

/// Comments stand in one column, unless a value is longer than this.
const WIDEST: usize = 56;

impl Config {
    /// The configuration as a `teal.toml` with every default filled in and every environment on its own.
    #[must_use]
    pub fn effective(&self) -> String {
        // Every type below is made of what TOML can carry.
        toml::to_string(self).unwrap_or_default()
    }

    /// [`Self::effective`], each value with where it comes from; `file` is what its lines are called by.
    #[must_use]
    pub fn effective_with(&self, sources: &Sources, file: &str) -> String {
        let text = self.effective();
        let mut by_line: BTreeMap<usize, String> = BTreeMap::new();
        for (key, end) in values(&text) {
            let source = match sources.of(&key) {
                Source::File { line, .. } => format!("{file}:{line}"),
                Source::Default => "default".to_owned(),
            };
            by_line.entry(text[..end].matches('\n').count()).or_insert(source);
        }
        let lines: Vec<&str> = text.lines().collect();
        let widths = by_line.keys().filter_map(|line| lines.get(*line)).map(|line| line.chars().count());
        let column = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let commented = lines.iter().enumerate().map(|(number, line)| match by_line.get(&number) {
            Some(source) => format!("{line:column$}  # {source}\n"),
            None => format!("{line}\n"),
        });
        commented.collect()
    }

    /// Every value's key in [`Self::effective`] and where it comes from.
    #[must_use]
    pub fn sources(&self, sources: &Sources) -> BTreeMap<String, Source> {
        let keys = values(&self.effective()).into_iter().map(|(key, _)| key);
        keys.map(|key| (key.clone(), sources.of(&key))).collect()
    }
}

/// The key of each value, and where it ends. A list of plain values is one.
fn values(text: &str) -> Vec<(String, usize)> {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    walk_table("", table.get_ref(), &mut found);
    found
}

fn walk_table(path: &str, table: &DeTable<'_>, found: &mut Vec<(String, usize)>) {
    for (name, value) in table {
        let name = name.get_ref();
        walk(if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }, value, found);
    }
}

fn walk(path: String, value: &Spanned<DeValue<'_>>, found: &mut Vec<(String, usize)>) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(&path, table, found),
        DeValue::Array(items) if items.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))) => {
            items.iter().enumerate().for_each(|(index, item)| walk(format!("{path}[{index}]"), item, found));
        }
        _ => found.push((path, value.span().end)),
    }
}
