//! Where the local platform keeps what it must not forget.
//!
//! ```text
//! STATE/local/ENVIRONMENT/            0700, as is everything below; files are 0600
//!   agent.lock                        held by the one agent that looks after this environment
//!   COMPONENT/COLOUR/
//!     desired.json                    what is to run; its absence means nothing
//!     env                             the snapshot of env_file
//!     s1/                             an instance
//!       spec.json                     what its shim runs
//!       shim.lock                     held by its shim
//!       process.json  control.sock    while its shim lives
//!       output.log  output.log.1      what the application printed
//!       shim.log                      what the shim itself had to say
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use teal_rollout::colour::Colour;

use super::protocol::Trace;
use super::spec::{Desired, Spec};

/// A file operation that failed, with the path that `io::Error` keeps to itself.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", path.display())]
pub struct FileError {
    /// `read`, `write`, ...
    pub what: &'static str,
    /// Which file or folder.
    pub path: PathBuf,
    /// The system's word.
    pub source: io::Error,
}

impl FileError {
    pub(super) fn of<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self { what, path: path.to_owned(), source }
    }
}

/// The folder of one environment.
pub(super) fn environment_dir(state_dir: &Path, environment: &str) -> PathBuf {
    state_dir.join("local").join(environment)
}

/// The folder of one colour of one component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ColourDir {
    pub(super) path: PathBuf,
}

impl ColourDir {
    pub(super) fn new(state_dir: &Path, environment: &str, component: &str, colour: Colour) -> Self {
        Self { path: environment_dir(state_dir, environment).join(component).join(colour.as_str()) }
    }

    /// Every colour folder of one environment, or of all.
    pub(super) fn all(state_dir: &Path, environment: Option<&str>) -> Result<Vec<Self>, FileError> {
        let environments = match environment {
            Some(environment) => vec![environment_dir(state_dir, environment)],
            None => folders(&state_dir.join("local"))?,
        };
        let mut all = Vec::new();
        for environment in environments {
            for component in folders(&environment)? {
                all.extend(folders(&component)?.into_iter().map(|path| Self { path }));
            }
        }
        Ok(all)
    }

    /// The instance folders there are, in no order.
    pub(super) fn instances(&self) -> Result<Vec<InstanceDir>, FileError> {
        Ok(folders(&self.path)?.into_iter().map(|path| InstanceDir { path }).collect())
    }

    pub(super) fn instance(&self, slot: u16) -> InstanceDir {
        InstanceDir { path: self.path.join(format!("s{slot}")) }
    }

    pub(super) fn env(&self) -> PathBuf {
        self.path.join("env")
    }

    fn desired_file(&self) -> PathBuf {
        self.path.join("desired.json")
    }

    pub(super) fn desired(&self) -> Result<Option<Desired>, FileError> {
        read_json(&self.desired_file())
    }

    pub(super) fn set_desired(&self, desired: Option<&Desired>) -> Result<(), FileError> {
        match desired {
            Some(desired) => write_json(&self.desired_file(), desired),
            None => remove(&self.desired_file()),
        }
    }
}

/// The folder of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InstanceDir {
    pub(super) path: PathBuf,
}

impl InstanceDir {
    pub(super) fn spec_file(&self) -> PathBuf {
        self.path.join("spec.json")
    }

    pub(super) fn spec(&self) -> Result<Option<Spec>, FileError> {
        read_json(&self.spec_file())
    }

    pub(super) fn process_file(&self) -> PathBuf {
        self.path.join("process.json")
    }

    /// Who runs here, or ran here when a shim was killed.
    pub(super) fn process(&self) -> Option<Trace> {
        read_json(&self.process_file()).ok().flatten()
    }

    pub(super) fn output(&self) -> PathBuf {
        self.path.join("output.log")
    }

    pub(super) fn shim_log(&self) -> PathBuf {
        self.path.join("shim.log")
    }

    /// Where the step between shim and program says why the program could not be run.
    pub(super) fn exec_error(&self) -> PathBuf {
        self.path.join("exec-error")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// The lock that a shim holds as long as it lives; `None` when another one has it.
    pub(super) fn lock(&self) -> Result<Option<File>, FileError> {
        lock(&self.path.join("shim.lock"))
    }
}

/// Opens a file only this user can read, and takes it for this process; `None` when another process has it.
pub(super) fn lock(path: &Path) -> Result<Option<File>, FileError> {
    let file = private().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(FileError::of("open", path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(FileError::of("lock", path)(error.into())),
    }
}

/// Options for a file that only this user can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Creates a folder and those above it, for this user only; one that exists loses what others may do in it.
pub(super) fn create_dir(path: &Path) -> Result<(), FileError> {
    let create = || {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    };
    create().map_err(FileError::of("create", path))
}

/// Replaces a file whole and durably: after a crash it holds the old content or the new.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    replace(path, content, true)
}

fn replace(path: &Path, content: &[u8], durable: bool) -> Result<(), FileError> {
    let temporary = path.with_extension("new");
    let attempt = || {
        let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(content)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&temporary, path)?;
        match path.parent() {
            Some(parent) if durable => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    };
    attempt().map_err(FileError::of("write", path))
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    write(path, &json(path, value)?)
}

/// Without waiting for the disk, for what no reboot needs to find.
pub(super) fn write_json_volatile(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    replace(path, &json(path, value)?, false)
}

fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, FileError> {
    serde_json::to_vec_pretty(value).map_err(|error| FileError::of("write", path)(error.into()))
}

/// `None` when there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let read = || match fs::read(path) {
        Ok(content) => Ok(Some(serde_json::from_slice(&content)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    read().map_err(FileError::of("read", path))
}

/// Removes a file; one that is not there is as good.
pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::of("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The folders in a folder, by name; none when it does not exist.
fn folders(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read = || match fs::read_dir(path) {
        Ok(entries) => {
            let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
            let mut folders: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(|path| path.is_dir()).collect();
            folders.sort();
            Ok(folders)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    read().map_err(FileError::of("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_private_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("local/prod/api/blue");
        create_dir(&folder).unwrap();
        write_json(&folder.join("x.json"), &vec![1, 2]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("x.json"))), (0o700, 0o600));
        assert_eq!(read_json::<Vec<u8>>(&folder.join("x.json")).unwrap(), Some(vec![1, 2]));
        assert_eq!(read_json::<Vec<u8>>(&folder.join("y.json")).unwrap(), None);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_lock_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let instance = InstanceDir { path: dir.path().to_owned() };
        let held = instance.lock().unwrap();
        assert!(held.is_some());
        assert!(instance.lock().unwrap().is_none());
        drop(held);
        assert!(instance.lock().unwrap().is_some());
    }

    #[test]
    fn an_error_names_the_file() {
        let error = write(Path::new("/proc/no/such"), b"").unwrap_err().to_string();
        assert!(error.starts_with("cannot write /proc/no/such: "), "{error}");
    }
}
