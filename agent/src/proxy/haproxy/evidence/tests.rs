use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn reader() -> Reader {
    let mut limits = LatencyLimits::uniform(Duration::from_secs(1));
    limits.set(2, Duration::from_millis(800));
    let component = |name: &str, limits, bad| EdgeComponent { name: name.into(), limits, bad };
    let strict = BadWhen::new(&[400..=499], &[501..=501], false);
    Reader::new(&[
        component("api", limits, BadWhen::default()),
        component("strict", LatencyLimits::default(), strict),
        component("web", LatencyLimits::default(), BadWhen::default()),
    ])
}

fn request(line: &str) -> Request {
    match reader().read(line.as_bytes()) {
        Line::Request(request) => request,
        other => panic!("{line}: {other:?}"),
    }
}

/// The line of a GET of api's group 2 to green, with `{end}` from the status to the retries.
fn line(end: &str) -> String {
    format!("teal2 4711 43.1.open api green 2 {end} s1 1795413742344325 1795413742356399 GET")
}

#[test]
fn a_line_carries_where_the_request_went_and_how_long_it_took() {
    let expected = Request {
        component: 2,
        colour: Colour::Green,
        release: 43,
        group: 7,
        judgement: Judgement::Good,
        overdue: false,
        waited: false,
        wait_ms: Some(17),
        access: Access::Write,
        server: 3,
        total_ms: 19,
        span: Some(Span { pid: 4711, started: 1_795_413_742_344_325, ended: 1_795_413_742_363_399, answered: true }),
    };
    let full = "teal2 4711 43.1.open web green 7 200 19 5 2 10 -- 0 s3 1795413742344325 1795413742363399 PUT";
    assert_eq!(request(full), expected);
    let before = "teal1 43.1.open web green 7 200 19 10 -- 0 PUT s3";
    assert_eq!(request(before), Request { wait_ms: Some(10), span: None, ..expected });
    assert_eq!(request("teal1 - api blue 0 200 12 11 -- 0 GET s1").release, 0);
}

#[test]
fn what_is_not_there_is_not_known() {
    let refused = request(&line("503 0 0 -1 -1 SC 3").replace(" s1 ", " <NOSRV> "));
    assert_eq!((refused.wait_ms, refused.server), (None, 0));
    assert!(refused.span.is_some_and(|span| !span.answered));
    assert_eq!(request(&line("200 12 0 0 11 -- 0").replace(" s1 ", " s256 ")).server, 0);
    let early = line("200 12 0 0 11 -- 0").replace("1795413742344325", "-");
    assert_eq!(request(&early).span, None);
    for (method, access) in [("GET", Access::Read), ("OPTIONS", Access::Read), ("OTHER", Access::Write)] {
        assert_eq!(request(&line("200 12 0 0 11 -- 0").replace("GET", method)).access, access);
    }
}

#[test]
fn an_ignored_path_only_says_that_a_request_has_ended() {
    for end in ["200 12 0 0 11 -- 0", "500 12 0 0 11 -- 0", "504 9000 0 0 -1 sH 0"] {
        let ignored = request(&line(end).replace("green 2", "green -"));
        assert_eq!((ignored.judgement, ignored.group), (Judgement::NotCounted, 0));
        assert!(ignored.span.is_some());
    }
}

#[test]
fn the_end_of_a_request_is_judged_by_decision_section_1() {
    use Judgement::{Bad, Good, NotCounted};
    let check = |end: &str, judgement: Judgement| {
        // In queue and connecting for no time at all.
        let words: Vec<&str> = end.split(' ').collect();
        let full = line(&[&words[..2], &["0", "0"], &words[2..]].concat().join(" "));
        let before = format!("teal1 43.1.open api green 2 {end} GET s1");
        for line in [full, before] {
            assert_eq!(request(&line).judgement, judgement, "{line}");
        }
    };
    check("200 12 11 -- 0", Good);
    check("404 12 11 -- 0", Good);
    check("499 12 11 ---- 0", Good);
    check("500 12 11 -- 0", Bad);
    check("503 0 -1 SC 3", Bad);
    check("502 3 -1 SH 2", Bad);
    check("502 0 -1 PH 0", Bad);
    check("504 999 -1 sH 0", Bad);
    check("200 1500 1000 -- 0", Bad);
    check("200 1500 999 -- 0", Good);
    check("200 9000 1000 CD 0", Bad);
    check("200 900 5 SD 0", Bad);
    check("200 900 5 sD 0", Bad);
    check("200 12 11 -- 1", Bad);
    check("200 12 11 -- +1", Bad);
    check("-1 800 -1 CH 0", NotCounted);
    check("-1 801 -1 CH 0", Bad);
    check("200 9000 10 CD 0", NotCounted);
    check("500 9000 10 CD 0", Bad);
    check("503 12 -1 CC 0", NotCounted);
    check("408 12 -1 cR 0", NotCounted);
    check("400 0 -1 PR 0", NotCounted);
    check("503 0 -1 PR 0", NotCounted);
    check("101 90000 5 SD 0", Good);
    check("101 90000 5 sD 0", Good);
}

