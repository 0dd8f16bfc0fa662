//! Unleash: the JSON that its clients are served (`/api/client/features`), also as events (`/api/client/delta`).
//!
//! ```text
//! feature    -> flag: rollout_percentage 0, bucketing unleash
//! strategy   -> rule that lets the next one try (strategies are OR-ed)
//! constraint -> condition            segment -> segment
//! ```

mod constraint;
mod feature;
mod segment;
mod state;
mod strategy;
#[cfg(test)]
mod tests;
mod variants;

use super::report::Report;
use super::{ImportError, Imported, names, parse};
use crate::model::{Document, limits};

/// Reads Unleash's features.
///
/// Attributes keep Unleash's names (`sessionId`, `environment`, `appName`, `remoteAddress` and your own) but for two: `userId` is the
/// user's id, and `currentTime` is called `current_time`. A payload of type `number` or `json` becomes that; a variant without one has
/// its name as its value. Whoever has neither an id nor a session is drawn at random by Unleash; here they take the caller's default.
///
/// # Errors
/// When it is no JSON, too large, or has neither `features` nor `events`.
pub fn unleash(json: impl AsRef<[u8]>) -> Result<Imported, ImportError> {
    let state = state::State::read(&parse(json.as_ref())?)?;
    if state.features.len() > limits::FLAGS || state.segments.len() > limits::SEGMENTS {
        return Err(ImportError::TooLarge);
    }
    let mut report = Report::default();
    let names = names::names(state.features.keys().map(String::as_str), &mut report);
    report.about(None);
    let segments = segment::segments(&state.segments, &mut report);
    let parents = feature::parents(&state.features);
    let known = feature::Known { names: &names, segments: &segments, parents: &parents };
    let flags = state.features.iter().map(|(name, json)| feature::feature(name, json, &known, &mut report)).collect();
    let segments = segments.into_values().flatten().collect();
    let document = Document { flags, segments, ..Document::default() };
    Ok(Imported { document, names, report: report.done() })
}
