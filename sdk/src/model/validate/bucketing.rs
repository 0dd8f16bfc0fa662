//! Salts, bucketings and stickiness.

use super::text::{label, short};
use super::{Check, each};
use crate::bucketing::Bucketing;
use crate::model::error::quoted;
use crate::model::{ModelError, limits};

/// A salt for this bucketing: Teal's own also travels in a proxy's map, which allows few characters.
pub(super) fn salt(salt: &str, bucketing: &Bucketing) -> Check {
    if *bucketing != Bucketing::Teal1 {
        return short("salt", salt, limits::FOREIGN_SALT);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !salt.is_empty() && salt.len() <= limits::SALT && salt.bytes().all(allowed) {
        return Ok(());
    }
    let rule = "must have 1 to 100 of A-Z, a-z, 0-9, `_`, `.` and `-`";
    Err(ModelError::new("salt", format_args!("{} {rule}", quoted(salt))))
}

pub(super) fn bucketing(bucketing: &Bucketing) -> Check {
    let Bucketing::General(general) = bucketing else { return Ok(()) };
    if general.modulo == 0 || general.modulo > limits::MODULO {
        let (modulo, most) = (general.modulo, limits::MODULO);
        return Err(ModelError::new("bucketing.modulo", format_args!("is {modulo}; it must be 1 to {most}")));
    }
    if !general.input.contains("{user}") {
        return Err(ModelError::new("bucketing.input", "must have {user} in it, as in {name}:{user}"));
    }
    short("bucketing.input", &general.input, limits::SALT)
}

pub(super) fn stickiness(attributes: &[String]) -> Check {
    each("stickiness", attributes, limits::STICKINESS, |attribute| label("", attribute))
}
