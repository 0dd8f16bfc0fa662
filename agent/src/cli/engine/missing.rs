//! What a release would start and is not there, found before anything starts.

use std::path::{Path, PathBuf};

use crate::api::Versions;
use crate::cli::{CliError, Exit};
use crate::config::{Environment, Runs};

/// Refuses versions whose program or folder is not on this machine.
///
/// # Errors
/// Refused, a sentence for each component.
pub(in crate::cli) fn refuse_missing(environment: &Environment, versions: &Versions) -> Result<(), CliError> {
    let mut absent = Vec::new();
    for (name, version) in versions {
        let Some(Runs::Processes(processes)) = environment.components.get(name).map(|component| &component.runs) else {
            continue;
        };
        let Some(path) = first_missing(&processes.run, version) else { continue };
        absent.push(format!("{name} {version} cannot start: {} is not there", path.display()));
    }
    if absent.is_empty() {
        return Ok(());
    }
    let refused = CliError::new(Exit::Refused, absent.join("; "));
    Err(refused.hint("nothing was started; put the version there, or look at the component's `run`"))
}

/// The program, where its path is whole, or the version's folder in an argument: what lies deeper may be made by the program.
fn first_missing(run: &[String], version: &str) -> Option<PathBuf> {
    let program = run.first().and_then(|word| filled(word, version));
    let folders = run.iter().skip(1).filter_map(|word| {
        let at = word.find("{version}")?;
        let end = word[at..].find('/').map_or(word.len(), |slash| at + slash);
        filled(&word[..end], version)
    });
    // Who may not look cannot say that it is missing.
    program.into_iter().chain(folders).find(|path| matches!(path.try_exists(), Ok(false)))
}

/// An absolute path; `None` for names, options, mounts, and what differs by port or slot.
fn filled(word: &str, version: &str) -> Option<PathBuf> {
    let word = word.replace("{version}", version);
    let is_path = word.starts_with('/') && !word.contains(['{', ':']);
    is_path.then(|| Path::new(&word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_the_folders_of_versions_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        std::fs::create_dir(folder.path().join("v1")).unwrap();
        std::fs::write(folder.path().join("v1/app"), "").unwrap();
        let check = |run: &str, version: &str, missing: Option<&str>| {
            let run: Vec<String> = run.replace('~', &here.to_string()).split(' ').map(str::to_owned).collect();
            let missing = missing.map(|path| folder.path().join(path));
            assert_eq!(first_missing(&run, version), missing, "{run:?}");
        };
        check("~/{version}/app {port}", "v1", None);
        check("~/{version}/app {port}", "v2", Some("v2/app"));
        check("~/{version}/other", "v1", Some("v1/other"));
        check("python3 ~/{version}/app.py {port}", "v2", Some("v2"));
        // Made by the program, or read by it when it likes.
        check("python3 ~/{version}/later.sock ~/x.log", "v1", None);
        check("docker run -v ~/{version}:/app web:{version}", "v2", None);
        check("env ~/{slot}/{version}", "v2", None);
    }
}
