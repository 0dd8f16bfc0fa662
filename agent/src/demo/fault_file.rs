//! The fault of one version as its file says it now: written anew, it changes what a running sample app does.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::fault::Fault;
use super::sample_app::SampleAppError;

/// What tells one content of a file from the next without reading it: time of change, inode, length.
type Stamp = (SystemTime, u64, u64);

/// A fault that can be switched while the app runs: an outage that begins, and one that is over.
#[derive(Debug)]
pub struct FaultFile {
    path: Option<PathBuf>,
    /// Without a file.
    otherwise: Fault,
    seen: Mutex<(Option<Stamp>, Fault)>,
}

impl FaultFile {
    /// The fault in `folder`'s file called `version`; `otherwise` while there is no such file or folder.
    ///
    /// # Errors
    /// When there is a file that cannot be read or understood.
    pub fn open(folder: Option<&Path>, version: &str, otherwise: &Fault) -> Result<Self, SampleAppError> {
        let path = folder.map(|folder| folder.join(version));
        let seen = match path.as_ref().and_then(|path| Some((path, stamp(path)?))) {
            Some((path, stamp)) => (Some(stamp), read(path)?),
            None => (None, *otherwise),
        };
        Ok(Self { path, otherwise: *otherwise, seen: Mutex::new(seen) })
    }

    /// The fault now. A file that turns unreadable changes nothing: it may be half written.
    #[must_use]
    pub fn now(&self) -> Fault {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &self.path else { return seen.1 };
        let stamp = stamp(path);
        if stamp != seen.0 {
            let fault = if stamp.is_some() { read(path).ok() } else { Some(self.otherwise) };
            if let Some(fault) = fault {
                *seen = (stamp, fault);
            }
        }
        seen.1
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.ino(), file.len()))
}

fn read(path: &Path) -> Result<Fault, SampleAppError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| SampleAppError::Read { path: path.to_owned(), source })?;
    text.trim().parse().map_err(|source| SampleAppError::Fault { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_follows_its_file_and_ignores_nonsense() {
        let folder = tempfile::tempdir().unwrap();
        let otherwise = "latency=5ms".parse().unwrap();
        let file = FaultFile::open(Some(folder.path()), "v2", &otherwise).unwrap();
        let says = |fault: &str| assert_eq!(file.now().to_string(), fault);
        let write = |text: &str| std::fs::write(folder.path().join("v2"), text).unwrap();
        says("latency=5ms");
        write("errors=100%\n");
        says("errors=100%");
        write("errors=200%\n");
        says("errors=100%");
        write("none");
        says("none");
        std::fs::remove_file(folder.path().join("v2")).unwrap();
        says("latency=5ms");
    }

    #[test]
    fn a_file_that_says_nonsense_at_the_start_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("v2"), "eror=1%").unwrap();
        let error = FaultFile::open(Some(folder.path()), "v2", &Fault::default()).unwrap_err().to_string();
        assert!(error.contains("v2: unknown fault `eror=1%`"), "{error}");
    }
}
