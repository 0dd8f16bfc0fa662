//! Labels with text beside them, broken at words where it is longer than a line.

use super::style::{Tone, paint};
use super::table::{WIDTH, length};

/// Where the text beside a label begins.
const BESIDE: usize = 16;

/// `  label         text`, the text over several lines where needed. Nothing for an empty text.
pub(super) fn labelled(label: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut lines = broken(text, WIDTH - BESIDE).into_iter();
    let first = lines.next().unwrap_or_default();
    let gap = " ".repeat(BESIDE.saturating_sub(2 + length(label)));
    let mut out = format!("  {}{gap}{first}\n", paint(Tone::Faint, label));
    for line in lines {
        out += &format!("{}{line}\n", " ".repeat(BESIDE));
    }
    out
}

/// A text after its mark, what follows indented by as much.
pub(super) fn hanging(mark: &str, text: &str) -> String {
    let indent = length(mark);
    let mut out = String::new();
    for (number, line) in broken(text, WIDTH.saturating_sub(indent)).into_iter().enumerate() {
        let before = if number == 0 { mark.to_owned() } else { " ".repeat(indent) };
        out += &format!("{before}{line}\n");
    }
    out
}

/// Lines of at most so many characters, but for a word that is longer; line breaks of the text stay.
pub(super) fn broken(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && length(&line) + 1 + length(word) > most {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_words() {
        let check = |text: &str, lines: &[&str]| assert_eq!(broken(text, 10), lines, "{text}");
        check("one two three", &["one two", "three"]);
        check("one\n\ntwo", &["one", "", "two"]);
        check("a_word_that_is_long x", &["a_word_that_is_long", "x"]);
        assert_eq!(hanging("  1. ", "one"), "  1. one\n");
        assert_eq!(labelled("x", ""), "");
    }
}
