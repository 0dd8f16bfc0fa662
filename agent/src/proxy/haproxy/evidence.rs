//! One log line becomes one request, and a judgement of it (decision section 1).
//!
//! ```text
//! teal2 <pid> <epoch> <component> <colour> <group> <status> <Ta> <Tw> <Tc> <Tr> <termination> <retries> <server> <started> <ended> <method>
//! teal2 4711 43.1.open api green 2 200 12 0 1 10 -- 0 s1 1795413742344325 1795413742356399 GET
//!
//! teal1 <epoch> <component> <colour> <group> <status> <Ta> <Tr> <termination> <retries> <method> <server>
//! ```
//!
//! `teal1` is what configurations rendered before had; it says less. No group (`-`) is an ignored path: the line only
//! says that a request has ended. `started` and `ended` are HAProxy's wall clock in microseconds, the first when a
//! back end was chosen. A line that was cut lacks its last field or has only the start of it, which is no method.

use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Access;

use super::settings::{BadWhen, EdgeComponent, LatencyLimits};

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A finished request of one of our components.
    Request(Request),
    /// Somebody else's line, or a request that never came as far as a component.
    Foreign,
    /// Ours by its prefix, and cut or broken.
    Garbled,
}

/// A finished request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The component's id.
    pub component: u8,
    /// The colour that it was sent to.
    pub colour: Colour,
    /// The release whose policy routed it; 0 where the edge did not know.
    pub release: u64,
    /// The route group, 0..=32; 0 also on an ignored path.
    pub group: u8,
    /// What it says about the colour.
    pub judgement: Judgement,
    /// No response headers came within the component's largest latency limit, so that it may have been counted
    /// as overdue while it was still in flight.
    pub overdue: bool,
    /// It is bad for how long it took and not for what was answered.
    pub waited: bool,
    /// Milliseconds that the client waited for response headers once it had sent its own: in the queue (Tw), for the
    /// connection (Tc) and for the server (Tr, which includes the reading of a body). `None` where none came. `teal1`
    /// has only Tr.
    pub wait_ms: Option<u32>,
    /// What its method may do.
    pub access: Access,
    /// The number of the last server tried; 0 where there was none, or it is above 255.
    pub server: u8,
    /// Milliseconds that it took in all, the client's sending of it included.
    pub total_ms: u32,
    /// When it began and ended, and where; `None` in `teal1`.
    pub span: Option<Span>,
}

/// The time that a request was at its back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The process that served it.
    pub pid: u32,
    /// When the back end was chosen, in microseconds since 1970 by HAProxy's wall clock, which it reads only once in
    /// a round of its work: never later than it was, and mostly less than a millisecond earlier.
    pub started: u64,
    /// When it ended, by the same clock.
    pub ended: u64,
    /// A server sent response headers.
    pub answered: bool,
}

/// What a request says about the colour that answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Answered as it should be.
    Good,
    /// Bad by decision section 1.
    Bad,
    /// The client went away by itself, no server was asked, or the path is ignored: counted for neither side.
    NotCounted,
}

/// Knows the components by name.
#[derive(Clone, Debug)]
pub struct Reader {
    components: Vec<Known>,
}

/// A component as its lines are read.
#[derive(Clone, Debug)]
struct Known {
    name: Box<[u8]>,
    limits: LatencyLimits,
    largest: i64,
    bad: BadWhen,
}

impl Reader {
    /// For these components; the index is the id.
    #[must_use]
    pub fn new(components: &[EdgeComponent]) -> Self {
        let component = |c: &EdgeComponent| Known {
            name: c.name.as_bytes().into(),
            limits: c.limits.clone(),
            largest: i64::from(c.limits.largest()),
            bad: c.bad.clone(),
        };
        Self { components: components.iter().map(component).collect() }
    }

    /// The largest latency limit of a component, in milliseconds; 0 where there is no such component.
    #[must_use]
    pub fn limit_ms(&self, component: usize) -> u32 {
        self.components.get(component).map_or(0, |known| u32::try_from(known.largest).unwrap_or(u32::MAX))
    }

    /// Reads one line without its line feed. Does not allocate.
    #[must_use]
    pub fn read(&self, line: &[u8]) -> Line {
        let read = match line.split_at_checked(6) {
            Some((b"teal2 ", fields)) => self.line(fields, true),
            Some((b"teal1 ", fields)) => self.line(fields, false),
            _ => return Line::Foreign,
        };
        read.unwrap_or(Line::Garbled)
    }

