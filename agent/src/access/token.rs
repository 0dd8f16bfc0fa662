//! A token: `teal_ID_SECRET`. The id is for look-ups and logs; the secret is shown once, and only its digest is kept.
//!
//! Both are of a form that scanners for secrets find: `teal_[0-9a-f]{12}_[0-9a-f]{64}`.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What a token begins with.
const PREFIX: &str = "teal_";
/// Bytes of an id and of a secret.
const ID: usize = 6;
const SECRET: usize = 32;

/// Names a token without giving anything away.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(Box<str>);

impl TokenId {
    /// Its text, 12 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no token, or no part of one. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token of the form teal_ID_SECRET")]
pub struct WrongToken;

impl FromStr for TokenId {
    type Err = WrongToken;

    fn from_str(text: &str) -> Result<Self, WrongToken> {
        if is_hex(text, ID) { Ok(Self(text.into())) } else { Err(WrongToken) }
    }
}

/// The SHA-256 of a secret, which is all that is kept of it. 256 random bits need no salt and no slow hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether it is the same, in a time that does not tell how far they agree.
    pub(super) fn matches(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }

    /// A digest that no secret is known of.
    pub(super) const fn of_nobody() -> Self {
        Self([0; 32])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Not a secret, and of no use in a log.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

impl FromStr for Digest {
    type Err = WrongToken;

    fn from_str(text: &str) -> Result<Self, WrongToken> {
        if !is_hex(text, 32) {
            return Err(WrongToken);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = str::from_utf8(pair).map_err(|_| WrongToken)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| WrongToken)?;
        }
        Ok(Self(bytes))
    }
}

/// A whole token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: TokenId,
    secret: Box<str>,
}

/// Never shows the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, ..)", self.id)
    }
}

impl Token {
    /// A new one; `None`: the system gives no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        let random = rustls::crypto::ring::default_provider().secure_random;
        let mut bytes = [0; ID + SECRET];
        random.fill(&mut bytes).ok()?;
        let (id, secret) = bytes.split_at(ID);
        Some(Self { id: TokenId(hex(id).into()), secret: hex(secret).into() })
    }

    /// Which one it is.
    #[must_use]
    pub const fn id(&self) -> &TokenId {
        &self.id
    }

    /// What is kept of its secret.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.secret)
    }

    /// The whole text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }

    /// Whether a text is meant to be a token of ours.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

impl FromStr for Token {
    type Err = WrongToken;

    fn from_str(text: &str) -> Result<Self, WrongToken> {
        let (id, secret) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(WrongToken)?;
        if !is_hex(secret, SECRET) {
            return Err(WrongToken);
        }
        Ok(Self { id: id.parse()?, secret: secret.into() })
    }
}

/// The first token of a service, as `teal.toml` has it: `teal_ID:SHA256`. Its secret cannot be found from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstToken {
    /// Which one it is.
    pub id: TokenId,
    /// What is kept of its secret.
    pub digest: Digest,
}

impl From<&Token> for FirstToken {
    fn from(token: &Token) -> Self {
        Self { id: token.id.clone(), digest: token.digest() }
    }
}

impl fmt::Display for FirstToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", self.id, self.digest)
    }
}

impl FromStr for FirstToken {
    type Err = WrongToken;

    fn from_str(text: &str) -> Result<Self, WrongToken> {
        let (id, digest) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':')).ok_or(WrongToken)?;
        Ok(Self { id: id.parse()?, digest: digest.parse()? })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether it is so many bytes as small hexadecimal digits.
fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_shown_and_shows_nothing_by_itself() {
        let token = Token::random().unwrap();
        let text = token.reveal();
        assert_eq!((text.len(), &text[..5], &text[17..18]), (82, "teal_", "_"));
        assert_eq!(text.parse(), Ok(token.clone()));
        assert_ne!(Token::random().unwrap(), token);
        let secret = &text[18..];
        let first = FirstToken::from(&token);
        assert_eq!(first.to_string().parse(), Ok(first.clone()));
        for shown in [format!("{token:?}"), format!("{first:?}"), first.to_string()] {
            assert!(shown.contains(token.id().as_str()) && !shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let check = |text: &str| {
            assert_eq!(text.parse::<Token>(), Err(WrongToken), "{text}");
            assert_eq!(text.parse::<FirstToken>(), Err(WrongToken), "{text}");
        };
        let (id, secret) = ("0123456789ab", "0".repeat(64));
        check("");
        check("teal_");
        check(&format!("teal_{id}_"));
        check(&format!("{id}_{secret}"));
        check(&format!("teal_{id}_{secret}0"));
        check(&format!("teal_{}_{secret}", id.to_uppercase()));
        check(&format!("teal_{id}_{}", "g".repeat(64)));
        check(&format!("teal_{id}:{}", "é".repeat(32)));
    }

    #[test]
    fn the_digest_is_the_sha_256_of_the_secrets_text() {
        let token: Token = format!("teal_0123456789ab_{}", "0".repeat(64)).parse().unwrap();
        // printf '%064d' 0 | sha256sum
        assert_eq!(token.digest().to_string(), "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
    }
}
