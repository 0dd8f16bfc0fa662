//! One line of a terminal: pieces of text, each in a style, that know how wide they are.

use std::fmt;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A line. `Display` writes it with its colours, which anstream takes away where they are not wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    /// Words in the user's own colour.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self::default().then(text)
    }

    /// A line whose first two characters may be a mark: `ok`, `!!`, `--` or `..`, in its colour.
    #[must_use]
    pub fn marked(text: &str) -> Self {
        match mark(text) {
            Some(style) => Self::default().styled(style, &text[..2]).then(&text[2..]),
            None => Self::of(text),
        }
    }

    /// With more words behind it.
    #[must_use]
    pub fn then(self, text: impl Into<String>) -> Self {
        self.styled(Style::new(), text)
    }

    /// With more text behind it, in `style`. What would move the cursor becomes a blank: some of the text is others'.
    #[must_use]
    pub fn styled(mut self, style: Style, text: impl Into<String>) -> Self {
        let text: String = text.into().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if !text.is_empty() {
            self.0.push((style, text));
        }
        self
    }

    /// With another line behind it.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// With blanks behind it, up to `width`.
    #[must_use]
    pub fn pad(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.then(" ".repeat(missing))
    }

    /// Columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// At most `width` columns of it; where something is cut off, `ellipsis` says so.
    #[must_use]
    pub fn cut(self, width: usize, ellipsis: &str) -> Self {
        if self.width() <= width {
            return self;
        }
        let ellipsis = if ellipsis.width() <= width { ellipsis } else { "" };
        let mut left = width - ellipsis.width();
        let mut cut = Self::default();
        for (style, text) in self.0 {
            let kept: String = text
                .chars()
                .take_while(|c| {
                    let columns = c.width().unwrap_or(0);
                    let fits = columns <= left;
                    left = if fits { left - columns } else { 0 };
                    fits
                })
                .collect();
            cut = cut.styled(style, kept);
        }
        cut.then(ellipsis)
    }

    /// Without colours.
    #[must_use]
    pub fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// The style of the mark that a text begins with, if it does.
pub(super) fn mark(text: &str) -> Option<Style> {
    let colour = match text.get(..2)? {
        "ok" => AnsiColor::Green,
        "!!" => AnsiColor::Red,
        "--" => AnsiColor::Yellow,
        ".." => AnsiColor::Cyan,
        _ => return None,
    };
    Some(colour.on_default().bold())
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(style, text)| write!(f, "{style}{text}{style:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_says_so() {
        let red = AnsiColor::Red.on_default();
        let check = |width, ellipsis, expected: &str| {
            let line = Line::of("blue ").styled(red, "10 bad").then(" 日本").cut(width, ellipsis);
            assert_eq!(line.plain(), expected, "{width}");
            assert!(line.width() <= width, "{width}: {line:?}");
        };
        check(16, "…", "blue 10 bad 日本");
        check(15, "…", "blue 10 bad 日…");
        check(14, "…", "blue 10 bad …");
        check(8, "...", "blue ...");
        check(1, "…", "…");
        check(1, "...", "b");
        check(0, "…", "");
    }

    #[test]
    fn what_others_wrote_cannot_move_the_cursor() {
        assert_eq!(Line::of("exit\x1b[2J\n1\u{9b}H").plain(), "exit [2J 1 H");
    }

    #[test]
    fn a_mark_has_its_colour_and_the_words_behind_it_have_none() {
        assert_eq!(Line::marked("!!  bad").to_string(), "\u{1b}[1m\u{1b}[31m!!\u{1b}[0m  bad");
        assert_eq!(Line::marked("é").to_string(), "é");
    }
}
