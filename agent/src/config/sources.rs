//! Where each value of a configuration comes from: a line of the file, or Teal's default.

use std::collections::BTreeMap;

use serde::Serialize;

use super::diagnostic::Diagnostic;

/// Where a value comes from. Nothing of a configuration comes from the environment or from options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// It stands in no line.
    Default,
    /// The file says it.
    #[serde(untagged)]
    File {
        /// 1-based.
        line: usize,
        /// 1-based, in characters.
        column: usize,
        /// The key there, `watch.min` for an environment that has no `min` of its own.
        key: String,
    },
}

impl Source {
    /// The place in the file where there is one.
    pub(super) fn of(found: Option<&Diagnostic>) -> Self {
        found.map_or(Self::Default, |at| Self::File { line: at.line, column: at.column, key: at.field.clone() })
    }
}

/// By the key in the effective configuration, `environments.prod.components.api.routes[0].path`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, Source>);

impl Sources {
    pub(super) fn note(&mut self, key: String, source: Source) {
        self.0.insert(key, source);
    }

    /// Says of `key` what was noted of `of`, which is the same thing written in another place.
    pub(super) fn same(&mut self, key: String, of: &str) {
        if let Some(source) = self.0.get(of).cloned() {
            self.0.insert(key, source);
        }
    }

    /// Of a key, or of the value that it is a part of.
    #[must_use]
    pub fn of(&self, key: &str) -> Source {
        let mut key = key;
        loop {
            if let Some(source) = self.0.get(key) {
                return source.clone();
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                None => return Source::Default,
            }
        }
    }

    /// Every key that the reader asked for, with what it found.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_comes_from_where_the_whole_stands_unless_it_was_asked_for_itself() {
        let file = |line| Source::File { line, column: 1, key: "x".to_owned() };
        let mut sources = Sources::default();
        sources.note("edge.bind".to_owned(), file(3));
        sources.note("api.routes".to_owned(), file(5));
        sources.note("api.routes[0].latency".to_owned(), Source::Default);
        let check = |key: &str, expected: Source| assert_eq!(sources.of(key), expected, "{key}");
        check("edge.bind[0].address", file(3));
        check("api.routes[0].path", file(5));
        check("api.routes[0].latency", Source::Default);
        check("edge.map", Source::Default);
    }
}
