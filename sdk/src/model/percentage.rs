//! Percentages, exact to a thousandth.

use std::fmt;
use std::str::FromStr;

/// A share of all users, 0 to 100 %, in thousandths of a percent: one is one bucket of [`crate::BUCKETS`].
///
/// Parsed from decimal text and never by way of a float, so that 12.345 is 12 345 buckets and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentage(u32);

impl Percentage {
    /// 0 %.
    pub const NONE: Self = Self(0);
    /// 100 %.
    pub const ALL: Self = Self(100_000);

    /// So many thousandths of a percent; `None` above 100 000.
    #[must_use]
    pub const fn from_thousandths(thousandths: u32) -> Option<Self> {
        if thousandths <= Self::ALL.0 { Some(Self(thousandths)) } else { None }
    }

    /// So many percent; `None` above 100.
    #[must_use]
    pub const fn from_whole(percent: u32) -> Option<Self> {
        if percent <= 100 { Some(Self(percent * 1000)) } else { None }
    }

    /// 0..=100 000.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

/// Why a text is no percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentageError {
    /// Not digits with at most one point, such as `25` or `12.5`.
    NotANumber,
    /// More than three decimals that count.
    TooFine,
    /// More than 100.
    TooLarge,
}

impl fmt::Display for PercentageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "is not a percentage; write digits, such as 25 or 12.5",
            Self::TooFine => "has more than three decimals; the finest share is 0.001",
            Self::TooLarge => "is more than 100",
        })
    }
}

impl std::error::Error for PercentageError {}

impl FromStr for Percentage {
    type Err = PercentageError;

    /// Digits, and after a point up to three more; trailing zeros do not count.
    fn from_str(text: &str) -> Result<Self, PercentageError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(PercentageError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 3 {
            return Err(PercentageError::TooFine);
        }
        let whole: u32 = match whole.trim_start_matches('0') {
            "" => 0,
            digits if digits.len() > 3 => return Err(PercentageError::TooLarge),
            digits => digits.parse().map_err(|_| PercentageError::NotANumber)?,
        };
        let thousandths: u32 = format!("{fraction:0<3}").parse().map_err(|_| PercentageError::NotANumber)?;
        Self::from_thousandths(whole * 1000 + thousandths).ok_or(PercentageError::TooLarge)
    }
}

impl fmt::Display for Percentage {
    /// The shortest text that reads as this: `25`, `12.5`, `0.001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, thousandths) = (self.0 / 1000, self.0 % 1000);
        if thousandths == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{thousandths:03}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<u32, PercentageError>) {
        assert_eq!(text.parse().map(Percentage::thousandths), expected, "{text}");
    }

    #[test]
    fn decimal_text_is_read_exactly_or_refused() {
        use PercentageError::{NotANumber, TooFine, TooLarge};
        check("0", Ok(0));
        check("25", Ok(25_000));
        check("12.345", Ok(12_345));
        check("0.001", Ok(1));
        check("33.3", Ok(33_300));
        check("100.000", Ok(100_000));
        check("1.2000000", Ok(1_200));
        check("007", Ok(7_000));
        check("0.0005", Err(TooFine));
        check("99.9999", Err(TooFine));
        check("100.001", Err(TooLarge));
        check("101", Err(TooLarge));
        check("99999999999999999999", Err(TooLarge));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e1", "1,5", " 1", "NaN", "1.2.3", "٣"] {
            check(text, Err(NotANumber));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(thousandths in 0..=100_000u32) {
            let share = Percentage::from_thousandths(thousandths).unwrap();
            prop_assert_eq!(share.to_string().parse(), Ok(share));
        }

        #[test]
        fn a_json_number_keeps_its_three_decimals(thousandths in 0..=100_000u32) {
            let share = Percentage::from_thousandths(thousandths).unwrap();
            let number: serde_json::Value = serde_json::from_str(&share.to_string()).unwrap();
            let back = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(back.strip_suffix(".0").unwrap_or(&back).parse(), Ok(share));
        }
    }
}
