//! Where output goes: lines that stay, a block redrawn in place on a terminal, and a line now and then where there is none.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::api::{Status, timestamp};
use crate::display::{Line, Output, Panel, Screen, panel};

/// How often what goes on becomes a plain line when nobody watches a terminal.
const PLAIN_PACE: Duration = Duration::from_secs(10);

/// The standard output. Text is plain; marks at the start of a line are coloured where a terminal wants it.
#[derive(Debug)]
pub(super) struct Terminal {
    json: bool,
    screen: Screen,
    plain: Plain,
    /// Whether what is drawn has no worth beside the next line.
    passing: bool,
}

impl Terminal {
    pub(super) fn new(json: bool) -> Self {
        Self { json, screen: Screen::new(Output::Out), plain: Plain::default(), passing: false }
    }

    /// Lines that stay, above what is drawn. Nothing in JSON mode.
    pub(super) fn print(&mut self, text: &str) {
        if self.passing {
            self.draw(Vec::new());
        }
        if !self.json {
            self.screen.print(text);
        }
    }

    /// Whether [`Terminal::draw`] shows anything.
    pub(super) const fn draws(&self) -> bool {
        self.screen.redraws() && !self.json
    }

    /// A status at this moment, for [`Terminal::draw`].
    pub(super) fn panel(&self, status: &Status) -> Panel {
        let now = timestamp(time::OffsetDateTime::now_utc());
        panel(status, &now, self.screen.width(), self.screen.glyphs())
    }

    /// A block that the next one replaces, on a terminal.
    pub(super) fn draw(&mut self, block: Vec<Line>) {
        self.passing = false;
        if self.draws() {
            self.screen.draw(block);
        }
    }

    /// Text instead of a block: off a terminal, once a phase of `environment` and from time to time.
    pub(super) fn plain(&mut self, environment: &str, text: &str) {
        if !self.json && !self.draws() && self.plain.is_due(environment, text) {
            self.screen.print(text);
        }
    }

    /// Whether the reader of the output has gone.
    pub(super) const fn is_closed(&self) -> bool {
        self.screen.is_closed()
    }

    /// Text that the next one or the next line replaces: drawn, or said now and then.
    pub(super) fn live(&mut self, text: &str) {
        self.draw(text.lines().map(Line::marked).collect());
        self.passing = true;
        self.plain("", text);
    }

    /// Leaves the block where it is.
    pub(super) fn keep(&mut self) {
        self.screen.keep();
    }

    /// One JSON object on its own line; nothing otherwise.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        if self.json {
            self.screen.print(&serde_json::to_string(value).unwrap_or_default());
        }
    }
}

/// When what was said last off a terminal, of each environment.
#[derive(Debug, Default)]
struct Plain(BTreeMap<String, (Instant, String)>);

impl Plain {
    fn is_due(&mut self, environment: &str, text: &str) -> bool {
        // What stands before the first digit tells one phase from another.
        let kind = text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
        let last = self.0.get(environment);
        let due = last.is_none_or(|(at, last)| *last != kind || at.elapsed() >= PLAIN_PACE);
        if due {
            self.0.insert(environment.to_owned(), (Instant::now(), kind.to_owned()));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_terminal_a_phase_of_an_environment_is_shown_once_and_not_each_second() {
        let mut plain = Plain::default();
        assert!(plain.is_due("prod", "..  watch 00:01 of 05:00"));
        assert!(!plain.is_due("prod", "..  watch 00:02 of 05:00"));
        assert!(plain.is_due("staging", "..  watch 00:02 of 05:00"));
        assert!(plain.is_due("prod", "..  smoke 00:00"));
    }
}
