//! Segments.

use serde_json::Value;

use super::condition::condition;
use super::fields::{Fields, Read, list, text, whole};
use crate::model::{ModelError, Segment};

impl Segment {
    /// Reads a segment and checks it. Everything but `name` has a default.
    ///
    /// # Errors
    /// What is wrong, and where in the segment.
    pub fn from_value(value: Value) -> Result<Self, ModelError> {
        let segment = segment(value)?;
        segment.validate()?;
        Ok(segment)
    }
}

fn segment(value: Value) -> Read<Segment> {
    let mut fields = Fields::of(value)?;
    Ok(Segment {
        name: fields.need("name", text)?,
        description: fields.take_or("description", String::new(), text)?,
        include: fields.list("include", text)?,
        exclude: fields.list("exclude", text)?,
        any: fields.list("any", |group| list(group, condition))?,
        version: fields.take_or("version", 1, whole)?,
        extra: fields.rest(),
    })
}
