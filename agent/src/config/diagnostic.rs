//! One mistake in a configuration file, where it stands and how to mend it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// A mistake (or a warning) at a place in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// The dotted key, empty where the TOML itself is broken.
    pub field: String,
    /// What is wrong and the way out.
    pub message: String,
}

impl Diagnostic {
    /// A mistake at a byte range of `text`.
    #[must_use]
    pub(crate) fn at(text: &str, span: &Range<usize>, field: impl Into<String>, message: impl Into<String>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// `; did you mean `x`?` when a candidate is near, else the whole list.
pub(crate) fn suggest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let distance = |candidate: &&&str| strsim::damerau_levenshtein(wrong, candidate);
    match candidates.iter().min_by_key(distance) {
        None => String::new(),
        Some(near) if distance(&near) <= (near.len() / 3).max(1) => format!("; did you mean `{near}`?"),
        Some(_) => format!("; known here: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_and_lines_from_one() {
        let text = "a = 1\nü = \"ä\" # here\n";
        let at = text.find("# here").unwrap();
        let diagnostic = Diagnostic::at(text, &(at..at + 1), "a", "wrong");
        assert_eq!(diagnostic.to_string(), "line 2, column 9: a: wrong");
    }

    #[test]
    fn a_near_name_is_suggested_and_otherwise_all_are_listed() {
        assert_eq!(suggest("mni", ["min", "max"]), "; did you mean `min`?");
        assert_eq!(suggest("colour", ["min", "max"]), "; known here: min, max");
    }
}
