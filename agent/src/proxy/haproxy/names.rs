//! The names that HAProxy's configuration and the adapter agree on.

use std::path::Path;

use teal_rollout::colour::Colour;

use super::settings::EdgeSettings;

/// Prepared once: they stand in every poll.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Back ends with their component's id and colour.
    pub(super) backends: Vec<(String, usize, Colour)>,
    /// The ring of request lines.
    pub(super) ring: String,
    /// The map's path, escaped for the Runtime API.
    pub(super) map: String,
}

impl Names {
    pub(super) fn of(settings: &EdgeSettings) -> Self {
        let environment = &settings.environment;
        let backends = settings.components.iter().enumerate().flat_map(|(id, component)| {
            Colour::BOTH.map(|colour| (format!("teal_{environment}_{}_{colour}", component.name), id, colour))
        });
        Self { backends: backends.collect(), ring: format!("teal_{environment}_log"), map: escape_path(&settings.map) }
    }
}

/// `path` as one word of a Runtime API line.
pub(super) fn escape_path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// `word` as one word of a Runtime API line: `\`, `;` and space would end or split it.
pub(super) fn escape(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, '\\' | ';' | ' ') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_cannot_become_a_second_command() {
        for (word, escaped) in [("/etc/teal/prod.map", "/etc/teal/prod.map"), ("a b;c\\d", "a\\ b\\;c\\\\d"), ("", "")]
        {
            assert_eq!(escape(word), escaped);
        }
    }
}
