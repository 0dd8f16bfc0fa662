//! The general bucketing: a text with name and user in it, hashed piece by piece, modulo something.

use super::{General, Hash};
use crate::model::{ModelError, Percentage, limits};

const NAME: &str = "{name}";
const USER: &str = "{user}";

/// What is hashed behind the input for a variant.
const VARIANT: &str = ".variant";

impl General {
    /// Whether it can be computed, by this build too.
    ///
    /// # Errors
    /// Names the field, relative to the bucketing, and the way out.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let Self { hash, input, modulo } = self;
        if let Some(feature) = hash.missing() {
            let problem = format_args!(
                "{} needs this application to be built with the feature `{feature}` of teal-flags",
                hash.name()
            );
            return Err(ModelError::new("hash", problem));
        }
        if !(1..=limits::MODULO).contains(modulo) {
            return Err(ModelError::new("modulo", format_args!("is {modulo}; it must be 1 to {}", limits::MODULO)));
        }
        if !input.contains(USER) {
            return Err(ModelError::new("input", "must have {user} in it, as in {name}:{user}"));
        }
        if input.chars().nth(limits::SALT).is_some() {
            let problem = format_args!("has more than {} characters; shorten it", limits::SALT);
            return Err(ModelError::new("input", problem));
        }
        Ok(())
    }

    /// 0..modulo.
    pub(super) fn bucket(&self, salt: &str, value: &str) -> u64 {
        let hash = self.hash.of(|write| self.write(salt, value, write));
        hash.checked_rem(u64::from(self.modulo)).unwrap_or(0)
    }

    /// Exactly the share, rounded up to whole buckets.
    pub(super) fn includes(&self, salt: &str, value: &str, share: Percentage) -> bool {
        let all = u64::from(Percentage::ALL.thousandths());
        self.bucket(salt, value) * all < u64::from(share.thousandths()) * u64::from(self.modulo)
    }

    /// Below `total`: the hash of the input and `.variant`, modulo that.
    #[expect(clippy::cast_possible_truncation, reason = "less than `total`")]
    pub(super) fn draw(&self, salt: &str, value: &str, total: u32) -> u32 {
        let hash = self.hash.of(|write| {
            self.write(salt, value, write);
            write(VARIANT.as_bytes());
        });
        hash.checked_rem(u64::from(total)).unwrap_or(0) as u32
    }

    /// Hands over the pieces of the input, in their order. Braces around anything else stand for themselves.
    fn write(&self, salt: &str, value: &str, write: &mut dyn FnMut(&[u8])) {
        let mut rest = self.input.as_str();
        while let Some(at) = rest.find('{') {
            let (before, placeholder) = rest.split_at(at);
            write(before.as_bytes());
            rest = if let Some(after) = placeholder.strip_prefix(NAME) {
                write(salt.as_bytes());
                after
            } else if let Some(after) = placeholder.strip_prefix(USER) {
                write(value.as_bytes());
                after
            } else {
                write(b"{");
                placeholder.get(1..).unwrap_or("")
            };
        }
        write(rest.as_bytes());
    }
}

impl Hash {
    /// Its name in JSON.
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let general = General { hash: Hash::Xxh3, input: input.into(), modulo: 100 };
        let mut written = Vec::new();
        general.write("SALT", "USER", &mut |piece| written.extend_from_slice(piece));
        assert_eq!(String::from_utf8(written).unwrap(), expected, "{input}");
    }

    #[test]
    fn the_input_is_written_with_name_and_user_in_their_places() {
        check("{name}:{user}", "SALT:USER");
        check("{user}{name}{user}", "USERSALTUSER");
        check("{user}", "USER");
        check("a{user", "a{user");
        check("{{user}}{x}{", "{USER}{x}{");
        check("é{user}é", "éUSERé");
    }

    #[test]
    fn neither_name_nor_user_is_read_as_a_placeholder() {
        let general = General { hash: Hash::Xxh3, input: "{name}{user}".into(), modulo: 100 };
        let mut written = Vec::new();
        general.write("{user}", "{name}", &mut |piece| written.extend_from_slice(piece));
        assert_eq!(String::from_utf8(written).unwrap(), "{user}{name}");
    }

    fn check_refused(input: &str, modulo: u32, expected: &str) {
        let general = General { hash: Hash::Crc32, input: input.into(), modulo };
        assert_eq!(general.check().unwrap_err().to_string(), expected);
        // Even so nothing panics.
        assert_eq!(general.draw("", "", 0), 0);
        general.includes("", "", Percentage::ALL);
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        check_refused("{user}", 0, "modulo: is 0; it must be 1 to 1000000000");
        check_refused("{user}", 1_000_000_001, "modulo: is 1000000001; it must be 1 to 1000000000");
        check_refused("{name}", 100, "input: must have {user} in it, as in {name}:{user}");
        let long = format!("{{user}}{}", "é".repeat(95));
        check_refused(&long, 100, "input: has more than 100 characters; shorten it");
        for (hash, _) in Hash::ALL {
            assert_eq!(
                General { hash, input: "{user}".into(), modulo: 1_000_000_000 }.check().is_ok(),
                hash.missing().is_none()
            );
        }
    }
}
