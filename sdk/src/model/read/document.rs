//! Documents. A part that cannot be read does not hinder the others.

use std::collections::HashSet;

use serde_json::Value;

use super::fields::{Fields, Read, text, whole};
use crate::model::error::quoted;
use crate::model::{Document, Flag, ModelError, Part, Segment, Unreadable, limits};

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is too large, no JSON (lists and objects within each other for more than 128 levels count as none), or no
    /// document. Flags and segments that cannot be read are no error but in [`Document::unreadable`].
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, ModelError> {
        let text = text.as_ref();
        if text.len() > limits::DOCUMENT_BYTES {
            let (length, most) = (text.len(), limits::DOCUMENT_BYTES);
            return Err(ModelError::here(format_args!("the document has {length} bytes; the most is {most}")));
        }
        let value = serde_json::from_slice(text);
        Self::from_value(value.map_err(|error| ModelError::here(format_args!("the document is no JSON: {error}")))?)
    }

    /// Reads a document whose JSON has been parsed.
    ///
    /// # Errors
    /// As [`Document::from_json`].
    pub fn from_value(value: Value) -> Result<Self, ModelError> {
        if !value.is_object() {
            return Err(ModelError::here("the document is no JSON object such as {\"flags\": []}"));
        }
        let mut fields = Fields::of(value)?;
        fields.take("format", format)?;
        let mut unreadable = Vec::new();
        Ok(Self {
            instance: fields.take("instance", text)?,
            revision: fields.take_or("revision", 0, whole)?,
            since: fields.take("since", whole)?,
            flags: fields.take_or("flags", Vec::new(), |value| {
                parts(value, limits::FLAGS, Part::Flag, Flag::from_value, |flag| &flag.name, &mut unreadable)
            })?,
            segments: fields.take_or("segments", Vec::new(), |value| {
                parts(
                    value,
                    limits::SEGMENTS,
                    Part::Segment,
                    Segment::from_value,
                    |segment| &segment.name,
                    &mut unreadable,
                )
            })?,
            deleted: fields.list("deleted", text)?,
            deleted_segments: fields.list("deleted_segments", text)?,
            unreadable,
            extra: fields.rest(),
        })
    }
}

/// Formats count from 1; a higher one than ours is read as far as it is understood.
fn format(value: Value) -> Read<()> {
    if whole(value)? == 0 { Err(ModelError::here("is 0; formats count from 1")) } else { Ok(()) }
}

fn parts<T>(
    value: Value,
    most: usize,
    part: Part,
    read: impl Fn(Value) -> Read<T>,
    name_of: impl Fn(&T) -> &str,
    unreadable: &mut Vec<Unreadable>,
) -> Read<Vec<T>> {
    let Value::Array(members) = value else { return Err(super::fields::wanted("a list", &value)) };
    if members.len() > most {
        return Err(ModelError::here(format_args!("has {} members; the most is {most}", members.len())));
    }
    let field = match part {
        Part::Flag => "flags",
        Part::Segment => "segments",
    };
    let mut names = HashSet::new();
    let mut found = Vec::with_capacity(members.len());
    for (index, json) in members.into_iter().enumerate() {
        let name = json.get("name").and_then(Value::as_str).map(str::to_owned);
        let result = match &name {
            Some(name) if names.contains(name) => {
                Err(ModelError::new("name", format_args!("{} is there twice; only the first counts", quoted(name))))
            }
            // A copy, so that what cannot be read is not lost.
            _ => read(json.clone()),
        };
        match result {
            Ok(part) => {
                names.insert(name_of(&part).to_owned());
                found.push(part);
            }
            Err(error) => {
                let error = error.within(format_args!("{field}[{index}]"));
                unreadable.push(Unreadable { name, error, part, json });
            }
        }
    }
    Ok(found)
}
