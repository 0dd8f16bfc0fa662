//! The flags of one source, as they were told.

use std::collections::{BTreeMap, BTreeSet};

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
        if replace {
            let is_kept = |part: Part, name: &str| {
                unreadable.iter().any(|entry| entry.part == part && entry.name.as_deref() == Some(name))
            };
            let flag = |name: &&String| !is_kept(Part::Flag, name) && flags.iter().all(|flag| flag.name != **name);
            deleted.extend(self.flags.keys().filter(flag).cloned());
            let segment =
                |name: &&String| !is_kept(Part::Segment, name) && segments.iter().all(|segment| segment.name != **name);
            deleted_segments.extend(self.segments.keys().filter(segment).cloned());
        }
        let mut changes = Changes::default();
        for name in deleted {
            // Deleted and made anew within what one document tells.
            if flags.iter().all(|flag| flag.name != name) && self.flags.remove(&name).is_some() {
                changes.flags.insert(name);
            }
        }
        for name in deleted_segments {
            if segments.iter().all(|segment| segment.name != name) && self.segments.remove(&name).is_some() {
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
