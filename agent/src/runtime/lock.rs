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
}
