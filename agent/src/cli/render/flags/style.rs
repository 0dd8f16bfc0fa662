//! The few colours of flags: on is green, on for some is yellow, off is grey, what is gone is red. They are taken away where output is no terminal.

use anstyle::AnsiColor::{BrightBlack, Green, Red, Yellow};
use anstyle::Style;

/// What a piece of text says by its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    /// What names things.
    Name,
    /// On, or new.
    Good,
    /// Off for some, or to be looked at.
    Mild,
    /// Gone.
    Bad,
    /// Of less importance.
    Faint,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Name => Style::new().bold(),
            Self::Good => Green.on_default(),
            Self::Mild => Yellow.on_default(),
            Self::Bad => Red.on_default(),
            Self::Faint => BrightBlack.on_default(),
        }
    }
}

/// The text in its colour.
pub(super) fn paint(tone: Tone, text: &str) -> String {
    if tone == Tone::Plain || text.is_empty() {
        return text.to_owned();
    }
    let style = tone.style();
    format!("{style}{text}{style:#}")
}

/// The text without any.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
