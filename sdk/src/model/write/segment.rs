//! Segments.

use serde_json::Value;

use super::condition::condition;
use super::fields::Fields;
use crate::model::Segment;

impl Segment {
    /// The segment as JSON. Always there: `name`, `version`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = Fields::on(&self.extra);
        fields.put("name", self.name.as_str());
        fields.text("description", &self.description);
        fields.texts("include", &self.include);
        fields.texts("exclude", &self.exclude);
        fields.list("any", &self.any, |group| group.iter().map(condition).collect());
        fields.put("version", self.version);
        fields.done()
    }
}
