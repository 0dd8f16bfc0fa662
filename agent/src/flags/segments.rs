//! Changes of segments, and what stands on a segment or a flag: neither goes while another needs it.

use serde_json::Value;
use sha2::{Digest, Sha256};
use teal_flags::model::{Condition, Flag, Segment, Test};

use super::error::FieldError;

/// A change of a segment.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentEdit {
    /// A new one, as JSON.
    Create(Value),
    /// What is to be different (RFC 7396).
    Patch {
        /// Which.
        name: String,
        /// The fields.
        fields: Value,
        /// `If-Match`, as it came.
        only_if: Option<String>,
    },
    /// No more.
    Delete {
        /// Which.
        name: String,
        /// `If-Match`, as it came.
        only_if: Option<String>,
    },
}

/// A segment's entity tag: its version, and what it says, because versions start again when an older database is restored.
#[must_use]
pub fn segment_tag(segment: &Segment) -> String {
    let said: String =
        Sha256::digest(segment.to_value().to_string()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{}-{said}\"", segment.version)
}

/// The segment that a new one's JSON describes.
pub(super) fn created(fields: &Value) -> Result<Segment, FieldError> {
    let object = fields.as_object().ok_or_else(|| FieldError::new("", "a segment is a JSON object"))?;
    if object.get("version").is_some_and(|value| !value.is_null()) {
        return Err(FieldError::new("version", "is given by the service: leave it away"));
    }
    let segment = Segment::from_value(fields.clone())?;
    known(&segment, None)?;
    Ok(Segment { version: 1, ..segment })
}

/// The segment that comes of another one by a patch; the same one where nothing is different.
pub(super) fn patched(before: &Segment, fields: &Value) -> Result<Segment, FieldError> {
    let object = fields.as_object().ok_or_else(|| FieldError::new("", "a change is a JSON object of fields"))?;
    let mut json = before.to_value();
    let differs = |field: &&str| object.get(*field).is_some_and(|value| json.get(*field) != Some(value));
    if let Some(field) = ["name", "version"].into_iter().find(differs) {
        let way = match field {
            "name" => "cannot be changed: flags name it; make a new segment, and change the flags",
            _ => "is kept by the service: leave it away",
        };
        return Err(FieldError::new(field, way));
    }
    json_patch::merge(&mut json, fields);
    let mut segment = Segment::from_value(json)?;
    known(&segment, Some(before))?;
    if segment != *before {
        segment.version = before.version + 1;
    }
    Ok(segment)
}

/// A field that is not known would be kept and do nothing: it is refused, unless it was there before.
fn known(segment: &Segment, before: Option<&Segment>) -> Result<(), FieldError> {
    let was_there = |field: &str| before.is_some_and(|before| before.extra.contains_key(field));
    match segment.extra.keys().find(|field| !was_there(field)) {
        None => Ok(()),
        Some(field) => Err(FieldError::new(field, "is no field of a segment: docs/flags.md lists them")),
    }
}

/// Whether a flag has a rule on this segment.
pub(super) fn stands_on_segment(flag: &Flag, segment: &str) -> bool {
    let on_it = |condition: &Condition| matches!(&condition.test, Test::Segment(name) if name == segment);
    flag.rules.iter().flat_map(|rule| &rule.conditions).any(on_it)
}

/// Whether a flag has this one as a prerequisite.
pub(super) fn stands_on_flag(flag: &Flag, other: &str) -> bool {
    flag.prerequisites.iter().any(|prerequisite| prerequisite.flag == other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_segment_is_made_and_changed_field_by_field() {
        let segment = created(&json!({"name": "staff", "include": ["u1"], "version": null})).unwrap();
        assert_eq!(segment.version, 1);
        assert_eq!(patched(&segment, &json!({"name": "staff", "version": 1})).unwrap(), segment);
        let changed = patched(&segment, &json!({"exclude": ["u2"], "include": null})).unwrap();
        assert_eq!((changed.version, changed.include.len(), changed.exclude.len()), (2, 0, 1));
        assert_ne!(segment_tag(&changed), segment_tag(&segment));
        let same_version = Segment { version: 1, ..changed };
        assert_ne!(segment_tag(&same_version), segment_tag(&segment), "of a restored database");
        let check = |refused: Result<Segment, FieldError>, field: &str| assert_eq!(refused.unwrap_err().field, field);
        check(created(&json!([])), "");
        check(created(&json!({"name": "Staff"})), "name");
        check(created(&json!({"name": "staff", "version": 3})), "version");
        check(created(&json!({"name": "staff", "members": []})), "members");
        check(created(&json!({"name": "staff", "any": [[{"segment": "other"}]]})), "any[0][0].segment");
        check(patched(&segment, &json!({"name": "other"})), "name");
        check(patched(&segment, &json!({"version": 9})), "version");
        check(patched(&segment, &json!({"includes": []})), "includes");
        check(patched(&segment, &json!(null)), "");
    }
}
