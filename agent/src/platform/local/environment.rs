//! The environment variables of an instance: few from the agent's own, the operator's file, and who it is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::files::FileError;
use super::spec::Spec;

/// Names the instance to itself, and its processes to whoever has to clean up after it.
pub(super) const INSTANCE: &str = "TEAL_INSTANCE";

/// What a program may expect of any machine. The rest of the agent's environment is its own: service manager sockets,
/// tokens, log levels.
const INHERITED: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];

/// A line of an `env_file` that cannot be understood. Its content may be a secret and is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is not KEY=VALUE")]
pub struct EnvLineError(pub usize);

/// Reads `KEY=VALUE` lines: blank lines, `#` comments, a leading `export` and one pair of quotes around the value are
/// understood; nothing is expanded.
///
/// # Errors
/// The first line that is something else.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, EnvLineError> {
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line.split_once('=').ok_or(EnvLineError(number))?;
        let key = key.trim();
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || key.as_bytes()[0].is_ascii_digit() || value.contains('\0') {
            return Err(EnvLineError(number));
        }
        variables.push((key.to_owned(), unquote(value.trim()).to_owned()));
    }
    Ok(variables)
}

fn unquote(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

/// Why an instance's environment cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvironmentError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {source}", path.display())]
    Line { path: std::path::PathBuf, source: EnvLineError },
}

/// Reads and checks an `env_file`; returns it as it stands.
pub(super) fn read(path: &Path) -> Result<String, EnvironmentError> {
    let text = std::fs::read_to_string(path).map_err(FileError::of("read", path))?;
    variables(&text, path)?;
    Ok(text)
}

fn variables(text: &str, path: &Path) -> Result<Vec<(String, String)>, EnvironmentError> {
    parse(text).map_err(|source| EnvironmentError::Line { path: path.to_owned(), source })
}

/// The whole environment of an instance's processes.
pub(super) fn of(spec: &Spec) -> Result<BTreeMap<OsString, OsString>, EnvironmentError> {
    let mut variables: BTreeMap<OsString, OsString> =
        INHERITED.iter().filter_map(|&key| Some((key.into(), std::env::var_os(key)?))).collect();
    variables.insert("PORT".into(), spec.port.to_string().into());
    if let Some(path) = &spec.env_file {
        variables
            .extend(self::variables(&read(path)?, path)?.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
    for (key, value) in [
        (INSTANCE, spec.instance.clone()),
        ("TEAL_ENVIRONMENT", spec.environment.clone()),
        ("TEAL_COMPONENT", spec.component.clone()),
        ("TEAL_COLOUR", spec.colour.to_string()),
        ("TEAL_SLOT", spec.slot.to_string()),
        ("TEAL_VERSION", spec.version.clone()),
        ("TEAL_RELEASE", spec.release.to_string()),
    ] {
        variables.insert(key.into(), value.into());
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_read_as_people_write_it() {
        let text =
            "# comment\n\nA=1\nexport B = two words \nC=\"quoted # not a comment\"\nD='it''s'\nE=\nF=a=b\nG=\"\n";
        let pairs = parse(text).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "quoted # not a comment"),
            ("D", "it''s"),
            ("E", ""),
            ("F", "a=b"),
            ("G", "\""),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn a_broken_line_is_named_by_its_number_only() {
        for (text, line) in [("A=1\nsecret", 2), ("=x", 1), ("1A=x", 1), ("A-B=x", 1), ("\n\nA=\0", 3)] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, EnvLineError(line), "{text:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
