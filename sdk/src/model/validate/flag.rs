//! Flags.

use super::bucketing::{bucketing, salt, stickiness};
use super::condition::expressions;
use super::rule::{known, rule, weights};
use super::text::{extra, label, name, short, value};
use super::{Check, each, twice};
use crate::model::error::quoted;
use crate::model::{Flag, ModelError, Prerequisite, RampPoint, Required, Schedule, Variant, limits};

impl Flag {
    /// Whether the flag makes sense by itself and keeps the [`limits`]. Reading has checked it already; what is built or changed
    /// in code has to be checked before it is stored.
    ///
    /// # Errors
    /// The first thing that is wrong, and where in the flag.
    pub fn validate(&self) -> Result<(), ModelError> {
        name("name", &self.name)?;
        if self.id < 0 {
            return Err(ModelError::new("id", format_args!("is {}; ids count from 1", self.id)));
        }
        short("description", &self.description, limits::DESCRIPTION)?;
        bucketing(&self.bucketing)?;
        salt(&self.salt, &self.bucketing)?;
        stickiness(&self.stickiness)?;
        each("environments", &self.environments, limits::ENVIRONMENTS, |one| label("", one))?;
        variants(&self.variants)?;
        each("rules", &self.rules, limits::RULES, |one| rule(one, self))?;
        expressions("rules", self.rules.iter().flat_map(|rule| &rule.conditions))?;
        if let Some(variant) = &self.off_variant {
            known("off_variant", variant, self)?;
        }
        each("prerequisites", &self.prerequisites, limits::PREREQUISITES, |one| prerequisite(one, self))?;
        schedule(&self.schedule).map_err(|error| error.within("schedule"))?;
        extra(&self.extra)
    }
}

fn variants(variants: &[Variant]) -> Check {
    each("variants", variants, limits::VARIANTS, |variant| {
        label("name", &variant.name)?;
        value(&variant.value).map_err(|error| error.within("value"))?;
        extra(&variant.extra)
    })?;
    if let Some(name) = twice(variants.iter().map(|variant| variant.name.as_str())) {
        return Err(ModelError::new("variants", format_args!("has {} twice", quoted(name))));
    }
    if variants.is_empty() { Ok(()) } else { weights("variants", variants.iter().map(|variant| variant.weight)) }
}

fn prerequisite(prerequisite: &Prerequisite, flag: &Flag) -> Check {
    name("flag", &prerequisite.flag)?;
    if prerequisite.flag == flag.name {
        return Err(ModelError::new("flag", "is the flag itself"));
    }
    if let Required::OneOf(variants) = &prerequisite.required {
        if variants.is_empty() {
            return Err(ModelError::new("variants", "is empty; leave it out where any variant will do"));
        }
        each("variants", variants, limits::VARIANTS, |variant| label("", variant))?;
    }
    extra(&prerequisite.extra)
}

fn schedule(schedule: &Schedule) -> Check {
    if let (Some(from), Some(until)) = (schedule.from, schedule.until)
        && from >= until
    {
        return Err(ModelError::new("until", format_args!("{until} is not after `from`, {from}")));
    }
    let mut last = None;
    each("ramp", &schedule.ramp, limits::RAMP, |point: &RampPoint| {
        let before = last.replace(point.at);
        match before.filter(|before| *before >= point.at) {
            Some(before) => {
                Err(ModelError::new("at", format_args!("{} is not after the point before, {before}", point.at)))
            }
            None => extra(&point.extra),
        }
    })?;
    extra(&schedule.extra)
}
