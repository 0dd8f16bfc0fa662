//! Counts of requests, added up as they end.

use super::ledger::Ending;

/// Counts of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that ended.
    pub requests: u64,
    /// Of these, failed for the user: lost, or answered with 500 or above.
    pub bad: u64,
    /// Of the bad, without a complete response.
    pub lost: u64,
}

impl Tally {
    fn add(&mut self, ending: Ending) {
        self.requests += 1;
        self.bad += u64::from(ending.is_bad());
        self.lost += u64::from(ending.is_lost());
    }
}

/// Tallies of a set of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that ended.
    pub all: Tally,
    /// Those that ended without any version's word: lost, or answered by the edge alone.
    pub nobody: Tally,
    /// Those still under way.
    pub in_flight: u64,
    /// Those that this machine could not send.
    pub unsent: u64,
    /// By the version that answered; the index is the ledger's.
    versions: Vec<(String, Tally)>,
}

impl Counts {
    /// What this version did.
    #[must_use]
    pub fn version(&self, name: &str) -> Tally {
        self.versions.iter().find(|(version, _)| version == name).map(|(_, tally)| *tally).unwrap_or_default()
    }

    /// Nothing yet, of these versions.
    pub(super) fn of(versions: impl IntoIterator<Item = String>) -> Self {
        Self { versions: versions.into_iter().map(|name| (name, Tally::default())).collect(), ..Self::default() }
    }

    pub(super) fn add(&mut self, ending: Ending, version: Option<u16>) {
        match ending {
            Ending::InFlight => self.in_flight += 1,
            Ending::Unsent => self.unsent += 1,
            _ => {
                self.all.add(ending);
                match version.and_then(|version| self.versions.get_mut(usize::from(version))) {
                    Some((_, tally)) => tally.add(ending),
                    None => self.nobody.add(ending),
                }
            }
        }
    }

    /// The index of a version, which is given one when it is new.
    pub(super) fn intern(&mut self, name: &str) -> Option<u16> {
        let known = self.index(name);
        if known.is_none() {
            self.versions.push((name.to_owned(), Tally::default()));
        }
        known.or_else(|| u16::try_from(self.versions.len() - 1).ok())
    }

    pub(super) fn index(&self, name: &str) -> Option<u16> {
        let at = self.versions.iter().position(|(version, _)| version == name)?;
        u16::try_from(at).ok()
    }

    pub(super) fn name(&self, index: u16) -> Option<&str> {
        self.versions.get(usize::from(index)).map(|(name, _)| name.as_str())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.versions.iter().map(|(name, _)| name.clone())
    }
}
