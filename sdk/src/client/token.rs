//! The token that the service wants to see: given, or read from its file at each connection, so that a new one is found.

use std::fmt;
use std::path::PathBuf;

use reqwest::header::HeaderValue;

use super::error::ClientError;
use super::identity::Identity;

/// Longest token file, in bytes.
const LONGEST: u64 = 8 * 1024;

/// Where the token comes from.
#[derive(Clone)]
pub(super) enum Token {
    /// There is none.
    None,
    /// It was given.
    Given(String),
    /// It is in a file.
    File(PathBuf),
}

/// Never shows the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Given(_) => f.write_str("Given(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl Token {
    /// The header's value; `None` without a token.
    ///
    /// # Errors
    /// When the file cannot be read or holds no token.
    pub(super) fn header(&self) -> Result<Option<HeaderValue>, ClientError> {
        let wrong = |problem: &str| ClientError::Token { path: self.path().cloned(), problem: problem.into() };
        let text = match self {
            Self::None => return Ok(None),
            Self::Given(token) => token.clone(),
            Self::File(path) => {
                let size = std::fs::metadata(path).map_err(|error| wrong(&error.to_string()))?;
                if !size.is_file() || size.len() > LONGEST {
                    return Err(wrong("is no file, or too large for a token"));
                }
                std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?
            }
        };
        let token = text.trim();
        if token.is_empty() {
            return Err(wrong("is empty"));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("holds more than one word, or characters that no token has"));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| wrong("is no token"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::None | Self::Given(_) => None,
        }
    }

    /// Tells one state of the file from another.
    pub(super) fn identity(&self) -> Option<Identity> {
        Identity::of(self.path()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: Result<&str, &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let found = Token::File(file.path().into()).header();
        match (&found, expected) {
            (Ok(Some(header)), Ok(expected)) => {
                assert_eq!(header, expected);
                assert!(!format!("{header:?}").contains("t0ken"));
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            _ => panic!("{content:?}: {found:?}"),
        }
    }

    #[test]
    fn a_token_is_one_word_of_its_file() {
        check("t0ken\n", Ok("Bearer t0ken"));
        check("  \n", Err("is empty"));
        check("two words", Err("more than one word"));
        check("t\u{e9}", Err("characters that no token has"));
        check(&"x".repeat(9_000), Err("too large"));
        let missing = Token::File("/nowhere/token".into()).header().unwrap_err();
        assert!(missing.to_string().starts_with("token file /nowhere/token: "), "{missing}");
        assert_eq!(Token::None.header(), Ok(None));
    }

    #[test]
    fn a_given_token_is_not_shown() {
        let token = Token::Given("t0ken".into());
        assert!(token.header().unwrap().is_some());
        assert_eq!(format!("{token:?}"), "Given(..)");
    }
}
