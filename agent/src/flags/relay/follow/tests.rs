//! Documents one after the other, and what is told then.

use super::*;
use crate::flags::Reference;

fn document(json: &str) -> Document {
    Document::from_json(json).unwrap()
}

/// After a whole document of instance a at revision 5 with flags x (id 1) and y (id 2).
fn started() -> State {
    after(
        &State::nothing(),
        &document(
            r#"{"instance": "a", "revision": 5, "flags": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}], "deleted": ["old"]}"#,
        ),
    )
}

/// What a document tells: names of flags with their versions, `-` for what is deleted.
fn said(json: &[u8]) -> String {
    let document = document(str::from_utf8(json).unwrap());
    let flags = document.flags.iter().map(|flag| format!("{} v{}", flag.name, flag.version));
    let segments = document.segments.iter().map(|segment| format!("segment {}", segment.name));
    let gone = document.deleted.iter().chain(&document.deleted_segments).map(|name| format!("-{name}"));
    let unreadable = document.unreadable.iter().map(|entry| format!("?{}", entry.name.as_deref().unwrap_or_default()));
    let all: Vec<String> = flags.chain(segments).chain(gone).chain(unreadable).collect();
    let since = document.since.map_or(String::new(), |since| format!("{since}-"));
    format!("{}:{since}{} {}", document.instance.unwrap_or_default(), document.revision, all.join(" "))
}

#[test]
fn a_delta_is_passed_on_as_the_service_would_tell_it() {
    let state = after(
        &started(),
        &document(
            r#"{"instance": "a", "revision": 7, "since": 5, "flags": [{"id": 1, "name": "x", "version": 2}], "deleted": ["y"]}"#,
        ),
    );
    assert_eq!(said(&state.delta(5)), "a:5-7 x v2 -y");
    assert_eq!(said(&state.delta(6)), "a:6-7 x v2 -y", "what changed in between may be new to who was there");
    assert_eq!(said(&state.whole()), "a:7 x v2 -old -y");
    assert!(state.reaches_back_to(5) && !state.reaches_back_to(4) && !state.reaches_back_to(8));
    assert!(state.flag(&Reference::Id(2)).is_none());
    let again =
        after(&state, &document(r#"{"instance": "a", "revision": 8, "since": 7, "flags": [{"id": 3, "name": "y"}]}"#));
    assert_eq!(said(&again.delta(6)), "a:6-8 x v2 y v1", "it is there again");
}

#[test]
fn of_a_whole_document_only_what_differs_is_told_to_who_was_here() {
    let state = after(
        &started(),
        &document(
            r#"{"instance": "a", "revision": 9, "flags": [{"id": 1, "name": "x"}, {"id": 2, "name": "y", "version": 3}], "deleted": ["old", "older"]}"#,
        ),
    );
    assert_eq!(said(&state.delta(5)), "a:5-9 y v3 -older");
    assert_eq!(said(&state.delta(9)), "a:9-9 ");
}

#[test]
fn another_instance_takes_nothing_away_and_flags_that_share_a_number_are_both_known() {
    let state = after(&started(), &document(r#"{"instance": "b", "revision": 2, "flags": [{"id": 1, "name": "z"}]}"#));
    assert_eq!(said(&state.whole()), "b:2 x v1 z v1 y v1 -old");
    assert!(!state.reaches_back_to(1) && state.reaches_back_to(2));
    let name = |reference| state.flag(&reference).map(|flag| flag.name.clone());
    assert_eq!(name(Reference::Id(1)).as_deref(), Some("z"), "the number is the present one's");
    assert_eq!(name(Reference::Name("x".into())).as_deref(), Some("x"));
    let state = after(
        &state,
        &document(
            r#"{"instance": "b", "revision": 3, "since": 2, "flags": [{"id": 7, "name": "x"}], "deleted": ["y"]}"#,
        ),
    );
    assert_eq!(said(&state.whole()), "b:3 z v1 x v1 -old -y");
}

#[test]
fn segments_and_what_only_a_newer_client_can_read_are_passed_on() {
    let state = after(
        &started(),
        &document(
            r#"{"instance": "a", "revision": 6, "since": 5, "segments": [{"name": "staff"}], "flags": [{"id": 1, "name": "x", "rollout_percentage": 101}]}"#,
        ),
    );
    assert_eq!(said(&state.whole()), "a:6 y v1 segment staff -old ?x", "not the form before");
    assert_eq!(said(&state.delta(5)), "a:5-6 segment staff ?x");
    assert!(state.flag(&Reference::Name("x".into())).is_some(), "here it answers as it did");
    let state = after(
        &state,
        &document(
            r#"{"instance": "a", "revision": 7, "since": 6, "deleted_segments": ["staff"], "flags": [{"id": 1, "name": "x", "version": 4}]}"#,
        ),
    );
    assert_eq!(said(&state.delta(5)), "a:5-7 x v4 -staff");
}

#[test]
fn what_was_deleted_long_ago_is_forgotten_at_last() {
    let names: Vec<String> = (0..=MOST_DELETED).map(|number| format!("\"f{number}\"")).collect();
    let all = format!(r#"{{"instance": "a", "revision": 6, "since": 5, "deleted": [{}]}}"#, names.join(","));
    let state = after(&started(), &document(&all));
    assert!(!state.deleted.contains_key("old") && state.deleted.contains_key("f7"));
}
