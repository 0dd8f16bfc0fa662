//! Finds the file and reads it.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::diagnostic::Diagnostic;
use super::section::{Report, Section};
use super::sources::Sources;
use super::types::Config;

/// Where a configuration is looked for without `--config` and `$TEAL_CONFIG`.
const PLACES: [&str; 2] = ["teal.toml", "/etc/teal/teal.toml"];

/// A configuration that is fit for use.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it stands, absolute.
    pub path: PathBuf,
    /// As written.
    pub text: String,
    /// What works but should be known.
    pub warnings: Vec<Diagnostic>,
    /// Where each value comes from.
    pub sources: Sources,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// None of the usual places has one.
    #[error(
        "no configuration: neither ./teal.toml nor /etc/teal/teal.toml exists; --config FILE or $TEAL_CONFIG names another, `teal init` writes a first one"
    )]
    Missing,
    /// It is there, or should be, and cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// It has mistakes.
    #[error("{} has {}", path.display(), count(errors.len()))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// At least one, in the order of the file.
        errors: Vec<Diagnostic>,
        /// What else should be known.
        warnings: Vec<Diagnostic>,
    },
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

/// The file that `explicit` names, else the first of the usual places that exists.
///
/// # Errors
/// [`LoadError::Missing`].
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, LoadError> {
    let path = match explicit {
        Some(path) => path.to_owned(),
        None => PLACES.iter().map(PathBuf::from).find(|path| path.exists()).ok_or(LoadError::Missing)?,
    };
    std::path::absolute(&path).map_err(|error| LoadError::Unreadable { path, error })
}

/// Finds, reads and validates.
///
/// # Errors
/// No file, an unreadable one, or all of its mistakes.
pub fn load(explicit: Option<&Path>) -> Result<Loaded, LoadError> {
    let path = find(explicit)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return Err(LoadError::Unreadable { path, error }),
    };
    let base = path.parent().unwrap_or(Path::new("/"));
    match read(&text, base) {
        Read { config: Ok(config), warnings, sources } => Ok(Loaded { config, path, text, warnings, sources }),
        Read { config: Err(errors), warnings, .. } => Err(LoadError::Invalid { path, errors, warnings }),
    }
}

/// Reads a configuration from text; relative paths start from `base`. The second part are warnings.
pub fn parse(text: &str, base: &Path) -> (Result<Config, Vec<Diagnostic>>, Vec<Diagnostic>) {
    let Read { config, warnings, .. } = read(text, base);
    (config, warnings)
}

/// What became of a text.
pub(super) struct Read {
    /// Or all of its mistakes.
    pub(super) config: Result<Config, Vec<Diagnostic>>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) sources: Sources,
}

/// Reads a configuration from text; relative paths start from `base`.
pub(super) fn read(text: &str, base: &Path) -> Read {
    let (table, broken) = DeTable::parse_recoverable(text);
    if !broken.is_empty() {
        let diagnostic = |error: &toml::de::Error| {
            Diagnostic::at(text, &error.span().unwrap_or_default(), "", error.message().replace('\n', ", "))
        };
        let errors = broken.iter().map(diagnostic).collect();
        return Read { config: Err(errors), warnings: Vec::new(), sources: Sources::default() };
    }
    let report = Report::new(text, base);
    let config = super::read::config(Section::root(&report, table.get_ref()));
    let (mut errors, warnings, sources) = report.into_parts();
    if errors.is_empty() {
        // The machine's own rules, should one not be known to the reader.
        let broken = config.environments.keys().filter_map(|name| config.settings(name).err());
        errors.extend(broken.map(|error| Diagnostic::at(text, &(0..0), "environments", error.to_string())));
    }
    Read { config: if errors.is_empty() { Ok(config) } else { Err(errors) }, warnings, sources }
}