#[test]
fn a_component_may_take_other_answers_for_bad() {
    use Judgement::{Bad, Good, NotCounted};
    let check = |end: &str, judgement: Judgement| {
        let line = format!("teal1 43.1.open strict green 2 {end} GET s1");
        assert_eq!(request(&line).judgement, judgement, "{line}");
    };
    check("429 12 11 -- 0", Bad);
    check("404 9000 10 CD 0", Bad);
    check("501 12 11 -- 0", Good);
    check("200 12 11 -- 2", Good);
    check("500 12 11 -- 0", Bad);
    // The edge's own answers are no answers of the component.
    check("501 3 -1 SH 0", Bad);
    check("400 0 -1 PR 0", NotCounted);
}

#[test]
fn a_request_without_headers_within_the_largest_limit_was_overdue() {
    let check = |line: &str, overdue: bool| assert_eq!(request(line).overdue, overdue, "{line}");
    for (times, overdue) in [("999 -1", false), ("1000 -1", true), ("60000 20", false), ("60000 1500", true)] {
        check(&format!("teal1 43.1.open api green 2 200 {times} -- 0 GET s1"), overdue);
    }
    check(&line("200 60000 500 20 479 -- 0"), false);
    check(&line("200 60000 500 20 480 -- 0"), true);
    // A client that took two seconds to send its headers did not wait for us; the stamps say 12 ms.
    check(&line("502 2012 0 0 -1 SH 0"), false);
    check(&line("504 2012 0 0 -1 sH 0").replace("742356399", "743344325"), true);
}

#[test]
fn what_took_too_long_is_told_from_what_was_answered_badly() {
    let check = |end: &str, waited: bool| {
        let request = request(&line(end));
        assert_eq!((request.judgement, request.waited), (Judgement::Bad, waited), "{end}");
    };
    // A connection that was not made within its time and then at once; HAProxy counts the first try as queueing.
    check("200 502 499 0 3 -- +1", true);
    check("200 1581 0 520 654 -- 0", true);
    check("504 5001 0 0 -1 sH 0", true);
    check("503 1500 0 -1 -1 sC 3", true);
    check("-1 801 0 0 -1 CH 0", true);
    // Refused, and taken in by another server.
    check("200 4 1 0 3 -- +1", false);
    check("500 12 0 0 11 -- 0", false);
    check("500 1581 0 520 654 -- 0", false);
    check("503 0 0 -1 -1 SC 3", false);
    check("502 3 0 0 -1 SH 2", false);
}

#[test]
fn other_lines_pass_by_and_cut_ones_are_told_apart() {
    for line in [
        "",
        "hello",
        "teal3 x",
        "Proxy t started.",
        "teal1 - - - 0 400 0 -1 PR 0 <BADREQ> <NOSRV>",
        "teal2 4711 - - - - 400 0 -1 -1 -1 PR 0 <NOSRV> - 1795413742344325 -",
    ] {
        assert_eq!(reader().read(line.as_bytes()), Line::Foreign, "{line}");
    }
    let whole = "teal1 43.1.open api green 2 200 12 11 -- +1 GET s1";
    for end in "teal1 ".len()..whole.len() - " s1".len() - "GET".len() {
        assert_eq!(reader().read(&whole.as_bytes()[..end]), Line::Garbled, "{}", &whole[..end]);
    }
    let whole = line("200 12 0 0 11 -- +1");
    for end in "teal2 ".len()..whole.len() {
        assert_eq!(reader().read(&whole.as_bytes()[..end]), Line::Garbled, "{}", &whole[..end]);
    }
    for line in [
        "teal1 43.1.open api green - 200 12 11 -- 0 GET s1",
        "teal2 47x1 43.1.open api green 2 200 12 0 0 11 -- 0 s1 1795413742344325 1795413742356399 GET",
        "teal2 4711 43.1.open api green 2 200 12 0 0 11 -- 0 s1 1795413742344325 1795413742356399 GETS",
        "teal1 43.1.open shop green 2 200 12 11 -- 0 GET s1",
        "teal1 43.1.open api purple 2 200 12 11 -- 0 GET s1",
        "teal1 43.1.open api green 33 200 12 11 -- 0 GET s1",
        "teal1 43.1.open api green 2 2x0 12 11 -- 0 GET s1",
        "teal1 43.1.open api green 2 9999999999999999999 12 11 -- 0 GET s1",
    ] {
        assert_eq!(reader().read(line.as_bytes()), Line::Garbled, "{line}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(line in "(teal[12] )?[ -~]{0,80}") {
        let _ = reader().read(line.as_bytes());
    }
}
