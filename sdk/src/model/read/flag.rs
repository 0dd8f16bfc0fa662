//! Flags.

use serde_json::Value;

use super::bucketing::{bucketing, stickiness};
use super::fields::{Fields, Read, list, moment, one_of, percentage, small, text, truth, whole};
use super::rule::rule;
use crate::bucketing::Bucketing;
use crate::model::{Flag, Kind, ModelError, Percentage, Prerequisite, RampPoint, Required, Schedule, Variant};

impl Flag {
    /// Reads a flag and checks it. Everything but `name` has a default; `enabled` is false where it is not said.
    ///
    /// # Errors
    /// What is wrong, and where in the flag.
    pub fn from_value(value: Value) -> Result<Self, ModelError> {
        let flag = flag(value)?;
        flag.validate()?;
        Ok(flag)
    }
}

fn flag(value: Value) -> Read<Flag> {
    let mut fields = Fields::of(value)?;
    let name = fields.need("name", text)?;
    let variants = fields.list("variants", variant)?;
    Ok(Flag {
        id: fields.take_or("id", 0, small)?,
        description: fields.take_or("description", String::new(), text)?,
        enabled: fields.take_or("enabled", false, truth)?,
        rollout_percentage: fields.take_or("rollout_percentage", Percentage::ALL, percentage)?,
        salt: fields.take("salt", text)?.unwrap_or_else(|| name.clone()),
        bucketing: fields.take_or("bucketing", Bucketing::Teal1, bucketing)?,
        stickiness: fields.take_or("stickiness", Vec::new(), stickiness)?,
        environments: fields.list("environments", text)?,
        rules: fields.list("rules", |value| rule(value, &variants))?,
        off_variant: fields.take("off_variant", text)?,
        prerequisites: fields.list("prerequisites", prerequisite)?,
        schedule: fields.take_or("schedule", Schedule::default(), schedule)?,
        client_visible: fields.take_or("client_visible", false, truth)?,
        kind: fields.take_or("kind", Kind::Release, |value| one_of(value, &Kind::ALL))?,
        archived: fields.take_or("archived", false, truth)?,
        version: fields.take_or("version", 1, whole)?,
        created_at: fields.take("created_at", moment)?,
        updated_at: fields.take("updated_at", moment)?,
        name,
        variants,
        extra: fields.rest(),
    })
}

fn variant(value: Value) -> Read<Variant> {
    let mut fields = Fields::of(value)?;
    let name = fields.need("name", text)?;
    Ok(Variant {
        // A variant without a value is its name, as in most experiments.
        value: fields.any("value").unwrap_or_else(|| Value::String(name.clone())),
        weight: fields.take_or("weight", 1, small)?,
        name,
        extra: fields.rest(),
    })
}

fn prerequisite(value: Value) -> Read<Prerequisite> {
    let mut fields = Fields::of(value)?;
    let flag = fields.need("flag", text)?;
    let enabled = fields.take("enabled", truth)?;
    let variants = fields.take("variants", |value| list(value, text))?;
    let required = match (enabled, variants) {
        (Some(false), Some(_)) => return Err(ModelError::new("variants", "cannot be served by a flag that is off")),
        (Some(false), None) => Required::Off,
        (_, Some(variants)) => Required::OneOf(variants),
        (_, None) => Required::On,
    };
    Ok(Prerequisite { flag, required, extra: fields.rest() })
}

fn schedule(value: Value) -> Read<Schedule> {
    let mut fields = Fields::of(value)?;
    Ok(Schedule {
        from: fields.take("from", moment)?,
        until: fields.take("until", moment)?,
        ramp: fields.list("ramp", ramp_point)?,
        extra: fields.rest(),
    })
}

fn ramp_point(value: Value) -> Read<RampPoint> {
    let mut fields = Fields::of(value)?;
    Ok(RampPoint {
        at: fields.need("at", moment)?,
        percentage: fields.need("percentage", percentage)?,
        extra: fields.rest(),
    })
}
