//! Which build this is: the version, and the commit and its date where the build was told.
//!
//! `make build`, the image and the release workflow tell it (`TEAL_COMMIT`, `TEAL_DATE`). Nothing asks git by itself: then each commit
//! would build the agent again, and a build of a copy without git would fail or lie. Only the program's own few lines hold it, so that
//! another commit does not compile this crate anew.

use std::sync::{LazyLock, OnceLock};

/// The version alone, `0.1.0`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

static STAMP: OnceLock<(&str, &str)> = OnceLock::new();

static LONG: LazyLock<String> = LazyLock::new(|| {
    let (commit, date) = STAMP.get().copied().unwrap_or_default();
    describe(commit, date)
});

/// Says which commit this is, and its date, as far as the build was told; once, before anybody asks.
pub fn stamp(commit: Option<&'static str>, date: Option<&'static str>) {
    // The first word counts.
    let _ = STAMP.set((commit.unwrap_or_default(), date.unwrap_or_default()));
}

/// `0.1.0 (commit 1a2b3c4d5e6f, 2026-11-28)`, or `0.1.0 (commit unknown)`.
#[must_use]
pub fn long() -> &'static str {
    &LONG
}

fn describe(commit: &str, date: &str) -> String {
    // Without git nothing but the mark of changes may be left of it.
    let known = commit.starts_with(|c: char| c.is_ascii_hexdigit());
    match (known, date) {
        (false, _) => format!("{VERSION} (commit unknown)"),
        (true, "") => format!("{VERSION} (commit {commit})"),
        (true, date) => format!("{VERSION} (commit {commit}, {date})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        let check =
            |commit: &str, date: &str, said: &str| assert_eq!(describe(commit, date), format!("{VERSION} ({said})"));
        check("", "", "commit unknown");
        check("+changes", "2026-11-28", "commit unknown");
        check("1a2b3c4d5e6f", "", "commit 1a2b3c4d5e6f");
        check("1a2b3c4d5e6f", "2026-11-28", "commit 1a2b3c4d5e6f, 2026-11-28");
        check("1a2b3c4d5e6f+changes", "2026-11-28", "commit 1a2b3c4d5e6f+changes, 2026-11-28");
    }
}
