//! One agent for one HAProxy: a lock beside its map, held as long as the agent lives.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why the HAProxy cannot be owned.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// Another agent has it.
    #[error("{} is already driven by another agent (pid {}): stop it first, or give this one its own map", .lock.display(), .pid.as_deref().unwrap_or("unknown"))]
    Taken {
        /// The lock's path.
        lock: PathBuf,
        /// What the other one wrote there.
        pid: Option<String>,
    },
    /// The lock cannot be made.
    #[error("{}: {error}: Teal's user must be able to write in the map's folder", .lock.display())]
    Io {
        /// The lock's path.
        lock: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The right to write to one HAProxy; given back when dropped, by the kernel when the process dies.
#[derive(Debug)]
pub struct Owner {
    _lock: File,
}

impl Owner {
    /// Takes the lock beside `map`.
    ///
    /// # Errors
    /// [`OwnerError::Taken`] with the holder's pid, or what the system said.
    pub fn take(map: &Path) -> Result<Self, OwnerError> {
        let lock = lock_path(map);
        let failed = |error| OwnerError::Io { lock: lock.clone(), error };
        // Not truncated on opening: the holder's pid stands in there until the lock is ours.
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OwnerError::Taken { pid: holder_text(&lock), lock }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _lock: file })
    }

    /// The pid of the agent that drives the HAProxy of `map` just now, if any.
    #[must_use]
    pub fn holder(map: &Path) -> Option<u32> {
        let lock = lock_path(map);
        let file = File::open(&lock).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => holder_text(&lock)?.parse().ok(),
            _ => None,
        }
    }
}

fn holder_text(lock: &Path) -> Option<String> {
    fs::read_to_string(lock).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `prod.map` is locked by `prod.map.lock`.
fn lock_path(map: &Path) -> PathBuf {
    super::map_file::beside(map, "lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_with_the_first_ones_pid() {
        let folder = tempfile::tempdir().unwrap();
        let map = folder.path().join("prod.map");
        assert_eq!(Owner::holder(&map), None);
        let first = Owner::take(&map).unwrap();
        let error = Owner::take(&map).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        assert_eq!(Owner::holder(&map), Some(std::process::id()));
        drop(first);
        assert_eq!(Owner::holder(&map), None);
        Owner::take(&map).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Owner::take(Path::new("/nonexistent/prod.map")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/prod.map.lock"), "{error}");
    }
}
