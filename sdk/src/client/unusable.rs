//! Which flags cannot be used, over several documents that each say something of some of them.

use std::collections::BTreeMap;

use super::core::{Applied, Layer, Problem};
use crate::model::Document;

/// What stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Unusable {
    /// Parts of documents that could not be read, by layer (the file's, the service's) and name.
    unread: [BTreeMap<String, Problem>; 2],
    /// What was read and makes no sense.
    senseless: BTreeMap<String, Problem>,
}

/// What has to be known of a document before it is applied.
pub(super) struct Outline {
    layer: Layer,
    is_whole: bool,
    named: Vec<String>,
    unread: usize,
}

impl Outline {
    pub(super) fn of(layer: Layer, document: &Document) -> Self {
        let flags = document.flags.iter().map(|flag| flag.name.clone()).chain(document.deleted.iter().cloned());
        let segments = document.segments.iter().map(|segment| &segment.name).chain(&document.deleted_segments);
        let named = flags.chain(segments.map(|name| segment(name))).collect();
        Self { layer, is_whole: document.since.is_none(), named, unread: document.unreadable.len() }
    }
}

/// How a segment's problem is filed: its errors are at `segments[NAME].FIELD`.
fn segment(name: &str) -> String {
    format!("segments[{name}]")
}

fn key(problem: &Problem) -> String {
    match &problem.flag {
        Some(flag) => flag.clone(),
        None => problem.error.at.split_inclusive(']').next().unwrap_or_default().to_owned(),
    }
}

impl Unusable {
    /// Brings it up to date.
    pub(super) fn update(&mut self, outline: &Outline, applied: &Applied) {
        let unread = &mut self.unread[usize::from(outline.layer == Layer::Live)];
        if outline.is_whole {
            unread.clear();
        }
        for name in &outline.named {
            unread.remove(name);
            if name.starts_with("segments[") {
                self.senseless.remove(name);
            }
        }
        for name in &applied.changed {
            self.senseless.remove(name);
        }
        // What could not be read comes first.
        for (at, problem) in applied.problems.iter().enumerate() {
            let list = if at < outline.unread { &mut *unread } else { &mut self.senseless };
            list.insert(key(problem), problem.clone());
        }
    }

    /// All of it, by name.
    pub(super) fn list(self) -> Vec<Problem> {
        let [file, live] = self.unread;
        file.into_values().chain(live.into_values()).chain(self.senseless.into_values()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::model::Timestamp;

    /// Documents of the service one after the other, and the names of what cannot be used after each.
    fn check(story: &[(&str, &[&str])]) {
        let (flags, mut unusable) = (Flags::new(None), Unusable::default());
        for (json, expected) in story {
            let document = Document::from_json(json).unwrap();
            let outline = Outline::of(Layer::Live, &document);
            let applied = flags.apply(Layer::Live, document, Timestamp::from_millis(0));
            unusable.update(&outline, &applied);
            let found: Vec<String> = unusable.clone().list().iter().map(key).collect();
            assert_eq!(found, *expected, "after {json}");
        }
    }

    const BROKEN: &str = r#"{"name": "x", "rollout_percentage": 101}"#;
    const CIRCLE: &str = r#"{"name": "y", "prerequisites": [{"flag": "y"}]}"#;
    const GOOD: &str = r#"{"name": "x"}, {"name": "y"}"#;

    fn whole(revision: u64, flags: &str) -> String {
        format!(r#"{{"instance": "a", "revision": {revision}, "flags": [{flags}]}}"#)
    }

    fn delta(revision: u64, flags: &str) -> String {
        format!(r#"{{"instance": "a", "revision": {revision}, "since": 1, "flags": [{flags}]}}"#)
    }

    #[test]
    fn what_cannot_be_read_stands_until_it_can() {
        check(&[
            (&whole(1, GOOD), &[]),
            (&delta(2, BROKEN), &["x"]),
            (&delta(3, r#"{"name": "z"}"#), &["x"]),
            (&delta(4, r#"{"name": "x"}"#), &[]),
            (&delta(5, BROKEN), &["x"]),
            (&whole(6, GOOD), &[]),
        ]);
    }

    #[test]
    fn what_makes_no_sense_stands_until_it_does() {
        check(&[
            (&whole(1, CIRCLE), &["y"]),
            (&whole(2, CIRCLE), &["y"]),
            (&delta(3, r#"{"name": "z"}"#), &["y"]),
            (&delta(4, r#"{"name": "y"}"#), &[]),
        ]);
    }
}
