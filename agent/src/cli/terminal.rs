//! Where output goes: lines that stay, and live lines that are redrawn in place on a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

/// How often live text becomes a plain line when nobody watches a terminal.
const PLAIN_PACE: Duration = Duration::from_secs(10);

/// The standard output. Text is plain; marks at the start of a line are coloured where a terminal wants it.
#[derive(Debug)]
pub(super) struct Terminal {
    json: bool,
    redraws: bool,
    live: usize,
    plain: Option<(Instant, String)>,
}

impl Terminal {
    pub(super) fn new(json: bool) -> Self {
        Self { json, redraws: !json && std::io::stdout().is_terminal(), live: 0, plain: None }
    }

    /// Lines that stay. Nothing in JSON mode.
    pub(super) fn print(&mut self, text: &str) {
        self.clear();
        if !self.json {
            for line in text.trim_end_matches('\n').split('\n') {
                anstream::println!("{}", paint(line));
            }
        }
    }

    /// Text that the next live text or line replaces; off a terminal, a line from time to time.
    pub(super) fn live(&mut self, text: &str) {
        self.clear();
        if self.redraws {
            let (columns, rows) = size();
            for line in text.lines().take(rows.saturating_sub(1)) {
                // A wrapped line would take two rows, and the next redraw would miss one.
                anstream::println!("{}", paint(&line.chars().take(columns).collect::<String>()));
                self.live += 1;
            }
            let _ = std::io::stdout().flush();
        } else if !self.json && self.due(text) {
            for line in text.lines() {
                anstream::println!("{line}");
            }
        }
    }

    fn due(&mut self, text: &str) -> bool {
        // What stands before the first digit tells one phase from another.
        let kind = text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().to_owned();
        let due = self.plain.as_ref().is_none_or(|(at, last)| *last != kind || at.elapsed() >= PLAIN_PACE);
        if due {
            self.plain = Some((Instant::now(), kind));
        }
        due
    }

    /// One JSON object on its own line; nothing otherwise.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        if self.json {
            anstream::println!("{}", serde_json::to_string(value).unwrap_or_default());
        }
    }

    fn clear(&mut self) {
        if self.live > 0 {
            // Up to the first live line, then erase to the end of the screen.
            anstream::print!("\x1b[{}F\x1b[J", self.live);
            self.live = 0;
        }
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// Colours the mark at the start of a line; anstream takes the colour away where it is not wanted.
fn paint(line: &str) -> String {
    use anstyle::AnsiColor::{BrightBlack, Green, Red, Yellow};
    let colour = match line.get(..2) {
        Some("ok") => Green,
        Some("!!") => Red,
        Some("--") => Yellow,
        Some("..") => BrightBlack,
        _ => return line.to_owned(),
    };
    let style = colour.on_default().bold();
    format!("{style}{}{style:#}{}", &line[..2], &line[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_terminal_a_phase_is_shown_once_and_not_each_second() {
        let mut terminal = Terminal { json: false, redraws: false, live: 0, plain: None };
        assert!(terminal.due("..  watch 00:01 of 05:00"));
        assert!(!terminal.due("..  watch 00:02 of 05:00"));
        assert!(terminal.due("..  smoke 00:00"));
    }
}
