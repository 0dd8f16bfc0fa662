//! Segments.

use std::collections::BTreeMap;

use serde_json::Value;

use super::constraint::constraints;
use crate::import::report::Report;
use crate::model::Segment;

/// Each segment by its number; `None` for one that applies to nobody.
pub(super) fn segments(segments: &BTreeMap<String, Value>, report: &mut Report) -> BTreeMap<String, Option<Segment>> {
    segments.iter().map(|(id, json)| (id.clone(), segment(id, json, report))).collect()
}

fn segment(id: &str, json: &Value, report: &mut Report) -> Option<Segment> {
    let group = constraints(json.get("constraints"), report).ok()?;
    let description = json.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let segment =
        Segment { name: format!("segment-{id}"), description, any: vec![group], version: 1, ..Segment::default() };
    match segment.validate() {
        Ok(()) => Some(segment),
        Err(error) => {
            report.find(format_args!("segment {id} cannot be said here ({error})"), "it applies to nobody");
            None
        }
    }
}
