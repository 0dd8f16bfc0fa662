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
mod tests;
