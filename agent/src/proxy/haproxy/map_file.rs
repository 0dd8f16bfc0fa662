//! The policy on disk: what HAProxy routes by after a restart or a reload.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use teal_rollout::policy::{Policy, PolicyError};

use crate::crash::{self, Place, Way};

/// The map's one key.
const KEY: &str = "policy";

/// Why the map file could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapFileError {
    /// It does not exist.
    #[error("no map file at {}: HAProxy cannot start without it (`teal proxy check` says how to make it)", .0.display())]
    Missing(PathBuf),
    /// It, or its folder, may not be written or read.
    #[error("no permission for {}: Teal's user must be able to replace files in this folder", .0.display())]
    PermissionDenied(PathBuf),
    /// No space or quota left.
    #[error("no space left to write {}: free some; a restart of HAProxy would bring back what stands there now", .0.display())]
    Full(PathBuf),
    /// The file system is mounted read-only.
    #[error("{} lies on a read-only file system", .0.display())]
    ReadOnly(PathBuf),
    /// It has no line for the key `policy`.
    #[error("{} has no line `policy v1:...`", .0.display())]
    NoKey(PathBuf),
    /// The key's value is not a policy.
    #[error("{}: {error}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with the value.
        error: PolicyError,
    },
    /// Any other failure.
    #[error("{}: {kind}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl MapFileError {
    fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::PermissionDenied => Self::PermissionDenied(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(path),
            kind => Self::Io { path, kind },
        }
    }
}

/// Reads the policy that a restart would route by.
///
/// # Errors
/// [`MapFileError`]; a file without the key or with a broken value is an error too.
pub fn read(path: &Path) -> Result<Policy, MapFileError> {
    let text = fs::read_to_string(path).map_err(|error| MapFileError::io(path, &error))?;
    let value = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| line.strip_prefix(KEY).filter(|rest| rest.starts_with([' ', '\t'])))
        .ok_or_else(|| MapFileError::NoKey(path.to_owned()))?;
    value.trim().parse().map_err(|error| MapFileError::Invalid { path: path.to_owned(), error })
}

/// Replaces the file as a whole and waits until it is on the disk: a crash leaves the old or the new policy,
/// never half of one. Keeps the old file's group, HAProxy's perhaps; mode 0640.
///
/// # Errors
/// [`MapFileError`]; the old file is untouched then.
pub fn write(path: &Path, policy: &Policy) -> Result<(), MapFileError> {
    let temporary = temporary(path);
    let written = replace(path, &temporary, policy);
    if written.is_err() {
        // The error at hand says more than a failure to tidy up would.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| MapFileError::io(path, &error))
}

fn replace(path: &Path, temporary: &Path, policy: &Policy) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(temporary)?;
    if let Ok(old) = fs::metadata(path) {
        // Works for root and for members of the group; where it does not, the folder's own rules hold.
        let _ = std::os::unix::fs::fchown(&file, None, Some(old.gid()));
    }
    writeln!(file, "{KEY} {policy}")?;
    file.sync_all()?;
    crash::at(Place::Replacing, Way::from(policy));
    fs::rename(temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    crash::at(Place::Replaced, Way::from(policy));
    Ok(())
}

/// In the same folder, because a rename is atomic only within one file system.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!(".{name}.new"))
}

/// `prod.map` and `lock` give `prod.map.lock`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!("{name}.{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn policy() -> Policy {
        "v1:43.1.open:blue:green:100000:r-43:0".parse().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prod.map");
        write(&path, &policy()).unwrap();
        assert_eq!(read(&path), Ok(policy()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prod.map");
        assert_eq!(read(&path), Err(MapFileError::Missing(path.clone())));
        let check = |text: &str, words: &str| {
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("prod.map"), "{text}: {error}");
        };
        check("", "no line `policy");
        check("# policy v1:1.0.open:blue:blue:0:s:0\n", "no line `policy");
        check("policyx v1:1.0.open:blue:blue:0:s:0\n", "no line `policy");
        check("policy green\n", "must start with `v1:`");
        fs::write(&path, "# ours\n  policy\tv1:43.1.open:blue:green:100000:r-43:0 \nother x\n").unwrap();
        assert_eq!(read(&path), Ok(policy()));
    }

    #[test]
    fn a_failed_write_leaves_the_old_policy_and_no_rubbish() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prod.map");
        write(&path, &policy()).unwrap();
        // The temporary file cannot be made: its name is taken by a folder (a mode would not stop root).
        fs::create_dir(temporary(&path)).unwrap();
        let later = "v1:43.1.bad:blue:green:0:r-43:0".parse().unwrap();
        assert!(write(&path, &later).is_err());
        assert_eq!(read(&path), Ok(policy()));
        fs::remove_dir(temporary(&path)).unwrap();
        // Every write to /dev/full fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", temporary(&path)).unwrap();
        assert_eq!(write(&path, &later), Err(MapFileError::Full(path.clone())));
        assert_eq!(read(&path), Ok(policy()));
        assert_eq!(write(&path, &later), Ok(()));
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone/prod.map");
        assert_eq!(write(&path, &policy()), Err(MapFileError::Missing(path)));
        assert!(matches!(write(folder.path(), &policy()), Err(MapFileError::Io { .. })));
    }
}
