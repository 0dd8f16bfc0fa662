//! What the demo shows: a line for each thing that happened and, on a terminal, one that moves.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// Where the demo's lines go: standard output, or standard error when that is kept for `--json`.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    json: bool,
    moves: bool,
}

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `ok`, in green.
    Ok,
    /// `no`, in red: something is bad and was noticed, or went wrong.
    No,
    /// `!!`, in yellow: mind this.
    Mind,
    /// Nothing: goes on with the line before.
    More,
}

impl Sign {
    const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::No => "no",
            Self::Mind => "!!",
            Self::More => "  ",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Ok => AnsiColor::Green.on_default().bold(),
            Self::No => AnsiColor::Red.on_default().bold(),
            Self::Mind => AnsiColor::Yellow.on_default().bold(),
            Self::More => Style::new(),
        }
    }
}

impl Screen {
    /// With `json`, standard output is left to [`Screen::result`].
    #[must_use]
    pub fn new(json: bool) -> Self {
        let moves = if json { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        Self { json, moves }
    }

    /// A heading, after an empty line.
    pub fn heading(&self, text: &str) {
        let bold = Style::new().bold();
        self.print(&format!("\n{bold}{text}{bold:#}\n"));
    }

    /// A line that stays.
    pub fn line(&self, sign: Sign, name: &str, text: &str) {
        let style = sign.style();
        self.print(&format!("{style}{}{style:#}  {name:<9} {text}\n", sign.text()));
    }

    /// The line that moves: replaced by the next line of any kind. Nothing where there is no terminal.
    pub fn live(&self, name: &str, text: &str) {
        if self.moves {
            self.print(&format!("..  {name:<9} {text}"));
        }
    }

    /// The object of `--json`, on standard output.
    pub fn result(&self, json: &str) {
        if self.json {
            anstream::println!("{json}");
        }
    }

    /// The output may be closed (`teal demo | head`): then there is nobody to tell.
    fn print(&self, text: &str) {
        let clear = if self.moves { "\r\x1b[2K" } else { "" };
        if self.json {
            let mut out = anstream::stderr().lock();
            let _ = write!(out, "{clear}{text}").and_then(|()| out.flush());
        } else {
            let mut out = anstream::stdout().lock();
            let _ = write!(out, "{clear}{text}").and_then(|()| out.flush());
        }
    }
}
