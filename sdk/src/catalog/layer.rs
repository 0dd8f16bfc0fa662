//! The flags of one source, as they were told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::{Document, Flag, Part, Segment};

/// Where flags come from. What a service tells goes before what a file says, flag by flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A file or ConfigMap: a document is all there is, and what it leaves out is gone.
    File,
    /// The service, or the snapshot kept of it: a document may be of what changed, and only what it names as deleted is gone.
    Live,
}

/// All that one source has told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) flags: BTreeMap<String, Flag>,
    pub(super) segments: BTreeMap<String, Segment>,
}

/// Names of what is different now.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) flags: BTreeSet<String>,
    pub(super) segments: BTreeSet<String>,
}

impl Told {
    /// Takes over a document. `replace`: what it leaves out is gone, unless it is there and could not be read.
    pub(super) fn take(&mut self, document: Document, replace: bool) -> Changes {
        let Document { flags, segments, mut deleted, mut deleted_segments, unreadable, .. } = document;
        // Sets, since documents may name a hundred thousand flags, and as many that are gone.
        let named: HashSet<&str> = flags.iter().map(|flag| flag.name.as_str()).collect();
        let named_segments: HashSet<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
        if replace {
            let unread = |part: Part| -> HashSet<&str> {
                let entries = unreadable.iter().filter(|entry| entry.part == part);
                entries.filter_map(|entry| entry.name.as_deref()).collect()
            };
            let (kept, kept_segments) = (unread(Part::Flag), unread(Part::Segment));
            deleted.extend(self.flags.keys().filter(|name| !kept.contains(name.as_str())).cloned());
            deleted_segments
                .extend(self.segments.keys().filter(|name| !kept_segments.contains(name.as_str())).cloned());
        }
        let mut changes = Changes::default();
        // One that is named as well was deleted and made anew within what one document tells.
        for name in deleted.into_iter().filter(|name| !named.contains(name.as_str())) {
            if self.flags.remove(&name).is_some() {
                changes.flags.insert(name);
            }
        }
        for name in deleted_segments.into_iter().filter(|name| !named_segments.contains(name.as_str())) {
            if self.segments.remove(&name).is_some() {
                changes.segments.insert(name);
            }
        }
        for flag in flags {
            if self.flags.get(&flag.name) != Some(&flag) {
                changes.flags.insert(flag.name.clone());
                self.flags.insert(flag.name.clone(), flag);
            }
        }
        for segment in segments {
            if self.segments.get(&segment.name) != Some(&segment) {
                changes.segments.insert(segment.name.clone());
                self.segments.insert(segment.name.clone(), segment);
            }
        }
        changes
    }
}
