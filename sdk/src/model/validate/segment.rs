//! Segments.

use super::condition::{Place, condition, expressions};
use super::text::{extra, name, short};
use super::{Check, each};
use crate::model::{ModelError, Segment, limits};

impl Segment {
    /// Whether the segment makes sense by itself and keeps the [`limits`].
    ///
    /// # Errors
    /// The first thing that is wrong, and where in the segment.
    pub fn validate(&self) -> Result<(), ModelError> {
        name("name", &self.name)?;
        short("description", &self.description, limits::DESCRIPTION)?;
        each("include", &self.include, limits::IDS, |one| id(one))?;
        each("exclude", &self.exclude, limits::IDS, |one| id(one))?;
        each("any", &self.any, limits::GROUPS, |group| {
            each("", group, limits::CONDITIONS, |one| condition(one, Place::Segment))
        })?;
        expressions("any", self.any.iter().flatten())?;
        extra(&self.extra)
    }
}

fn id(id: &str) -> Check {
    if id.is_empty() { Err(ModelError::here("is empty")) } else { short("", id, limits::VALUE) }
}
