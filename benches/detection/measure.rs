//! What the users of one cell saw, counted from the load generator's own ledger; the same for every contestant.

use std::time::Duration;

use serde::Serialize;
use teal_agent::demo::load::{Ending, Mark, Stretch};

/// Requests to the old colour are on their way when the switch falls; later than this they are a way back.
const SWITCH: Duration = Duration::from_millis(500);

/// Who answered a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The old colour.
    Old,
    /// The new colour.
    New,
    /// The edge in a colour's place (502, 503, 504), or nobody at all.
    Nobody,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// When it was sent.
    pub(crate) at: Duration,
    /// Who answered.
    pub(crate) who: Who,
    /// Failed, or slower than is taken for good in this cell.
    pub(crate) bad: bool,
}

/// Counted by when a request was sent, from the first that reached the new colour on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Bad requests that reached the new colour. One that nobody answered reached it: nothing else causes those.
    pub(crate) bad: u64,
    /// All that reached the new colour.
    pub(crate) reached: u64,
    /// Milliseconds until the last request was sent that reached the new colour.
    pub(crate) off_ms: f64,
    /// Milliseconds until the last bad one of them was sent.
    pub(crate) last_bad_ms: f64,
    /// Requests that the old colour answered after the switch.
    pub(crate) returned: u64,
    /// Bad requests, whoever they reached.
    pub(crate) all_bad: u64,
}

impl Figures {
    /// Of requests in the order in which they were sent.
    pub(crate) fn of(requests: impl Iterator<Item = Request>) -> Self {
        let mut figures = Self::default();
        let mut first = None;
        for Request { at, who, bad } in requests {
            let reached = who == Who::New || (who == Who::Nobody && bad);
            if first.is_none() && !reached {
                continue;
            }
            let since = at.saturating_sub(*first.get_or_insert(at));
            figures.all_bad += u64::from(bad);
            if !reached {
                figures.returned += u64::from(since > SWITCH);
                continue;
            }
            figures.reached += 1;
            figures.off_ms = millis(since);
            if bad {
                figures.bad += 1;
                figures.last_bad_ms = millis(since);
            }
        }
        figures
    }
}

/// The requests of a stretch that began at `from`; `slow` as in the plan.
pub(crate) fn requests(
    stretch: &Stretch,
    from: Mark,
    new: &str,
    slow: Option<Duration>,
) -> impl Iterator<Item = Request> {
    stretch.requests().filter(|sent| sent.ending != Ending::Unsent).map(move |sent| {
        let who = match sent.version {
            None => Who::Nobody,
            Some(version) if version == new => Who::New,
            Some(_) => Who::Old,
        };
        let late = who == Who::New && slow.is_some_and(|slow| sent.took > slow);
        Request { at: sent.at.since(from), who, bad: sent.ending.is_bad() || late }
    })
}

/// To three digits after the point.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_count_from_the_first_request_that_reached_the_new_colour() {
        let check = |letters: &str, [bad, reached, off, last_bad, returned, all_bad]: [u32; 6]| {
            let requests = letters.chars().zip(0..).map(|(letter, slot)| {
                let who = match letter.to_ascii_lowercase() {
                    'o' => Who::Old,
                    'n' => Who::New,
                    _ => Who::Nobody,
                };
                Request { at: Duration::from_millis(100 * slot), who, bad: letter.is_uppercase() }
            });
            let expected = Figures {
                bad: bad.into(),
                reached: reached.into(),
                off_ms: off.into(),
                last_bad_ms: last_bad.into(),
                returned: returned.into(),
                all_bad: all_bad.into(),
            };
            assert_eq!(Figures::of(requests), expected, "{letters}");
        };
        check("ooOo", [0, 0, 0, 0, 0, 0]);
        check("oOonnnn", [0, 4, 300, 0, 0, 0]);
        check("oNNnoooooooO", [2, 3, 200, 100, 5, 3]);
        check("onoXXoooo", [2, 3, 300, 300, 2, 2]);
    }
}