    fn line(&self, fields: &[u8], full: bool) -> Option<Line> {
        let mut fields = fields.split(|&b| b == b' ');
        let pid = if full { u32::try_from(number(fields.next()?)?).ok()? } else { 0 };
        let release = release(fields.next()?)?;
        let (name, colour) = (fields.next()?, fields.next()?);
        if name == b"-" || colour == b"-" {
            return Some(Line::Foreign);
        }
        let component = self.components.iter().position(|known| *known.name == *name)?;
        let known = &self.components[component];
        let colour = match colour {
            b"blue" => Colour::Blue,
            b"green" => Colour::Green,
            _ => return None,
        };
        let group = match fields.next()? {
            b"-" if full => None,
            group => Some(u8::try_from(number(group)?).ok().filter(|&g| usize::from(g) < LatencyLimits::GROUPS)?),
        };
        let status = number(fields.next()?)?;
        let total = number(fields.next()?)?;
        let queued = if full { number(fields.next()?)? } else { 0 };
        let connected = if full { number(fields.next()?)? } else { 0 };
        let answered = number(fields.next()?)?;
        let &[by, phase, ..] = fields.next()? else { return None };
        let retried = fields.next()? != b"0";
        let (server, span, method) = if full {
            let server = fields.next()?;
            let (started, ended) = (stamp(fields.next()?)?, stamp(fields.next()?)?);
            let answered = answered >= 0 && !server.starts_with(b"<");
            let span = started.zip(ended).map(|(started, ended)| Span { pid, started, ended, answered });
            (server, span, fields.next()?)
        } else {
            // Behind the retries because nobody can tell `1` from the start of `10`, or `+` from `+1`.
            let method = fields.next()?;
            (fields.next().unwrap_or_default(), None, method)
        };
        let access = access(method, full)?;
        let wait = (answered >= 0).then(|| queued.max(0) + connected.max(0) + answered);
        // Without an answer it waited for as long as it was here.
        let here =
            span.map_or(Some(total), |span| i64::try_from(span.ended.saturating_sub(span.started) / 1000).ok())?;
        let overdue = wait.unwrap_or(here) >= known.largest;
        let end = End { status, total, by, phase, retried, overdue };
        let judge = |group| end.judge(i64::from(known.limits.get(group)), &known.bad);
        Some(Line::Request(Request {
            component: u8::try_from(component).ok()?,
            colour,
            release,
            group: group.unwrap_or(0),
            judgement: group.map_or(Judgement::NotCounted, judge),
            overdue,
            waited: end.waited(wait.unwrap_or(here), &known.bad),
            wait_ms: wait.map(|wait| u32::try_from(wait).unwrap_or(u32::MAX)),
            access,
            server: server.strip_prefix(b"s").and_then(number).and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
            total_ms: u32::try_from(total).unwrap_or(0),
            span,
        }))
    }
}

/// How a request ended.
struct End {
    status: i64,
    total: i64,
    by: u8,
    phase: u8,
    retried: bool,
    overdue: bool,
}

impl End {
    fn judge(&self, limit: i64, bad: &BadWhen) -> Judgement {
        match (self.by, self.phase) {
            // Ended before a server was asked: refused by a rule, redirected, or no valid request.
            (_, b'R') => Judgement::NotCounted,
            // In flight it would have counted as bad by now. Whether a look came between must make no difference:
            // the two colours are looked at at different paces.
            _ if self.overdue => Judgement::Bad,
            // The client closed (`C`) or stalled (`c`). Once headers were on their way the status is the server's.
            (b'C' | b'c', b'D' | b'L' | b'T') if bad.is_bad(self.status) => Judgement::Bad,
            (b'C', b'H') if self.total > limit => Judgement::Bad,
            (b'C' | b'c', _) => Judgement::NotCounted,
            // An upgraded connection ends when one side has had enough; that is how web sockets end.
            _ if self.status == 101 => Judgement::Good,
            (b'S' | b's', _) => Judgement::Bad,
            _ if bad.is_bad(self.status) || (self.retried && bad.counts_retries()) => Judgement::Bad,
            _ => Judgement::Good,
        }
    }

    /// Whether it is bad, if it is, for how long it took.
    fn waited(&self, wait: i64, bad: &BadWhen) -> bool {
        let held_up = self.overdue || self.retried && wait >= TIMED_OUT_MS || self.by == b'C';
        self.by == b's' || held_up && !bad.is_bad(self.status)
    }
}

/// A connection that took so long to be made at the second try was not refused.
const TIMED_OUT_MS: i64 = 100;

/// What the method may do. With `known` it must be one that the configuration logs, which no other begins with.
fn access(method: &[u8], known: bool) -> Option<Access> {
    match method {
        b"GET" | b"HEAD" | b"OPTIONS" => Some(Access::Read),
        b"POST" | b"PUT" | b"PATCH" | b"DELETE" | b"OTHER" => Some(Access::Write),
        _ if known => None,
        _ => Some(Access::Write),
    }
}

/// Microseconds since 1970; `-` where HAProxy did not get as far as taking the time.
fn stamp(field: &[u8]) -> Option<Option<u64>> {
    if field == b"-" { Some(None) } else { Some(u64::try_from(number(field)?).ok()) }
}

/// `43` of `43.1.open`; `-` is 0.
fn release(epoch: &[u8]) -> Option<u64> {
    if epoch == b"-" {
        return Some(0);
    }
    let digits = epoch.split(|&b| b == b'.').next()?;
    number(digits).and_then(|release| u64::try_from(release).ok())
}

/// A decimal number, perhaps negative, of at most 18 digits.
fn number(text: &[u8]) -> Option<i64> {
    // HAProxy puts a `+` before times and counts of requests that it logs before their end.
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for &b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(b - b'0');
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
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
            span: Some(Span {
                pid: 4711,
                started: 1_795_413_742_344_325,
                ended: 1_795_413_742_363_399,
                answered: true,
            }),
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
}
