//! Documents.

use serde_json::Value;

use super::fields::Fields;
use crate::model::{Document, FORMAT, Flag, Part, Segment};

impl Document {
    /// The document as JSON, what could not be read included. Always there: `format`, `revision`, `flags`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut fields = Fields::on(&self.extra);
        fields.put("format", FORMAT);
        fields.option("instance", self.instance.as_deref());
        fields.put("revision", self.revision);
        fields.option("since", self.since);
        let unread = |part| self.unreadable.iter().filter(move |one| one.part == part).map(|one| one.json.clone());
        let flags = self.flags.iter().map(Flag::to_value).chain(unread(Part::Flag));
        fields.put("flags", flags.collect::<Value>());
        let segments = self.segments.iter().map(Segment::to_value).chain(unread(Part::Segment));
        fields.put_unless(&Value::Array(Vec::new()), "segments", segments.collect::<Value>());
        fields.texts("deleted", &self.deleted);
        fields.texts("deleted_segments", &self.deleted_segments);
        fields.done()
    }

    /// [`Self::to_value`] as text on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}
