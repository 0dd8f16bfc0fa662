//! Flags.

use serde_json::Value;

use super::fields::{Fields, bucketing, name_of, percentage};
use super::rule::rule;
use crate::bucketing::Bucketing;
use crate::model::{Flag, Kind, Prerequisite, RampPoint, Required, Schedule, Variant};

impl Flag {
    /// The flag as JSON. Always there: `id`, `name`, `enabled`, `rollout_percentage`, `version`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = Fields::on(&self.extra);
        fields.put("id", self.id);
        fields.put("name", self.name.as_str());
        fields.text("description", &self.description);
        fields.put("enabled", self.enabled);
        fields.put("rollout_percentage", percentage(self.rollout_percentage));
        fields.put_unless(&self.name.as_str(), "salt", self.salt.as_str());
        fields.put_unless(&bucketing(&Bucketing::Teal1), "bucketing", bucketing(&self.bucketing));
        fields.stickiness(&self.stickiness);
        fields.texts("environments", &self.environments);
        fields.list("rules", &self.rules, |one| rule(one, &self.variants));
        fields.list("variants", &self.variants, variant);
        fields.option("off_variant", self.off_variant.as_deref());
        fields.list("prerequisites", &self.prerequisites, prerequisite);
        if !self.schedule.is_empty() {
            fields.put("schedule", schedule(&self.schedule));
        }
        fields.put_unless(&false, "client_visible", self.client_visible);
        fields.put_unless(&name_of(Kind::Release, &Kind::ALL), "kind", name_of(self.kind, &Kind::ALL));
        fields.put_unless(&false, "archived", self.archived);
        fields.put("version", self.version);
        fields.option("created_at", self.created_at.map(|at| at.to_string()));
        fields.option("updated_at", self.updated_at.map(|at| at.to_string()));
        fields.done()
    }
}

fn variant(variant: &Variant) -> Value {
    let mut fields = Fields::on(&variant.extra);
    fields.put("name", variant.name.as_str());
    fields.put("value", variant.value.clone());
    fields.put("weight", variant.weight);
    fields.done()
}

fn prerequisite(prerequisite: &Prerequisite) -> Value {
    let mut fields = Fields::on(&prerequisite.extra);
    fields.put("flag", prerequisite.flag.as_str());
    match &prerequisite.required {
        Required::On => {}
        Required::Off => fields.put("enabled", false),
        Required::OneOf(variants) => fields.put("variants", variants.clone()),
    }
    fields.done()
}

fn schedule(schedule: &Schedule) -> Value {
    let mut fields = Fields::on(&schedule.extra);
    fields.option("from", schedule.from.map(|at| at.to_string()));
    fields.option("until", schedule.until.map(|at| at.to_string()));
    fields.list("ramp", &schedule.ramp, ramp_point);
    fields.done()
}

fn ramp_point(point: &RampPoint) -> Value {
    let mut fields = Fields::on(&point.extra);
    fields.put("at", point.at.to_string());
    fields.put("percentage", percentage(point.percentage));
    fields.done()
}
