//! What the demo shows: a line for each thing that happened and, on a terminal, a block that moves.

use std::cell::RefCell;

use anstyle::Style;

use super::load::Counts;
use crate::api::{Status, timestamp};
use crate::display::{self, Line, Output, panel};

/// Where the demo's lines go: standard output, or standard error when that is kept for `--json`.
#[derive(Debug)]
pub struct Screen {
    json: bool,
    inner: RefCell<display::Screen>,
}

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `ok`, in green.
    Ok,
    /// `!!`, in red: something is bad and was noticed, or went wrong.
    No,
    /// `--`, in yellow: mind this.
    Mind,
    /// Nothing: goes on with the line before.
    More,
}

impl Sign {
    const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::No => "!!",
            Self::Mind => "--",
            Self::More => "  ",
        }
    }
}

impl Screen {
    /// With `json`, standard output is left to [`Screen::result`].
    #[must_use]
    pub fn new(json: bool) -> Self {
        let output = if json { Output::Err } else { Output::Out };
        Self { json, inner: RefCell::new(display::Screen::new(output)) }
    }

    /// A heading, after an empty line.
    pub fn heading(&self, text: &str) {
        let bold = Style::new().bold();
        self.inner.borrow_mut().print(&format!("\n{bold}{text}{bold:#}"));
    }

    /// A line that stays.
    pub fn line(&self, sign: Sign, name: &str, text: &str) {
        self.inner.borrow_mut().print(&format!("{}  {name:<9} {text}", sign.text()));
    }

    /// Draws a release as its agent shows it, and what the load saw of it. Nothing where there is no terminal.
    pub fn release(&self, status: &Status, seen: &Seen) {
        let mut inner = self.inner.borrow_mut();
        let now = timestamp(time::OffsetDateTime::now_utc());
        let panel = panel(status, &now, inner.width(), inner.glyphs());
        // Its commands are for a configuration of one's own: the demo's ends with the demo.
        let mut lines: Vec<Line> = panel.head.into_iter().chain(panel.body).collect();
        lines.push(Line::of(format!("    users saw {seen}")));
        inner.draw(lines);
    }

    /// A line that moves. Nothing where there is no terminal.
    pub fn live(&self, name: &str, text: &str) {
        self.inner.borrow_mut().draw(vec![Line::marked(&format!("..  {name:<9} {text}"))]);
    }

    /// What moved stays as it is.
    pub fn keep(&self) {
        self.inner.borrow_mut().keep();
    }

    /// The object of `--json`, on standard output.
    pub fn result(&self, json: &str) {
        if self.json {
            anstream::println!("{json}");
        }
    }
}

/// What users saw since a release was ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    requests: u64,
    bad: u64,
    lost: u64,
    waiting: u64,
}

impl Seen {
    /// What came to what was `before`.
    #[must_use]
    pub const fn since(before: &Counts, now: &Counts) -> Self {
        Self {
            requests: now.all.requests - before.all.requests,
            bad: now.all.bad - before.all.bad,
            lost: now.all.lost - before.all.lost,
            waiting: now.in_flight,
        }
    }
}

/// `2003 requests, 0 bad, 0 lost`; those under way when they pile up.
impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} requests, {} bad, {} lost", self.requests, self.bad, self.lost)?;
        if self.waiting > 20 { write!(f, ", {} waiting", self.waiting) } else { Ok(()) }
    }
}
