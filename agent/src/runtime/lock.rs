//! One agent for a state folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::RuntimeError;

/// Held while the agent runs; the system lets go of it with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "holding it open is what it is for")] File);

/// Makes the folder (0750) where it is missing and takes its lock.
pub(super) fn take(state: &Path) -> Result<Lock, RuntimeError> {
    let failed = |error| RuntimeError::State { path: state.to_owned(), error };
    if !state.is_dir() {
        std::fs::DirBuilder::new().recursive(true).mode(0o750).create(state).map_err(failed)?;
    }
    let path = state.join("agent.lock");
    let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    let mut file = open.map_err(failed)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        // Without the pid the message is poorer, not wrong.
        let _ = file.read_to_string(&mut pid);
        return Err(RuntimeError::Locked { path: state.to_owned(), pid: pid.trim().to_owned() });
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Lock(file))
}

/// A name for whoever works with this folder, kept in it: made of random bits once.
pub(super) fn id(state: &Path) -> Result<String, RuntimeError> {
    let failed = |error| RuntimeError::State { path: state.to_owned(), error };
    let path = state.join("agent.id");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{id}").and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let first = take(&state).unwrap();
        let error = take(&state).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        drop(first);
        take(&state).unwrap();
    }

    #[test]
    fn a_folder_keeps_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let first = id(folder.path()).unwrap();
        assert_eq!(id(folder.path()).unwrap(), first);
        assert_ne!(id(tempfile::tempdir().unwrap().path()).unwrap(), first);
    }
}
