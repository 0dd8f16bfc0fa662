//! A table of at most 80 columns: a name that does not fit has a line of its own, and the last column is cut.

use super::style::{Tone, paint};

/// Columns in all.
pub(super) const WIDTH: usize = 80;
/// Blanks between two columns.
const GAP: usize = 2;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Characters at most; longer texts are cut, but those of a `name`.
    pub(super) most: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// To the right.
    Number,
    /// Never cut: it is what people copy.
    Name,
}

/// A text and how it looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell(pub(super) Tone, pub(super) String);

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self(Tone::Plain, text.into())
    }
}

/// The table; columns are as wide as what stands in them.
pub(super) fn table<const N: usize>(columns: [Column; N], rows: &[[Cell; N]]) -> String {
    let (head, rows) = lines(columns, rows);
    head + &rows.concat()
}

/// The same, its head and each row apart.
pub(super) fn lines<const N: usize>(columns: [Column; N], rows: &[[Cell; N]]) -> (String, Vec<String>) {
    let mut widths = columns.map(|column| column.title.chars().count());
    for row in rows {
        for ((width, column), cell) in widths.iter_mut().zip(&columns).zip(row) {
            *width = (*width).max(length(&cell.1).min(column.most));
        }
    }
    // What there is left goes to the last one.
    if let Some((last, others)) = widths.split_last_mut() {
        *last = (*last).min(WIDTH.saturating_sub(others.iter().map(|width| width + GAP).sum()));
    }
    let mut titles = columns.map(|column| Cell(Tone::Faint, column.title.to_owned()));
    if let Some(last) =
        titles.last_mut().filter(|_| rows.iter().all(|row| row.last().is_none_or(|cell| cell.1.is_empty())))
    {
        // Nothing stands below it.
        last.1.clear();
    }
    let rows = rows.iter().map(|row| line(&columns, &widths, row)).collect();
    (line(&columns, &widths, &titles), rows)
}

fn line<const N: usize>(columns: &[Column; N], widths: &[usize; N], row: &[Cell; N]) -> String {
    let (mut text, mut column_start, mut at) = (String::new(), 0, 0);
    for ((Column { kind, .. }, width), Cell(tone, content)) in columns.iter().zip(widths).zip(row) {
        let content = if *kind == Kind::Name { content.clone() } else { cut(content, *width) };
        if at > column_start {
            // A long name before: the rest of its row stands below.
            text = format!("{}\n", text.trim_end());
            at = 0;
        }
        let blanks = if *kind == Kind::Number { width.saturating_sub(length(&content)) } else { 0 };
        if !content.is_empty() {
            text += &" ".repeat(column_start - at + blanks);
            text += &paint(*tone, &content);
            at = column_start + blanks + length(&content);
        }
        column_start += width + GAP;
    }
    format!("{}\n", text.trim_end())
}

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// The beginning of a text that is too long.
pub(super) fn cut(text: &str, most: usize) -> String {
    if length(text) <= most {
        text.to_owned()
    } else {
        text.chars().take(most.saturating_sub(1)).chain(['~']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;

    #[test]
    fn columns_line_up_whatever_stands_in_them() {
        let columns = [
            Column { title: "ID", most: 6, kind: Kind::Number },
            Column { title: "FLAG", most: 12, kind: Kind::Name },
            Column { title: "STATE", most: 6, kind: Kind::Text },
            Column { title: "ALSO", most: 60, kind: Kind::Text },
        ];
        let row = |id: &str, name: &str, state: &str, also: &str| -> [Cell; 4] {
            [id.into(), Cell(Tone::Name, name.into()), Cell(Tone::Good, state.into()), also.into()]
        };
        let text = table(
            columns,
            &[
                row("1", "short", "on", "x"),
                row("1234", "a_name_that_is_long", "somewhat", &"y".repeat(90)),
                row("7", "đặc_biệt", "", "z"),
            ],
        );
        insta::assert_snapshot!(plain(&text));
        assert!(plain(&text).lines().all(|line| length(line) <= WIDTH));
    }
}
