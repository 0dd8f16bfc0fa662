//! Time limits of checks as text: `"800ms"`, `"5s"`.

use std::time::Duration;

/// Whole milliseconds or seconds, more than none; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let (digits, to_duration): (_, fn(u64) -> Duration) = match text.strip_suffix("ms") {
        Some(digits) => (digits, Duration::from_millis),
        None => (text.strip_suffix('s')?, Duration::from_secs),
    };
    let digits = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().filter(|number| *number > 0).map(to_duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_milliseconds_or_seconds() {
        let check = |text, millis: Option<u64>| assert_eq!(parse(text), millis.map(Duration::from_millis), "{text}");
        check("800ms", Some(800));
        check("5s", Some(5000));
        for wrong in ["", "s", "ms", "5", "5m", "-5s", "+5s", "0s", "1.5s", "5 s", "99999999999999999999s"] {
            check(wrong, None);
        }
    }
}
