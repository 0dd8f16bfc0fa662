//! The token that a service may want to see: never shown, never sent where it could be read on the way.

use std::fmt;
use std::path::Path;

use http::HeaderValue;

use super::FlagClientError;

/// Longest token file, in bytes.
const LONGEST: u64 = 8 * 1024;

/// A token, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// The one word of a file.
    ///
    /// # Errors
    /// [`FlagClientError::Token`].
    pub fn from_file(path: &Path) -> Result<Self, FlagClientError> {
        let wrong = |problem: String| FlagClientError::Token { from: path.display().to_string(), problem };
        let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
        if !size.is_file() || size.len() > LONGEST {
            return Err(wrong("is no file, or too large for a token".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::read(&text, &path.display().to_string())
    }

    /// One word; `from` says in an error where it came from.
    ///
    /// # Errors
    /// [`FlagClientError::Token`], which does not repeat the text.
    pub fn read(text: &str, from: &str) -> Result<Self, FlagClientError> {
        let wrong = |problem: &str| FlagClientError::Token { from: from.to_owned(), problem: problem.to_owned() };
        let word = text.trim();
        if word.is_empty() {
            return Err(wrong("is empty"));
        }
        if !word.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("holds more than one word, or characters that no token has"));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {word}")).map_err(|_| wrong("is no token"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(in crate::client) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = |content: &str, expected: Result<&str, &str>| {
            std::fs::write(file.path(), content).unwrap();
            match (Token::from_file(file.path()), expected) {
                (Ok(token), Ok(header)) => {
                    assert_eq!(token.header(), header);
                    assert!(!format!("{token:?} {:?}", token.header()).contains("t0ken"));
                }
                (Err(error), Err(words)) => {
                    let error = error.to_string();
                    assert!(error.contains(words) && !error.contains("t0ken"), "{error}");
                }
                (other, _) => panic!("{content:?}: {other:?}"),
            }
        };
        check("t0ken\n", Ok("Bearer t0ken"));
        check(" \n", Err("is empty"));
        check("t0ken t0ken", Err("more than one word"));
        check("t0k\u{e9}n", Err("characters that no token has"));
        check(&"x".repeat(9_000), Err("too large"));
        let error = Token::from_file(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(error.starts_with("the token in /nowhere/token: "), "{error}");
    }
}
