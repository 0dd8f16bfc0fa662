//! Lines that stay, and below them a block that is redrawn in place.
//!
//! ```text
//! up to the block's first row, erase to the end of the screen, lines that stay, block      all in one write
//! ```
//! The cursor is visible all the time and stands below the block, so that nothing is to be put right when the program
//! ends, however it does: what was drawn last is simply there, and the shell goes on below it.

use std::io::{IsTerminal, Write};

use anstream::ColorChoice;

use super::bar::Glyphs;
use super::line::{Line, mark};

/// What a terminal is taken for that does not say its size: columns and rows.
const USUAL: (usize, usize) = (80, 24);

/// One of the program's own outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error, where standard output is kept for JSON.
    Err,
}

/// An output and what it can show.
#[derive(Debug)]
pub struct Screen {
    output: Output,
    redraws: bool,
    colours: bool,
    glyphs: Glyphs,
    block: Block,
    closed: bool,
}

impl Screen {
    /// With colours and redrawing where `output` is a terminal that can; `NO_COLOR` is respected.
    #[must_use]
    pub fn new(output: Output) -> Self {
        let choice = match output {
            Output::Out => anstream::AutoStream::choice(&std::io::stdout()),
            Output::Err => anstream::AutoStream::choice(&std::io::stderr()),
        };
        let is_terminal = match output {
            Output::Out => std::io::stdout().is_terminal(),
            Output::Err => std::io::stderr().is_terminal(),
        };
        let variable = |name: &str| std::env::var(name).ok();
        Self {
            output,
            redraws: is_terminal && variable("TERM").is_none_or(|term| term != "dumb"),
            colours: choice != ColorChoice::Never,
            glyphs: Glyphs::of_locale(variable),
            block: Block::default(),
            closed: false,
        }
    }

    /// Whether a block can be redrawn. Where it cannot, [`Screen::draw`] does nothing.
    #[must_use]
    pub const fn redraws(&self) -> bool {
        self.redraws
    }

    /// Whether nobody can see any more what is written: the reader of a pipe has gone.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// What bars can be drawn with.
    #[must_use]
    pub const fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// Columns of the terminal, 80 at most where lines shall not be too long to read.
    #[must_use]
    pub fn width(&self) -> usize {
        self.size().0.min(USUAL.0)
    }

    /// Lines that stay, above the block. A mark at the start of a line gets its colour.
    pub fn print(&mut self, text: &str) {
        let lines: Vec<String> = text.trim_end_matches('\n').split('\n').map(paint).collect();
        let size = self.size();
        let frame = self.block.insert(&lines, size);
        self.write(&frame);
    }

    /// Draws the block anew.
    pub fn draw(&mut self, lines: Vec<Line>) {
        if self.redraws {
            let size = self.size();
            let frame = self.block.draw(lines, size, self.glyphs);
            self.write(&frame);
        }
    }

    /// Lets the block stay as it is; the next lines go below it.
    pub fn keep(&mut self) {
        self.block = Block::default();
    }

    fn size(&self) -> (usize, usize) {
        let size = match self.output {
            Output::Out => rustix::termios::tcgetwinsize(std::io::stdout()),
            Output::Err => rustix::termios::tcgetwinsize(std::io::stderr()),
        };
        match size {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => USUAL,
        }
    }

    fn write(&mut self, frame: &Frame) {
        let text = frame.text(self.colours);
        let written = match self.output {
            Output::Out => write(std::io::stdout().lock(), &text),
            Output::Err => write(std::io::stderr().lock(), &text),
        };
        self.closed |= written.is_err();
    }
}

fn write(mut output: impl Write, text: &str) -> std::io::Result<()> {
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// The mark at the start of a line in its colour.
fn paint(line: &str) -> String {
    mark(line).map_or_else(|| line.to_owned(), |style| format!("{style}{}{style:#}{}", &line[..2], &line[2..]))
}

/// What is to be written: how far up, and then what.
#[derive(Debug, Default)]
struct Frame {
    up: usize,
    text: String,
}

impl Frame {
    /// Movements stay where colours are not wanted.
    fn text(&self, colours: bool) -> String {
        let text = if colours { self.text.clone() } else { anstream::adapter::strip_str(&self.text).to_string() };
        if self.up > 0 { format!("\x1b[{}F\x1b[J{text}", self.up) } else { text }
    }
}

/// The block as it stands on the screen.
#[derive(Debug, Default)]
struct Block(Vec<Line>);

impl Block {
    fn draw(&mut self, lines: Vec<Line>, size: (usize, usize), glyphs: Glyphs) -> Frame {
        let up = self.rows(size.0);
        self.0 = fit(lines, size, glyphs);
        Frame { up, text: self.text() }
    }

    fn insert(&self, lines: &[String], size: (usize, usize)) -> Frame {
        let stay: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        Frame { up: self.rows(size.0), text: stay + &self.text() }
    }

    fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Rows that the block takes: more than it has lines when the terminal has become narrower and wrapped them.
    fn rows(&self, columns: usize) -> usize {
        self.0.iter().map(|line| line.width().div_ceil(columns).max(1)).sum()
    }
}

/// What fits: a row that has scrolled away could not be redrawn.
fn fit(lines: Vec<Line>, (columns, rows): (usize, usize), glyphs: Glyphs) -> Vec<Line> {
    let most = rows.saturating_sub(1).max(1);
    let hidden = lines.len().saturating_sub(most) + 1;
    let kept = if hidden > 1 { most - 1 } else { lines.len() };
    let more = (hidden > 1).then(|| Line::of(format!("{} {hidden} more lines", glyphs.ellipsis())));
    lines.into_iter().take(kept).chain(more).map(|line| line.cut(columns, glyphs.ellipsis())).collect()
}

#[cfg(test)]
mod tests;
