//! The file that says how to reach a PostgreSQL database. It holds a password: nothing of it is in any error or log.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

/// More than any address has.
const MOST: u64 = 16 * 1024;
/// What may stand behind the `?`.
const KNOWN: [&str; 9] =
    ["application_name", "dbname", "host", "password", "port", "sslcert", "sslkey", "sslmode", "sslrootcert"];
const EXAMPLE: &str = "postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full&sslrootcert=FILE";

/// Why such a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} {problem}")]
pub struct DsnError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it, without anything that stands in it.
    pub problem: String,
}

/// Reads the file's only line.
///
/// # Errors
/// It cannot be read, others may read it, or it is no address.
pub fn read(path: &Path) -> Result<PgConnectOptions, DsnError> {
    let wrong = |problem: String| DsnError { path: path.to_owned(), problem };
    let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o027 != 0 {
        let problem =
            format!("may be read or changed by others (mode {mode:04o}), and it holds a password: chmod 0600, or 0640");
        return Err(wrong(problem));
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).map_err(unreadable)?;
    parse(text.trim()).map_err(wrong)
}

/// Whatever is wrong is said without what stands there.
fn parse(text: &str) -> Result<PgConnectOptions, String> {
    let is_address = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_address || text.contains(char::is_whitespace) {
        return Err(format!("is not one line like {EXAMPLE}"));
    }
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let keys = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or_default());
    for (index, key) in keys.enumerate() {
        // A mistyped key may stand before a password, and is not quoted either.
        if !KNOWN.contains(&key) {
            let known = KNOWN.join(", ");
            return Err(format!("has a setting behind `?`, number {}, that is none of {known}", index + 1));
        }
    }
    text.parse()
        .map_err(|_| format!("is not an address like {EXAMPLE}: special characters of a password are written as %XX"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn check(text: &str, mode: u32, expected: Result<&str, &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        match (read(file.path()), expected) {
            (Ok(options), Ok(host)) => assert_eq!(options.get_host(), host),
            (Err(error), Err(words)) => {
                let error = error.to_string();
                assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
                assert!(error.contains(&file.path().display().to_string()), "{error}");
            }
            (read, expected) => panic!("{text}: {:?} instead of {expected:?}", read.err()),
        }
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_no_address_is_refused_without_its_text() {
        let address = "postgres://teal:s3cret@10.0.0.7:5432/teal";
        check(&format!("{address}?sslmode=require\n"), 0o600, Ok("10.0.0.7"));
        check(address, 0o640, Ok("10.0.0.7"));
        for mode in [0o644, 0o604, 0o660, 0o601] {
            check(address, mode, Err("may be read or changed by others"));
        }
        check("", 0o600, Err("is not one line like postgres://"));
        check("mysql://teal:s3cret@h/d", 0o600, Err("is not one line like"));
        check("host=h password=s3cret", 0o600, Err("is not one line like"));
        check(&format!("{address}\n{address}"), 0o600, Err("is not one line like"));
        check("postgres://teal:s3cret@h:port/d", 0o600, Err("is not an address like"));
        check(&format!("{address}?sslmode=s3cret"), 0o600, Err("is not an address like"));
        check(&format!("{address}?s3cret=1"), 0o600, Err("number 1, that is none of"));
        check(&format!("{address}?sslmode=require&pasword=s3cret"), 0o600, Err("number 2, that is none of"));
        assert!(
            read(Path::new("/nowhere/flags.dsn")).err().unwrap().to_string().contains("cannot be read: No such file")
        );
    }
}
