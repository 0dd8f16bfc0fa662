//! What an import says about what it did.

use std::collections::HashSet;
use std::fmt;

/// Something that was not carried over as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The flag, by the name that it had; `None` where it concerns all.
    pub flag: Option<String>,
    /// What has no counterpart here.
    pub what: String,
    /// What happens instead.
    pub instead: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.flag.as_deref().unwrap_or("all"), self.what, self.instead)
    }
}

/// Collects findings while one flag after the other is imported.
#[derive(Default)]
pub(super) struct Report {
    flag: Option<String>,
    findings: Vec<Finding>,
    said: HashSet<(String, String)>,
}

impl Report {
    /// What follows is about this flag.
    pub(super) fn about(&mut self, flag: Option<&str>) {
        self.flag = flag.map(str::to_owned);
        self.said.clear();
    }

    /// Once for each flag is enough.
    pub(super) fn find(&mut self, what: impl fmt::Display, instead: impl fmt::Display) {
        let (what, instead) = (what.to_string(), instead.to_string());
        if self.said.insert((what.clone(), instead.clone())) {
            self.findings.push(Finding { flag: self.flag.clone(), what, instead });
        }
    }

    pub(super) fn done(self) -> Vec<Finding> {
        self.findings
    }
}
