//! How a release is called in front of people: `r-0043`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A release's number; `r-0043` in text and JSON. `43`, `r-43` and the number 43 are read too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(pub u64);

/// Text that is no release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a release: write r-0043 or 43; `teal history` lists them")]
pub struct WrongReleaseId(pub String);

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("r-{:04}", self.0))
    }
}

impl FromStr for ReleaseId {
    type Err = WrongReleaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("r-").unwrap_or(text);
        let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        number.map(Self).ok_or_else(|| WrongReleaseId(text.to_owned()))
    }
}

impl Serialize for ReleaseId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReleaseId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(from)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_in_each_of_its_forms_and_printed_in_one() {
        for text in ["43", "r-43", "r-0043", "0043"] {
            assert_eq!(text.parse::<ReleaseId>().unwrap().to_string(), "r-0043", "{text}");
        }
        assert_eq!(ReleaseId(12_345).to_string(), "r-12345");
        for text in ["", "r-", "r", "R-43", "v1.2.3", "-1", "+1", "r-0x2b", "99999999999999999999"] {
            assert_eq!(text.parse::<ReleaseId>(), Err(WrongReleaseId(text.to_owned())));
        }
    }

    #[test]
    fn json_takes_the_text_and_the_number() {
        for json in ["\"r-0043\"", "43"] {
            assert_eq!(serde_json::from_str::<ReleaseId>(json).unwrap(), ReleaseId(43));
        }
        assert_eq!(serde_json::to_string(&ReleaseId(43)).unwrap(), "\"r-0043\"");
    }
}
