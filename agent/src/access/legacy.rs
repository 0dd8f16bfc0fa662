//! The paths that `legacy_anonymous` may open to everybody: PhysioFlow's own, for as long as its clients send no token.

use std::fmt;
use std::str::FromStr;

/// PhysioFlow's seven: what its API had before Teal. `check` was asked in two ways.
pub const SEVEN: [&str; 8] = [
    "GET /api/v1/feature-flags",
    "POST /api/v1/feature-flags",
    "GET /api/v1/feature-flags/{flag}",
    "PATCH /api/v1/feature-flags/{flag}",
    "DELETE /api/v1/feature-flags/{flag}",
    "GET /api/v1/feature-flags/{flag}/audit-log",
    "GET /api/v1/feature-flags/{flag}/check",
    "POST /api/v1/feature-flags/{flag}/check",
];

/// One of [`SEVEN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyPath(&'static str);

impl LegacyPath {
    /// Whether a request of this method, which was led to this path, is one of these.
    #[must_use]
    pub fn is(self, method: &str, path: &str) -> bool {
        self.0.split_once(' ') == Some((method, path))
    }

    /// Whether it changes flags.
    #[must_use]
    pub fn changes(self) -> bool {
        !self.0.starts_with("GET ") && !self.0.ends_with("/check")
    }
}

impl fmt::Display for LegacyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for LegacyPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = SEVEN.into_iter().find(|path| *path == text).map(Self);
        found.ok_or_else(|| format!("`{text}` can not be opened to everybody; these can: {}", SEVEN.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::rule;

    #[test]
    fn each_is_a_path_of_the_service_and_knows_whether_it_changes_flags() {
        for text in SEVEN {
            let path: LegacyPath = text.parse().unwrap();
            let (method, place) = text.split_once(' ').unwrap();
            assert!(rule(method, place).is_some() && path.is(method, place), "{text}");
            assert!(!path.is("PUT", place));
            let changes = [
                "POST /api/v1/feature-flags",
                "PATCH /api/v1/feature-flags/{flag}",
                "DELETE /api/v1/feature-flags/{flag}",
            ];
            assert_eq!(path.changes(), changes.contains(&text), "{text}");
        }
        assert!("GET /api/v1/feature-flags/stream".parse::<LegacyPath>().is_err());
    }
}
