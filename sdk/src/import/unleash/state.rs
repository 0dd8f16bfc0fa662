//! Which features and segments there are, from the whole or from events.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::ImportError;

/// What there is in the end, by name and by number. Of two with one name the later one counts.
#[derive(Default)]
pub(super) struct State {
    pub(super) features: BTreeMap<String, Value>,
    pub(super) segments: BTreeMap<String, Value>,
}

impl State {
    pub(super) fn read(json: &Value) -> Result<Self, ImportError> {
        let mut state = Self::default();
        match (json.get("features"), json.get("events").and_then(Value::as_array)) {
            (Some(Value::Array(_)), _) => state.add_all(json),
            (_, Some(events)) => events.iter().for_each(|event| state.follow(event)),
            _ => return Err(ImportError::Unknown("Unleash's client features have a list `features`, or `events`")),
        }
        Ok(state)
    }

    fn add_all(&mut self, json: &Value) {
        let members = |name| json.get(name).and_then(Value::as_array).into_iter().flatten();
        self.features.extend(members("features").filter_map(named));
        self.segments.extend(members("segments").filter_map(numbered));
    }

    fn follow(&mut self, event: &Value) {
        match event.get("type").and_then(Value::as_str) {
            Some("hydration") => {
                *self = Self::default();
                self.add_all(event);
            }
            Some("feature-updated") => self.features.extend(event.get("feature").and_then(named)),
            Some("feature-removed") => {
                event.get("featureName").and_then(Value::as_str).and_then(|name| self.features.remove(name));
            }
            Some("segment-updated") => self.segments.extend(event.get("segment").and_then(numbered)),
            Some("segment-removed") => {
                event.get("segmentId").and_then(|id| self.segments.remove(&id.to_string()));
            }
            _ => {}
        }
    }
}

fn named(feature: &Value) -> Option<(String, Value)> {
    Some((feature.get("name")?.as_str()?.to_owned(), feature.clone()))
}

fn numbered(segment: &Value) -> Option<(String, Value)> {
    Some((segment.get("id")?.to_string(), segment.clone()))
}
