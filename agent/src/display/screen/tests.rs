use std::num::NonZero;

use anstyle::AnsiColor;

use super::*;

/// A terminal that shows what was written to it.
struct Emulator {
    block: Block,
    parser: vt100::Parser,
    size: (usize, usize),
}

impl Emulator {
    fn new(columns: u16, rows: u16) -> Self {
        let [height, width] = [rows, columns].map(|size| NonZero::new(size).unwrap());
        let parser = vt100::Parser::new(height, width, 0);
        Self { block: Block::default(), parser, size: (columns.into(), rows.into()) }
    }

    fn draw(&mut self, lines: &[&str]) {
        let lines = lines.iter().map(|line| Line::marked(line)).collect();
        let frame = self.block.draw(lines, self.size, Glyphs::Lines);
        self.write(&frame);
    }

    fn print(&mut self, lines: &[&str]) {
        let lines: Vec<String> = lines.iter().map(|line| paint(line)).collect();
        let frame = self.block.insert(&lines, self.size);
        self.write(&frame);
    }

    fn write(&mut self, frame: &Frame) {
        // As the terminal's driver does.
        self.parser.process(frame.text(true).replace('\n', "\r\n").as_bytes());
    }

    #[track_caller]
    fn shows(&self, expected: &[&str]) {
        let screen = self.parser.screen();
        let columns = u16::try_from(self.size.0).unwrap();
        let mut rows: Vec<String> = screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
        rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
        assert_eq!(rows, expected);
        assert!(!screen.hide_cursor());
    }
}

#[test]
fn a_block_is_redrawn_in_place_and_lines_that_stay_go_above_it() {
    let mut terminal = Emulator::new(40, 10);
    terminal.print(&["r-0043 prod"]);
    terminal.draw(&["..  deploy 00:01", "    api", "    undo"]);
    terminal.draw(&["..  deploy 00:02", "    api"]);
    terminal.shows(&["r-0043 prod", "..  deploy 00:02", "    api"]);
    terminal.print(&["ok  deploy, said in so many words that it wraps"]);
    terminal.draw(&["..  watch 00:00", "    api", "    web"]);
    terminal.shows(&[
        "r-0043 prod",
        "ok  deploy, said in so many words that i",
        "t wraps",
        "..  watch 00:00",
        "    api",
        "    web",
    ]);
    assert_eq!(terminal.parser.screen().cursor_position(), (6, 0), "below the block");
    terminal.block = Block::default();
    terminal.print(&["--  detached"]);
    terminal.shows(&[
        "r-0043 prod",
        "ok  deploy, said in so many words that i",
        "t wraps",
        "..  watch 00:00",
        "    api",
        "    web",
        "--  detached",
    ]);
}

#[test]
fn a_block_higher_than_the_terminal_says_what_is_missing_and_does_not_scroll() {
    let mut terminal = Emulator::new(20, 5);
    for second in ["1", "2"] {
        terminal.draw(&[second, "a", "b", "c", "d", "e"]);
    }
    terminal.shows(&["2", "a", "b", "… 3 more lines"]);
    terminal.draw(&["3", "a", "b", "a line that is too long"]);
    terminal.shows(&["3", "a", "b", "a line that is too …"]);
}

#[test]
fn a_terminal_that_became_narrower_has_wrapped_the_block() {
    let mut block = Block::default();
    block.draw(vec![Line::of("x".repeat(80)), Line::of(""), Line::of("y".repeat(30))], (80, 24), Glyphs::Lines);
    assert_eq!([80, 40, 25].map(|columns| block.rows(columns)), [3, 4, 7]);
}

#[test]
fn without_colours_a_block_still_moves() {
    let mut block = Block::default();
    let red = || vec![Line::default().styled(AnsiColor::Red.on_default(), "bad")];
    block.draw(red(), (80, 24), Glyphs::Lines);
    let frame = block.draw(red(), (80, 24), Glyphs::Lines);
    assert_eq!(frame.text(false), "\x1b[1F\x1b[Jbad\n");
    assert_eq!(frame.text(true), "\x1b[1F\x1b[J\x1b[31mbad\x1b[0m\n");
    assert_eq!(block.insert(&[paint("ok  smoke")], (80, 24)).text(false), "\x1b[1F\x1b[Jok  smoke\nbad\n");
}
