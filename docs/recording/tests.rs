use super::*;
use crate::film::{Film, frames};

fn fixture() -> Film {
    frames(&Cast::parse(include_str!("fixture.cast")).unwrap()).unwrap()
}

#[test]
fn a_recording_becomes_a_film_of_what_could_be_seen() {
    let film = fixture();
    let text = |rows: &Vec<film::Row>| {
        let row = |row: &film::Row| row.iter().map(|run| run.text.as_str()).collect::<Vec<_>>().join("|");
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let seen: Vec<_> = film.frames.iter().map(|(at, rows)| (*at, text(rows))).collect();
    let headline = "r-0043 prod|app v1 -> v2".to_owned();
    let expected = [
        (0.1, vec![headline.clone(), String::new(), String::new()]),
        (0.3, vec![headline.clone(), "..|watch 00:01|━━╸|───".into(), "could exclude > 6.1 % & <more>".into()]),
        (1.31, vec![headline, "..|watch 00:02|━━━━╸|─".into(), "could exclude > 5.2 % & <more>".into()]),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_film_is_a_picture_that_moves_by_itself() {
    insta::assert_snapshot!(svg::draw(&fixture(), "a release & its watch"));
}

#[test]
fn what_a_command_writes_to_a_terminal_is_recorded_with_its_size() {
    let command = ["/bin/sh", "-c", r"printf '\033[31mé\033[0m '; stty size"].map(str::to_owned);
    let cast = Cast::record(&command, Size { columns: 70, rows: 7 }, None).unwrap();
    let text: String = cast.written.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(text, "\x1b[31mé\x1b[0m 7 70\r\n");
    let read = Cast::parse(&cast.to_string()).unwrap();
    assert_eq!(read.written.len(), cast.written.len());
    assert_eq!(read.size, cast.size);
}

#[test]
fn the_picture_of_the_readme_is_small_and_needs_nothing_from_elsewhere() {
    let picture = include_str!("../demo.svg");
    assert!(picture.len() < 300_000, "{} bytes", picture.len());
    for word in ["<script", "<image", "@import", "@font-face", "url(", "href=\"http"] {
        assert!(!picture.contains(word), "{word}");
    }
}
