//! Which state of which service: so that nobody goes back in time unnoticed.

use super::Problem;
use crate::model::Document;

/// Up to which revision of which service everything is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// The service, or the life of it since its database was last restored. `None`: nothing was heard yet.
    pub instance: Option<String>,
    /// Counts the changes of the instance.
    pub revision: u64,
}

/// What came of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What became of it as a whole.
    pub outcome: Outcome,
    /// Names of flags that were told something new, or that this takes out of use, in alphabetical order.
    pub changed: Vec<String>,
    /// What cannot be used.
    pub problems: Vec<Problem>,
}

/// What became of a document as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something is different now.
    Changed,
    /// Everything was known already.
    Unchanged,
    /// Refused: of the same instance, and older than what is known.
    Older,
    /// Refused: it tells what changed since a revision that is not reached yet, or in another instance. All is needed.
    Gap,
    /// Taken over, and from another instance than before: the service's database was restored or made anew.
    NewInstance,
}

impl Revision {
    /// Goes on to a document's revision if it fits, and says how it fits.
    pub(super) fn meet(&mut self, document: &Document) -> Outcome {
        let is_first = self.instance.is_none() && self.revision == 0;
        let is_same = self.instance == document.instance;
        let outcome = match document.since {
            Some(since) if !is_same || since > self.revision => Outcome::Gap,
            Some(_) if document.revision < self.revision => Outcome::Older,
            None if is_same && document.revision < self.revision => Outcome::Older,
            None if !is_same && !is_first => Outcome::NewInstance,
            Some(_) | None => Outcome::Changed,
        };
        if matches!(outcome, Outcome::Changed | Outcome::NewInstance) {
            self.instance.clone_from(&document.instance);
            self.revision = document.revision;
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_followed_forwards_only_and_a_new_one_is_noticed() {
        let known = Revision { instance: Some("a".to_owned()), revision: 7 };
        let check = |from: &Revision, instance: &str, since, revision, expected| {
            let instance = Some(instance.to_owned());
            let mut known = from.clone();
            let document = Document { instance, since, revision, ..Document::default() };
            assert_eq!(known.meet(&document), expected, "{document:?}");
            let moved = matches!(expected, Outcome::Changed | Outcome::NewInstance);
            assert_eq!(known.revision, if moved { revision } else { from.revision });
        };
        check(&Revision::default(), "a", None, 3, Outcome::Changed);
        check(&Revision::default(), "a", Some(0), 3, Outcome::Gap);
        check(&known, "a", None, 8, Outcome::Changed);
        check(&known, "a", None, 7, Outcome::Changed);
        check(&known, "a", None, 6, Outcome::Older);
        check(&known, "a", Some(7), 9, Outcome::Changed);
        check(&known, "a", Some(5), 9, Outcome::Changed);
        check(&known, "a", Some(5), 6, Outcome::Older);
        check(&known, "a", Some(8), 9, Outcome::Gap);
        check(&known, "b", Some(7), 9, Outcome::Gap);
        check(&known, "b", None, 2, Outcome::NewInstance);
    }
}
