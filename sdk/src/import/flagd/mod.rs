//! flagd: flag definitions with JsonLogic.
//!
//! ```text
//! flag       -> flag that is on for all; defaultVariant is the only variant with a weight
//! targeting  -> rules: each way through its `if`s, whose conditions are written out as "this and this" or "that and that"
//! fractional -> a rule's weights, bucketing flagd
//! ```

mod compare;
mod condition;
mod dealing;
mod flag;
mod logic;
mod operand;
mod targeting;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::report::Report;
use super::{ImportError, Imported, names, parse};
use crate::model::{Document, limits};

/// Why a part of a flag has no counterpart here.
pub(super) struct Unsaid(String);

/// Reads flagd's flags.
///
/// `targetingKey` is the user's id, other attributes keep their names. A flag whose targeting cannot be said here is imported switched
/// off, so that its callers get their defaults, as with flagd when it cannot evaluate one. An attribute that is missing matches no
/// comparison; JsonLogic may take it for 0 or an empty text.
///
/// # Errors
/// When it is no JSON, too large, or has no object `flags`.
pub fn flagd(json: impl AsRef<[u8]>) -> Result<Imported, ImportError> {
    let json = parse(json.as_ref())?;
    let Some(Value::Object(flags)) = json.get("flags") else {
        return Err(ImportError::Unknown("flagd's definitions have an object `flags`"));
    };
    if flags.len() > limits::FLAGS {
        return Err(ImportError::TooLarge);
    }
    let mut report = Report::default();
    let names = names::names(flags.keys().map(String::as_str), &mut report);
    let flags = flags.iter().map(|(key, definition)| {
        let name = names.get(key).map_or(key.as_str(), String::as_str);
        flag::flag(key, name, definition, json.get("$evaluators"), &mut report)
    });
    let document = Document { flags: flags.collect(), ..Document::default() };
    Ok(Imported { document, names, report: report.done() })
}
