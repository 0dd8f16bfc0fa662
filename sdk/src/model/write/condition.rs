//! Conditions.

use serde_json::Value;

use super::fields::{Fields, name_of};
use crate::model::{Condition, Operator, Test};

pub(super) fn condition(condition: &Condition) -> Value {
    let mut fields = Fields::on(&condition.extra);
    match &condition.test {
        Test::Segment(segment) => fields.put("segment", segment.as_str()),
        Test::Attribute { attribute, operator, values, ignore_case } => {
            fields.put("attribute", attribute.as_str());
            fields.put("operator", name_of(*operator, &Operator::ALL));
            if *operator != Operator::Exists || !values.is_empty() {
                fields.put("values", values.clone());
            }
            fields.put_unless(&false, "ignore_case", *ignore_case);
        }
    }
    fields.put_unless(&false, "negate", condition.negate);
    fields.done()
}
