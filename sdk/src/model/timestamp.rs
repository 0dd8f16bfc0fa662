//! Moments, as RFC 3339 text in JSON.

use std::fmt;
use std::str::FromStr;

const DAY: i64 = 86_400_000;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Written in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999, beyond which RFC 3339 has no text.
const LATEST: i64 = 253_402_300_799_999;
/// The first of the year 0.
const EARLIEST: i64 = -62_167_219_200_000;

impl Timestamp {
    /// So many milliseconds since 1970, kept within the years 0 to 9999.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis > LATEST {
            return Self(LATEST);
        }
        if millis < EARLIEST {
            return Self(EARLIEST);
        }
        Self(millis)
    }

    /// Milliseconds since 1970; negative before.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }
}

/// A text that is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError;

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a moment; write it as 2026-11-28T09:00:00Z or 2026-11-28T16:00:00+07:00")
    }
}

impl std::error::Error for TimestampError {}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// RFC 3339: a date, `T` (or `t`, or a space), a time, any fraction (cut to milliseconds), and `Z` or an offset. A leap second is the
    /// first millisecond of the next minute.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse(text).ok_or(TimestampError)
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?);
    let (hour, minute, second) = (number(time, 0, 2)?, number(time, 3, 2)?, number(time, 6, 2)?);
    if [date.as_bytes()[4], date.as_bytes()[7]] != *b"--" || [time.as_bytes()[2], time.as_bytes()[5]] != *b"::" {
        return None;
    }
    let in_range = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction(time.get(8..)?)?;
    let offset = offset(zone)?;
    let millis = days(year, month, day) * DAY + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
    (EARLIEST..=LATEST).contains(&millis).then_some(Timestamp(millis))
}

/// So many digits from this place on, and nothing but digits.
fn number(text: &str, at: usize, length: usize) -> Option<i64> {
    let digits = text.get(at..at + length)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The milliseconds of `.123456`, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit())?;
    let place = |at: usize| digits.as_bytes()[..end].get(at).map_or(0, |digit| i64::from(digit - b'0'));
    (end > 0).then(|| (place(0) * 100 + place(1) * 10 + place(2), &digits[end..]))
}

/// The minutes of `Z`, `+07:00` or `-03:30` that local time is ahead.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(zone, 1, 2)?, number(zone, 4, 2)?);
    let well_formed = zone.len() == 6 && zone.as_bytes()[3] == b':' && hours < 24 && minutes < 60;
    well_formed.then_some(sign * (hours * 60 + minutes))
}

fn month_days(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse, `civil_from_days`: (year, month, day).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    /// `2026-11-28T09:00:00Z`, with milliseconds where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let millis = self.0.rem_euclid(DAY);
        let (seconds, fraction) = (millis / 1000, millis % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            write!(f, ".{fraction:03}")?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(text.parse().ok().map(Timestamp::millis), expected, "{text}");
    }

    #[test]
    fn moments_are_read_as_rfc_3339_says() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-11-28T07:08:01Z", Some(1_795_849_681_000));
        check("2026-11-28T14:08:01.5+07:00", Some(1_795_849_681_500));
        check("2026-11-28 03:38:01.123456789-03:30", Some(1_795_849_681_123));
        check("2024-02-29T00:00:00z", Some(1_709_164_800_000));
        check("2016-12-31T23:59:60Z", Some(1_483_228_800_000));
        check("0000-01-01T00:00:00Z", Some(EARLIEST));
        check("9999-12-31T23:59:59.999Z", Some(LATEST));
        for text in [
            "",
            "2026-11-28",
            "2026-11-28T07:08Z",
            "2026-11-28T07:08:01",
            "2026-11-28T07:08:01.Z",
            "2026-11-28T07:08:01+0700",
            "2026-11-28T24:00:00Z",
            "2026-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2026-11-28T07:08:01Zjunk",
            "2026-11-28x07:08:01Z",
            "+026-11-28T07:08:01Z",
            "9999-12-31T23:59:59-01:00",
            "২026-11-28T07:08:01Z",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(millis in EARLIEST..=LATEST) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[0-9TtZz:+. -]{0,32}") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
