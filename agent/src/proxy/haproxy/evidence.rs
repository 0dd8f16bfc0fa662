//! One log line becomes one request, and a judgement of it (decision section 1).
//!
//! ```text
//! teal1 <epoch> <component> <colour> <group> <status> <Ta> <Tr> <termination> <retries> <method> <server>
//! teal1 43.1.open api green 2 200 12 11 -- 0 GET s1
//! ```

use teal_rollout::colour::Colour;

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
    /// The route group, 0..=32.
    pub group: u8,
    /// What it says about the colour.
    pub judgement: Judgement,
    /// No response headers came within the component's largest latency limit, so that it may have been counted
    /// as overdue while it was still in flight.
    pub overdue: bool,
}

/// What a request says about the colour that answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Answered as it should be.
    Good,
    /// Bad by decision section 1.
    Bad,
    /// The client went away by itself, or no server was asked: counted for neither side.
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
    largest: u32,
    bad: BadWhen,
}

impl Reader {
    /// For these components; the index is the id.
    #[must_use]
    pub fn new(components: &[EdgeComponent]) -> Self {
        let component = |c: &EdgeComponent| Known {
            name: c.name.as_bytes().into(),
            limits: c.limits.clone(),
            largest: c.limits.largest(),
            bad: c.bad.clone(),
        };
        Self { components: components.iter().map(component).collect() }
    }

    /// Reads one line without its line feed. Does not allocate.
    #[must_use]
    pub fn read(&self, line: &[u8]) -> Line {
        let Some(fields) = line.strip_prefix(b"teal1 ") else { return Line::Foreign };
        self.fields(fields).unwrap_or(Line::Garbled)
    }

    fn fields(&self, fields: &[u8]) -> Option<Line> {
        let mut fields = fields.split(|&b| b == b' ');
        let release = release(fields.next()?)?;
        let name = fields.next()?;
        let colour = fields.next()?;
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
        let group = u8::try_from(number(fields.next()?)?).ok().filter(|&g| usize::from(g) < LatencyLimits::GROUPS)?;
        let status = number(fields.next()?)?;
        let total = number(fields.next()?)?;
        let headers = number(fields.next()?)?;
        let &[by, phase, ..] = fields.next()? else { return None };
        let retries = fields.next()?;
        // A line that ends within the retries was cut: nobody can tell `1` from the start of `10`, or `+` from `+1`.
        fields.next()?;
        let end = End { status, total, by, phase, retried: retries != b"0" };
        let waited = if headers >= 0 { headers } else { total };
        Some(Line::Request(Request {
            component: u8::try_from(component).ok()?,
            colour,
            release,
            group,
            judgement: end.judge(i64::from(known.limits.get(group)), &known.bad),
            overdue: waited >= i64::from(known.largest),
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
}

impl End {
    fn judge(&self, limit: i64, bad: &BadWhen) -> Judgement {
        match (self.by, self.phase) {
            // The client closed (`C`) or stalled (`c`). Once headers were on their way the status is the server's.
            (b'C' | b'c', b'D' | b'L' | b'T') if bad.is_bad(self.status) => Judgement::Bad,
            (b'C', b'H') if self.total > limit => Judgement::Bad,
            (b'C' | b'c', _) => Judgement::NotCounted,
            // Ended before a server was asked: refused by a rule, redirected, or no valid request.
            (_, b'R') => Judgement::NotCounted,
            // An upgraded connection ends when one side has had enough; that is how web sockets end.
            _ if self.status == 101 => Judgement::Good,
            (b'S' | b's', _) => Judgement::Bad,
            _ if bad.is_bad(self.status) || (self.retried && bad.counts_retries()) => Judgement::Bad,
            _ => Judgement::Good,
        }
    }
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
        let strict = BadWhen::new(&["4xx".parse().unwrap()], &["501".parse().unwrap()], false);
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

    #[test]
    fn a_line_carries_where_the_request_went() {
        assert_eq!(
            request("teal1 43.1.open web green 7 200 12 11 -- 0 GET s1"),
            Request {
                component: 2,
                colour: Colour::Green,
                release: 43,
                group: 7,
                judgement: Judgement::Good,
                overdue: false,
            }
        );
        assert_eq!(request("teal1 - api blue 0 200 12 11 -- 0 GET s1").release, 0);
    }

    #[test]
    fn the_end_of_a_request_is_judged_by_decision_section_1() {
        use Judgement::{Bad, Good, NotCounted};
        let check = |end: &str, judgement: Judgement| {
            let line = format!("teal1 43.1.open api green 2 {end} GET s1");
            assert_eq!(request(&line).judgement, judgement, "{line}");
        };
        check("200 12 11 -- 0", Good);
        check("404 12 11 -- 0", Good);
        check("499 12 11 ---- 0", Good);
        check("500 12 11 -- 0", Bad);
        check("503 0 -1 SC 3", Bad);
        check("502 3 -1 SH 2", Bad);
        check("502 0 -1 PH 0", Bad);
        check("504 5001 -1 sH 0", Bad);
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
        let check = |times: &str, overdue: bool| {
            let line = format!("teal1 43.1.open api green 2 200 {times} -- 0 GET s1");
            assert_eq!(request(&line).overdue, overdue, "{line}");
        };
        check("999 -1", false);
        check("1000 -1", true);
        check("60000 20", false);
        check("60000 1500", true);
    }

    #[test]
    fn other_lines_pass_by_and_cut_ones_are_told_apart() {
        for line in ["", "hello", "teal2 x", "Proxy t started.", "teal1 - - - 0 400 0 -1 PR 0 <BADREQ> <NOSRV>"] {
            assert_eq!(reader().read(line.as_bytes()), Line::Foreign, "{line}");
        }
        let whole = "teal1 43.1.open api green 2 200 12 11 -- +1 GET s1";
        for end in "teal1 ".len()..whole.len() - " s1".len() - "GET".len() {
            assert_eq!(reader().read(&whole.as_bytes()[..end]), Line::Garbled, "{}", &whole[..end]);
        }
        for line in [
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
        fn reading_never_panics(line in "(teal1 )?[ -~]{0,80}") {
            let _ = reader().read(line.as_bytes());
        }
    }
}
