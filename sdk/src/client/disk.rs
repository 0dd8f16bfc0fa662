//! The snapshot on disk: its form, checked as a whole before a byte of it is believed.
//!
//! ```text
//! teal-flags-snapshot 1 XXH3 LENGTH SCOPE WRITTEN\n
//! { the document }
//! ```
//! XXH3 (64 bits, 16 hexadecimal digits) and LENGTH (bytes) are the document's; SCOPE tells one service and environment from
//! another, so that staging's flags are not taken for production's; WRITTEN is the moment when the service last said so.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

use crate::model::Timestamp;

const MAGIC: &str = "teal-flags-snapshot";
const VERSION: &str = "1";
/// A header is shorter than this.
const LONGEST_HEADER: usize = 256;

/// Why a file is no snapshot of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not the beginning of a snapshot.
    Foreign,
    /// Written by a newer SDK.
    Version(String),
    /// Cut short, or longer than it should be.
    Length { said: usize, found: usize },
    /// Changed since it was written.
    Checksum,
    /// Another service's or environment's.
    Scope,
}

impl Refused {
    /// What is added to the file's name when it is put aside.
    pub(super) const fn suffix(&self) -> &'static str {
        match self {
            Self::Scope => "other",
            Self::Foreign | Self::Version(_) | Self::Length { .. } | Self::Checksum => "corrupt",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "does not begin with `{MAGIC} {VERSION}`"),
            Self::Version(version) => write!(f, "has version {version:?}; this SDK reads version {VERSION}"),
            Self::Length { said, found } => write!(f, "should hold {said} bytes and holds {found}"),
            Self::Checksum => f.write_str("was changed since it was written: its checksum is another"),
            Self::Scope => f.write_str("belongs to another service or environment"),
        }
    }
}

/// Which service and environment a snapshot is of.
pub(super) fn scope(service: &str, environment: Option<&str>) -> u64 {
    let service = service.trim_end_matches('/');
    xxh3_64(format!("{service}\n{}", environment.unwrap_or_default()).as_bytes())
}

/// A whole file.
pub(super) fn encode(document: &[u8], scope: u64, as_of: Timestamp) -> Vec<u8> {
    let header = format!("{MAGIC} {VERSION} {:016x} {} {scope:016x} {as_of}\n", xxh3_64(document), document.len());
    [header.as_bytes(), document].concat()
}

/// The document of a file, and of which moment it is.
///
/// # Errors
/// When the file is not as it was written, or for none of these scopes.
pub(super) fn decode<'a>(file: &'a [u8], scopes: &[u64]) -> Result<(&'a [u8], Timestamp), Refused> {
    let end = file.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n').ok_or(Refused::Foreign)?;
    let header = std::str::from_utf8(&file[..end]).map_err(|_| Refused::Foreign)?;
    let document = &file[end + 1..];
    let mut words = header.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(Refused::Foreign);
    }
    match words.next() {
        Some(VERSION) => {}
        version => return Err(Refused::Version(version.unwrap_or_default().to_owned())),
    }
    let hash = hexadecimal(words.next())?;
    let said = parsed(words.next())?;
    let written_for = hexadecimal(words.next())?;
    let written = parsed(words.next())?;
    if said != document.len() {
        return Err(Refused::Length { said, found: document.len() });
    }
    if hash != xxh3_64(document) {
        return Err(Refused::Checksum);
    }
    if !scopes.contains(&written_for) {
        return Err(Refused::Scope);
    }
    Ok((document, written))
}

fn hexadecimal(word: Option<&str>) -> Result<u64, Refused> {
    // What reads numbers lets a sign pass.
    word.filter(|word| word.len() == 16 && !word.starts_with('+'))
        .and_then(|word| u64::from_str_radix(word, 16).ok())
        .ok_or(Refused::Foreign)
}

fn parsed<T: FromStr>(word: Option<&str>) -> Result<T, Refused> {
    word.and_then(|word| word.parse().ok()).ok_or(Refused::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &[u8] = br#"{"revision":7}"#;

    fn check(change: impl Fn(String) -> String, expected: &Result<(), Refused>) {
        let file = String::from_utf8(encode(DOCUMENT, 5, Timestamp::from_millis(0))).unwrap();
        let file = change(file);
        let found = decode(file.as_bytes(), &[5]);
        assert_eq!(found.map(|(document, _)| assert_eq!(document, DOCUMENT)), *expected, "{file}");
    }

    #[test]
    fn a_snapshot_is_believed_as_a_whole_or_not_at_all() {
        check(|file| file, &Ok(()));
        check(|_| String::new(), &Err(Refused::Foreign));
        check(|file| file.replace("snapshot 1", "snapshot 2"), &Err(Refused::Version("2".into())));
        check(|file| file[..file.len() - 1].into(), &Err(Refused::Length { said: 14, found: 13 }));
        check(|file| file + "x", &Err(Refused::Length { said: 14, found: 15 }));
        check(|file| file.replace(":7", ":8"), &Err(Refused::Checksum));
        check(|file| file[..30].into(), &Err(Refused::Foreign));
        check(|file| file.replace("teal", "tael"), &Err(Refused::Foreign));
        check(|file| file.replace("0000000000000005", "0000000000000006"), &Err(Refused::Scope));
    }

    #[test]
    fn services_and_environments_are_told_apart() {
        assert_ne!(scope("https://a", Some("prod")), scope("https://a", Some("staging")));
        assert_ne!(scope("https://a", Some("prod")), scope("https://b", Some("prod")));
    }

    proptest! {
        #[test]
        fn any_single_wrong_byte_is_noticed(at: prop::sample::Index, flip in 1..=255_u8) {
            let mut file = encode(DOCUMENT, 5, Timestamp::from_millis(0));
            let moment = file.iter().position(|byte| *byte == b'\n').unwrap();
            let at = at.index(file.len());
            file[at] ^= flip;
            // The moment says how old it is, nothing else; upper-case digits are the same number.
            let harmless = (moment - 20..moment).contains(&at) || flip == 0x20;
            prop_assert!(harmless || decode(&file, &[5]).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(file in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&file, &[5]);
        }
    }
}
