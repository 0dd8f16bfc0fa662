//! Which answers are bad, beyond decision section 1, by component.

use std::fmt;
use std::str::FromStr;

/// What makes an answer of a component bad: a set of statuses, and whether a retry does.
///
/// Only answers are judged by it. A request that the server's side ended, that found no server, or that waited
/// longer than its limit is bad whatever this says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadWhen {
    /// One bit a status, 0 to 999.
    statuses: [u64; Self::WORDS],
    retries: bool,
}

impl BadWhen {
    /// Of 64 statuses each.
    const WORDS: usize = 16;

    /// Server errors (500 and above) are bad, and so are all of `bad`; those of `good` are not, also where `bad` or
    /// the rule has them. With `retries`, a request that had to be repeated is bad although its answer is not.
    #[must_use]
    pub fn new(bad: &[StatusRange], good: &[StatusRange], retries: bool) -> Self {
        let mut statuses = [0; Self::WORDS];
        let is_in = |ranges: &[StatusRange], status| ranges.iter().any(|range| range.contains(status));
        for (word, bits) in (0_u16..).zip(&mut statuses) {
            for bit in 0..64 {
                let status = word * 64 + bit;
                if (status >= 500 || is_in(bad, status)) && !is_in(good, status) {
                    *bits |= 1 << bit;
                }
            }
        }
        Self { statuses, retries }
    }

    /// Whether an answer with this status is bad; one that is no status (-1: none was sent) is not.
    #[must_use]
    pub fn is_bad(&self, status: i64) -> bool {
        let Ok(status) = usize::try_from(status) else { return false };
        self.statuses.get(status / 64).is_none_or(|bits| bits >> (status % 64) & 1 == 1)
    }

    /// Whether a request that had to be repeated is bad.
    #[must_use]
    pub const fn counts_retries(&self) -> bool {
        self.retries
    }
}

impl Default for BadWhen {
    /// Decision section 1: server errors and retries.
    fn default() -> Self {
        Self::new(&[], &[], true)
    }
}

/// Statuses from one to another, both included: `429`, `500-503` or `4xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// Whether a status lies in it.
    #[must_use]
    pub const fn contains(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

/// A text that names no statuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a status: give one from 100 to 599 as 429, a range as 500-503, or a class as 4xx", .0.escape_debug())]
pub struct InvalidStatus(pub String);

impl FromStr for StatusRange {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = match text.strip_suffix("xx") {
            Some(class) => (format!("{class}00"), format!("{class}99")),
            None => {
                let (first, last) = text.split_once('-').unwrap_or((text, text));
                (first.to_owned(), last.to_owned())
            }
        };
        let status = |text: &str| {
            let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|status| digits && (100..=599).contains(status))
        };
        match (status(&first), status(&last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(InvalidStatus(text.to_owned())),
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) if first % 100 == 0 && last == first + 99 => write!(f, "{}xx", first / 100),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Vec<StatusRange> {
        text.split_whitespace().map(|range| range.parse().unwrap()).collect()
    }

    #[test]
    fn server_errors_are_bad_and_lists_add_and_take_away() {
        let check = |bad: &str, good: &str, statuses: &[i64]| {
            let when = BadWhen::new(&ranges(bad), &ranges(good), true);
            let all = [-1, 0, 100, 200, 304, 404, 429, 499, 500, 501, 503, 599, 999, 1000];
            let found: Vec<i64> = all.into_iter().filter(|&status| when.is_bad(status)).collect();
            assert_eq!(found, statuses, "bad {bad}, good {good}");
        };
        check("", "", &[500, 501, 503, 599, 999, 1000]);
        check("429", "501", &[429, 500, 503, 599, 999, 1000]);
        check("4xx", "404 5xx", &[429, 499, 999, 1000]);
        check("", "500-503", &[599, 999, 1000]);
        assert_eq!(BadWhen::default(), BadWhen::new(&[], &[], true));
        assert!(BadWhen::default().counts_retries() && !BadWhen::new(&[], &[], false).counts_retries());
    }

    #[test]
    fn ranges_read_as_they_are_written_and_others_are_refused() {
        for text in ["429", "500-503", "4xx", "100", "599"] {
            assert_eq!(text.parse::<StatusRange>().unwrap().to_string(), text);
        }
        assert_eq!("400-499".parse::<StatusRange>().unwrap().to_string(), "4xx");
        for text in ["", "xx", "6xx", "0xx", "99", "600", "503-500", "5xx-600", "+429", "4290", "-", "4x", "429 "] {
            let error = text.parse::<StatusRange>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("4xx"), "{error}");
        }
    }
}
