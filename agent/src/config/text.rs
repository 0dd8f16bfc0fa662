//! Durations and percentages as people write them, exact both ways.

use std::time::Duration;

use serde::Serializer;
use teal_rollout::colour::Share;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// `"5m"`, `"800ms"`, `"1h30m"`: whole numbers with units from d, h, m, s, ms, in any order.
///
/// # Errors
/// A sentence with the way out.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{text}` is not a duration: write whole numbers with d, h, m, s or ms, for instance \"5m\" or \"800ms\""
        )
    };
    let (mut rest, mut millis) = (text.trim(), 0_u64);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*factor)).ok_or_else(wrong)?;
        millis = millis.checked_add(part).ok_or_else(wrong)?;
        rest = tail;
    }
    Ok(Duration::from_millis(millis))
}

/// The shortest text that [`parse_duration`] reads back, to the millisecond: `1h30m`.
#[must_use]
pub(crate) fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS {
        if millis >= factor {
            text.push_str(&format!("{}{unit}", millis / factor));
            millis %= factor;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `"12.5%"` to thousandths of a percent, without a float in between.
///
/// # Errors
/// A sentence with the way out.
pub(crate) fn parse_percent(text: &str) -> Result<Share, String> {
    parse_thousandths(text).and_then(Share::new).ok_or_else(|| {
        format!("`{text}` is not a percentage: write 0% to 100% with at most three decimals, for instance \"12.5%\"")
    })
}

/// Thousandths of a percent of any size, as long as they fit.
pub(super) fn parse_thousandths(text: &str) -> Option<u32> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole, 4) && digits(decimals, 3)).then(|| format!("{whole}{decimals:0<3}").parse().ok()).flatten()
}

/// What [`parse_thousandths`] reads back, without the sign.
pub(super) fn format_thousandths(thousandths: u32) -> String {
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() }
}

pub(super) fn serialize_duration<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format_duration(*duration))
}

pub(super) fn serialize_percent<S: Serializer>(share: &Share, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&share.to_string().replace(' ', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_exact_or_refused() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(parse_duration(text).ok(), millis.map(Duration::from_millis), "{text}");
        };
        check("5m", Some(300_000));
        check("800ms", Some(800));
        check("1h30m", Some(5_400_000));
        check("0s", Some(0));
        for wrong in ["", "5", "m", "5 m", "-5m", "1.5s", "5min", "99999999999999999999s", "18446744073709551615d"] {
            check(wrong, None);
        }
    }

    #[test]
    fn percentages_are_exact_or_refused() {
        let check = |text: &str, thousandths: Option<u32>| {
            assert_eq!(parse_percent(text).ok().map(Share::get), thousandths, "{text}");
        };
        check("0%", Some(0));
        check("0.001%", Some(1));
        check("12.5 %", Some(12_500));
        check("100%", Some(100_000));
        for wrong in ["", "%", "10", "100.001%", "0.0001%", "-1%", "+1%", "1.%", "1e1%", "ten%"] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn a_duration_reads_back_what_it_wrote(millis in 0_u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn a_percentage_reads_back_what_it_wrote(thousandths in 0_u32..=100_000) {
            let share = Share::new(thousandths).unwrap();
            prop_assert_eq!(parse_percent(&share.to_string()).unwrap(), share);
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,20}") {
            let _ = parse_duration(&text);
            let _ = parse_percent(&text);
        }
    }
}
