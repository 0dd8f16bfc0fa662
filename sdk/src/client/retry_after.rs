//! The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a moment.

use std::time::Duration;

use crate::model::Timestamp;

/// How long from `now`; `None` when it is neither. A moment that has passed is zero.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let millis = moment(text)?.millis() - now.millis();
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that is still to be sent.
fn moment(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ');
    let mut word = || words.next();
    let (day, month, year, time, zone) = (word()?, word()?, word()?, word()?, word()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    (zone == "GMT").then(|| format!("{year}-{month:02}-{day}T{time}Z").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        assert_eq!(retry_after(text, now), expected.map(Duration::from_secs), "{text}");
    }

    #[test]
    fn seconds_and_moments_are_understood_and_nonsense_is_not() {
        check("7", Some(7));
        check(" 120 ", Some(120));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(30));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
        check("-7", None);
        check("99999999999", None);
        check("soon", None);
        check("Sun, 06 Foo 1994 08:49:37 GMT", None);
        check("Sun, 06 Nov 1994 08:49:37 CET", None);
        check("", None);
    }
}
