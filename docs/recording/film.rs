//! From what was written to what was seen: the frames of a recording.

use std::io;
use std::num::NonZero;

use vt100::{Cell, Color, Parser, Screen};

use super::cast::{Cast, Size};

/// What is on the screen for less than this many seconds is not seen.
const SHORTEST: f64 = 0.12;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    /// One of the terminal's sixteen colours; `None` for its usual one.
    pub(crate) colour: Option<u8>,
    pub(crate) bold: bool,
    pub(crate) dim: bool,
}

/// Text in one look, from a column on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) column: u16,
    pub(crate) look: Look,
    pub(crate) text: String,
}

/// The runs of one row.
pub(crate) type Row = Vec<Run>;

/// Frames, each with the second from which it is seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Film {
    pub(crate) columns: u16,
    /// Up to the last row that was ever used.
    pub(crate) rows: u16,
    pub(crate) frames: Vec<(f64, Vec<Row>)>,
}

/// Plays a recording to a terminal emulator.
pub(crate) fn frames(cast: &Cast) -> io::Result<Film> {
    let Size { columns, rows } = cast.size;
    let (Some(height), Some(width)) = (NonZero::new(rows), NonZero::new(columns)) else {
        return Err(io::Error::other("a terminal without rows or columns"));
    };
    let mut terminal = Parser::new(height, width, 0);
    let mut frames: Vec<(f64, Vec<Row>)> = Vec::new();
    // Since when something was written that is in no frame yet.
    let mut unseen = None;
    for (index, (at, text)) in cast.written.iter().enumerate() {
        terminal.process(text.as_bytes());
        let next = cast.written.get(index + 1).map_or(f64::INFINITY, |(next, _)| *next);
        // A burst is one frame, and a program that writes all the time is seen nevertheless.
        let since = *unseen.get_or_insert(*at);
        if next - at < SHORTEST && next - since < 2.0 * SHORTEST {
            continue;
        }
        unseen = None;
        let seen: Vec<Row> = (0..rows).map(|number| row(terminal.screen(), number, columns)).collect();
        if frames.last().is_none_or(|(_, last)| *last != seen) {
            frames.push((*at, seen));
        }
    }
    let used = |rows: &Vec<Row>| rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
    let used = frames.iter().map(|(_, rows)| used(rows)).max().unwrap_or(0);
    frames.iter_mut().for_each(|(_, rows)| rows.truncate(used));
    Ok(Film { columns, rows: u16::try_from(used).unwrap_or(rows), frames })
}

fn row(screen: &Screen, number: u16, columns: u16) -> Row {
    let mut row = Row::new();
    let mut open = false;
    for column in 0..columns {
        let cell = screen.cell(number, column).filter(|cell| cell.has_contents() && cell.contents() != " ");
        let Some(cell) = cell else {
            // One blank between words of the same look does not end a run.
            open = false;
            continue;
        };
        let look = look(cell);
        match row.last_mut() {
            Some(last) if last.look == look && (open || next_to(last, column)) => {
                let missing = usize::from(column - last.column).saturating_sub(last.text.chars().count());
                last.text += &" ".repeat(missing);
                last.text += cell.contents();
            }
            _ => row.push(Run { column, look, text: cell.contents().to_owned() }),
        }
        open = true;
    }
    row
}

/// Whether `column` comes after `run` and a single blank.
fn next_to(run: &Run, column: u16) -> bool {
    usize::from(column - run.column) == run.text.chars().count() + 1
}

fn look(cell: &Cell) -> Look {
    let colour = if let Color::Idx(index @ 0..16) = cell.fgcolor() { Some(index) } else { None };
    Look { colour, bold: cell.bold(), dim: cell.dim() }
}
