//! Pseudonyms of users' ids: what leaves the application instead of an id that may be a patient's.
//!
//! HMAC-SHA256 (RFC 2104, FIPS 198-1) of the id under a key that only the application has, its first 128 bits as 32 lower-case
//! hexadecimal digits. The same user has the same pseudonym wherever the key is the same; without the key nobody can try ids
//! until one fits. 128 bits: two of a thousand million users share one with a probability of less than 10^-20.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hmac::digest::zeroize::Zeroizing;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Scratch, Subject};

/// Fewest bytes of a key: as many as the hash has.
const SHORTEST: usize = 32;
/// Most bytes of a key file.
const LONGEST: usize = 4096;
/// Bytes of the hash that make a pseudonym.
const BYTES: usize = 16;

/// Makes pseudonyms. The key is wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
}

/// What stands for a user. It is a [`Subject`] of its own: flags, buckets and stickiness go by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym {
    digits: [u8; 2 * BYTES],
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Shorter than 32 bytes.
    Short {
        /// How many bytes it has.
        bytes: usize,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Others may read or write the file.
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { bytes } => {
                write!(f, "a key of {bytes} bytes is too short; make one of 32: head -c 32 /dev/urandom > KEYFILE")
            }
            Self::Unreadable { path, problem } => write!(f, "key file {}: {problem}", path.display()),
            Self::Open { path, mode } => {
                write!(f, "key file {} has mode {mode:04o}: others can get at it; chmod 0600", path.display())
            }
        }
    }
}

impl std::error::Error for KeyError {}

impl Pseudonyms {
    /// With this key, all of it, as it is.
    ///
    /// # Errors
    /// When it is shorter than 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, KeyError> {
        let short = KeyError::Short { bytes: key.len() };
        if key.len() < SHORTEST {
            return Err(short);
        }
        Ok(Self { keyed: Hmac::new_from_slice(key).map_err(|_| short)? })
    }

    /// With the bytes of a file as they are, a final newline included: 32 at least, 4096 at most. The file may be read by its
    /// owner, and by its group (as Kubernetes mounts secrets with an `fsGroup`), and by nobody else.
    ///
    /// # Errors
    /// When the file cannot be read, is open to others, or too short.
    pub fn from_key_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let unreadable = |problem: String| KeyError::Unreadable { path: path.into(), problem };
        let look = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if !look.is_file() || look.len() > LONGEST as u64 {
            return Err(unreadable(format!("is no file, or has more than {LONGEST} bytes")));
        }
        let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mode = file.metadata().map_err(|error| unreadable(error.to_string()))?.mode() & 0o777;
        if mode & 0o037 != 0 {
            return Err(KeyError::Open { path: path.into(), mode });
        }
        let mut key = Zeroizing::new([0; LONGEST]);
        let length = read(file, &mut *key).map_err(|error| unreadable(error.to_string()))?;
        Self::new(&key[..length])
    }

    /// The pseudonym of a user. Allocates nothing; takes about a microsecond: once a request, not once a flag.
    #[must_use]
    pub fn of(&self, user_id: &str) -> Pseudonym {
        let mut keyed = self.keyed.clone();
        keyed.update(user_id.as_bytes());
        let hash = keyed.finalize().into_bytes();
        let mut digits = [0; 2 * BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(&hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Pseudonym { digits }
    }
}

/// Fills `room` as far as the file goes.
fn read(mut file: impl Read, room: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    loop {
        match file.read(&mut room[length..]) {
            Ok(0) => return Ok(length),
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// Without the key.
impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}

impl Pseudonym {
    /// 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

impl Subject for Pseudonym {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        Some(self.as_str())
    }
}

impl AsRef<str> for Pseudonym {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// RFC 4231, test case 6: a key longer than a block.
    #[test]
    fn it_is_hmac_sha256() {
        let pseudonym =
            Pseudonyms::new(&[0xaa; 131]).unwrap().of("Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(pseudonym.to_string(), "60e431591ee0b67f0d8a26aacbf5b77f");
        assert_eq!(pseudonym.id(&mut Scratch::default()), Some("60e431591ee0b67f0d8a26aacbf5b77f"));
    }

    #[test]
    fn a_user_has_one_pseudonym_a_key() {
        let (one, other) = (Pseudonyms::new(&[1; 32]).unwrap(), Pseudonyms::new(&[2; 32]).unwrap());
        assert_eq!(one.of("user-7"), Pseudonyms::new(&[1; 32]).unwrap().of("user-7"));
        assert_ne!(one.of("user-7"), other.of("user-7"));
        assert_ne!(one.of("user-7"), one.of("user-8"));
        assert_eq!(format!("{one:?}"), "Pseudonyms(..)");
    }

    fn check(bytes: usize, mode: u32, expected: Result<(), &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![7; bytes]).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let found = Pseudonyms::from_key_file(file.path()).map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(found), Ok(())) => assert_eq!(found.of("x"), Pseudonyms::new(&vec![7; bytes]).unwrap().of("x")),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            _ => panic!("{bytes} bytes, {mode:o}: {found:?}"),
        }
    }

    #[test]
    fn a_key_file_must_be_long_enough_and_nobody_elses_business() {
        check(32, 0o600, Ok(()));
        check(4096, 0o400, Ok(()));
        check(32, 0o440, Ok(()));
        check(31, 0o600, Err("too short"));
        check(4097, 0o600, Err("more than 4096"));
        check(32, 0o604, Err("chmod 0600"));
        check(32, 0o620, Err("chmod 0600"));
        let error = Pseudonyms::from_key_file("/nowhere/key").unwrap_err();
        assert!(error.to_string().starts_with("key file /nowhere/key: "), "{error}");
    }
}
