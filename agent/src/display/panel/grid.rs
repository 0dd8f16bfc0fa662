//! Rows with a bar, laid out so that their columns stand below each other.

use anstyle::Style;

use super::super::bar::{Glyphs, bar};
use super::super::line::Line;

/// Bars are no longer than this, so that they keep their length when the words beside them grow.
const LONGEST_BAR: usize = 22;

/// Bars shorter than this tell nothing, and are left out.
const SHORTEST_BAR: usize = 6;

/// A name or version longer than this is cut.
const LONGEST_WORD: usize = 18;

/// Columns are at least as wide as what usually stands in them: name, label, figure, tail.
const USUAL: [usize; 4] = [5, 11, 8, 22];

/// Blanks between columns.
const GAP: usize = 2;

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// `ok`, `!!`, `--` or `..`; empty for none.
    pub(super) mark: &'static str,
    /// What the rows down to the next name are of.
    pub(super) name: String,
    /// What this row is of.
    pub(super) label: String,
    /// How full, 0..=1, and in which colour.
    pub(super) bar: Option<(f64, Style)>,
    /// The number that the bar shows.
    pub(super) figure: Line,
    /// What else there is to say.
    pub(super) tail: Line,
}

#[derive(Clone, Debug)]
enum Item {
    Row(Row),
    Line(Line),
    Note(Line),
}

/// Rows and lines in between.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid(Vec<Item>);

impl Grid {
    pub(super) fn row(&mut self, row: Row) {
        self.0.push(Item::Row(row));
    }

    /// A line that has no part in the columns.
    pub(super) fn line(&mut self, line: Line) {
        self.0.push(Item::Line(line));
    }

    /// A line that belongs to the rows above it.
    pub(super) fn note(&mut self, line: Line) {
        self.0.push(Item::Note(line));
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Every row and line in at most `width` columns. Bars take what the words leave; where they leave too little there
    /// are none, and what still does not fit is cut at its end.
    pub(super) fn lay(self, width: usize, glyphs: Glyphs) -> Vec<Line> {
        let rows = || self.0.iter().filter_map(|item| if let Item::Row(row) = item { Some(row) } else { None });
        let widest = |column: fn(&Row) -> usize| rows().map(column).max().unwrap_or(0);
        let name = widest(|row| Line::of(&*row.name).width()).clamp(USUAL[0], LONGEST_WORD);
        let label = widest(|row| Line::of(&*row.label).width()).clamp(USUAL[1], LONGEST_WORD);
        let figure = widest(|row| row.figure.width()).max(USUAL[2]);
        let tail = widest(|row| row.tail.width()).max(USUAL[3]);
        let words = 4 + name + GAP + label + GAP + figure + GAP + tail;
        let bars = Some(width.saturating_sub(words + GAP).min(LONGEST_BAR)).filter(|bars| *bars >= SHORTEST_BAR);
        let ellipsis = glyphs.ellipsis();
        let draw = |item| {
            let row: Row = match item {
                Item::Line(line) => return line.cut(width, ellipsis),
                Item::Note(line) => return Line::of(" ".repeat(4 + name + GAP)).join(line).cut(width, ellipsis),
                Item::Row(row) => row,
            };
            let gap = " ".repeat(GAP);
            let mut line = Line::marked(&format!("{:<4}", row.mark));
            line = line.join(Line::of(row.name).cut(name, ellipsis).pad(name)).then(&*gap);
            line = line.join(Line::of(row.label).cut(label, ellipsis).pad(label)).then(&*gap);
            if let Some(columns) = bars {
                let bar = row.bar.map_or_else(Line::default, |(full, style)| bar(full, columns, style, glyphs));
                line = line.join(bar.pad(columns)).then(&*gap);
            }
            let missing = " ".repeat(figure.saturating_sub(row.figure.width()));
            line = line.then(missing).join(row.figure);
            if row.tail.width() > 0 {
                line = line.then(&*gap).join(row.tail);
            }
            line.cut(width, ellipsis)
        };
        self.0.into_iter().map(draw).collect()
    }
}
