//! Reads the snapshot on disk at the start, and writes it after changes: whole or not at all, and at most once a second.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::error::ClientError;
use super::identity::Identity;
use super::shared::Shared;
use super::status::{Area, Readiness};
use super::stop::Stop;
use super::{blocking, disk, now};
use crate::model::limits::DOCUMENT_BYTES;
use crate::model::{Document, Timestamp};

/// Between two writes.
const PAUSE: Duration = Duration::from_secs(1);
/// A disk that has not answered by then is not waited for at the start.
const PATIENCE: Duration = Duration::from_secs(2);

/// A snapshot on disk, of one service and environment: for its owner alone (0600), checked as a whole before a byte of it is
/// believed, and replaced in one step.
#[derive(Clone, Debug)]
pub struct SnapshotFile {
    pub(super) path: PathBuf,
    /// What is written is of the first; what is read may be of any.
    pub(super) scopes: Vec<u64>,
    /// Largest file that is read, in bytes.
    pub(super) size: usize,
}

impl SnapshotFile {
    /// The file that keeps what this service (its address) says, for one environment or for all.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, service: &str, environment: Option<&str>) -> Self {
        Self::of([service], environment, path.into(), DOCUMENT_BYTES)
    }

    /// The same of a service with several addresses: what was kept under any of them is read, so that their order may change.
    #[must_use]
    pub fn of_replicas<'a>(
        path: impl Into<PathBuf>,
        addresses: impl IntoIterator<Item = &'a str>,
        environment: Option<&str>,
    ) -> Self {
        Self::of(addresses, environment, path.into(), DOCUMENT_BYTES)
    }

    pub(super) fn of<'a>(
        addresses: impl IntoIterator<Item = &'a str>,
        environment: Option<&str>,
        path: PathBuf,
        size: usize,
    ) -> Self {
        let scopes = addresses.into_iter().map(|address| disk::scope(address, environment)).collect();
        Self { path, scopes, size }
    }

    fn error(&self, problem: impl std::fmt::Display) -> ClientError {
        ClientError::Snapshot { path: self.path.clone(), problem: problem.to_string() }
    }

    /// What was written last, and of which moment it is; `None` when nothing was. Blocks.
    ///
    /// # Errors
    /// [`ClientError::Snapshot`] when it cannot be read, or is not as it was written: then it is put aside under another name.
    pub fn read(&self) -> Result<Option<(Document, Timestamp)>, ClientError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error(error)),
        };
        let identity = file.metadata().and_then(|metadata| Identity::from_metadata(&metadata));
        if identity.map_err(|error| self.error(error))?.length() > self.size as u64 + 256 {
            return Err(self.aside(format!("is larger than {} bytes", self.size), "corrupt"));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| self.error(error))?;
        let (json, written) =
            disk::decode(&bytes, &self.scopes).map_err(|refused| self.aside(&refused, refused.suffix()))?;
        let document = Document::from_json(json).map_err(|error| self.aside(error, "corrupt"))?;
        Ok(Some((document, written)))
    }

    /// Keeps a file that cannot be used, for who wants to know why, and makes room for the next.
    fn aside(&self, problem: impl std::fmt::Display, suffix: &str) -> ClientError {
        let mut to = self.path.clone().into_os_string();
        to.push(format!(".{suffix}"));
        match fs::rename(&self.path, &to) {
            Ok(()) => self.error(format!("{problem}; kept as {}", PathBuf::from(to).display())),
            Err(error) => self.error(format!("{problem}; cannot be put aside: {error}")),
        }
    }

    /// Writes a document's JSON to a new file beside the old one and puts it in its place; both the file and its name are on
    /// the disk then. `as_of` is when the service last said that this is the newest: the next start goes by it. Blocks.
    ///
    /// # Errors
    /// [`ClientError::Snapshot`]; the old file is as it was.
    pub fn write(&self, json: impl AsRef<[u8]>, as_of: Timestamp) -> Result<(), ClientError> {
        let scope = self.scopes.first().copied().unwrap_or_default();
        let file = disk::encode(json.as_ref(), scope, as_of);
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let write = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut new = NamedTempFile::with_prefix_in(".teal-flags-", folder)?;
            new.as_file().set_permissions(Permissions::from_mode(0o600))?;
            new.write_all(&file)?;
            new.as_file().sync_all()?;
            new.persist(&self.path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|error| self.error(error))
    }
}

/// Reads what was known when the service was last heard. Whatever is wrong with it, the client goes on without.
pub(super) async fn load(shared: &Arc<Shared>, place: &SnapshotFile) {
    let reader = place.clone();
    let limit = PATIENCE;
    let read = tokio::time::timeout(limit, blocking(move || reader.read())).await;
    match read.map_err(|_| ClientError::TimedOut { what: "the snapshot on disk", limit }).and_then(|read| read?) {
        Ok(None) => {}
        Ok(Some((document, written))) => {
            let age = now().millis().saturating_sub(written.millis());
            shared.aged(Duration::from_millis(u64::try_from(age).unwrap_or_default()));
            let shared = shared.clone();
            // Applied apart from the reading, so that a disk that answers late cannot overtake the service.
            let _ = blocking(move || shared.apply(Readiness::Snapshot, document)).await;
        }
        Err(error) => shared.trouble(Area::Snapshot, error),
    }
    shared.looked(|awaited| awaited.snapshot = false);
}

/// Writes after changes until told to stop, and then once more if something is unwritten.
pub(super) async fn keep(shared: &Arc<Shared>, place: &SnapshotFile, stop: Stop) {
    loop {
        tokio::select! {
            biased;
            () = shared.dirty.notified() => {}
            () = stop.wait() => return,
        }
        let (flags, writer, as_of) = (shared.flags.clone(), place.clone(), before(shared.status().staleness));
        match blocking(move || writer.write(flags.document().to_json(), as_of)).await.and_then(|written| written) {
            Ok(()) => shared.well(Area::Snapshot),
            Err(error) => shared.trouble(Area::Snapshot, error),
        }
        stop.sleep(PAUSE).await;
    }
}

/// The moment that is so long ago.
fn before(age: Option<Duration>) -> Timestamp {
    let age = i64::try_from(age.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now().millis().saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Flag;

    fn place(folder: &Path) -> SnapshotFile {
        SnapshotFile { path: folder.join("kept/flags.snapshot"), scopes: vec![5], size: 10_000 }
    }

    fn moment() -> Timestamp {
        "2026-11-25T09:10:11Z".parse().unwrap()
    }

    fn document() -> Document {
        Document { instance: Some("a".into()), revision: 7, flags: vec![Flag::new("x")], ..Document::default() }
    }

    #[test]
    fn what_is_written_reads_as_the_same_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        assert_eq!(place.read().unwrap(), None);
        for _ in 0..2 {
            place.write(document().to_json(), moment()).unwrap();
        }
        let (found, as_of) = place.read().unwrap().unwrap();
        assert_eq!((found.revision, found.flags.len(), as_of), (7, 1, moment()));
        assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
        let names: Vec<_> =
            fs::read_dir(place.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["flags.snapshot"], "nothing temporary stays");
    }

    fn check(spoil: impl Fn(Vec<u8>) -> Vec<u8>, expected: &str, kept_as: &str) {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        place.write(document().to_json(), moment()).unwrap();
        let good = fs::read(&place.path).unwrap();
        fs::write(&place.path, spoil(good)).unwrap();
        let error = place.read().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!place.path.exists() && place.path.with_extension(kept_as).exists(), "{error}");
        place.write(document().to_json(), moment()).unwrap();
        assert!(place.read().unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_used_is_put_aside_with_the_reason() {
        check(|_| vec![], "does not begin with", "snapshot.corrupt");
        check(|mut file| file.split_off(3), "does not begin with", "snapshot.corrupt");
        check(|file| file[..file.len() - 5].to_vec(), "should hold", "snapshot.corrupt");
        check(|file| [file, vec![0; 20_000]].concat(), "larger than", "snapshot.corrupt");
        check(
            |file| String::from_utf8(file).unwrap().replace("snapshot 1", "snapshot 9").into(),
            "version \"9\"",
            "snapshot.corrupt",
        );
        check(|_| disk::encode(b"half {", 5, now()), "no JSON", "snapshot.corrupt");
        check(|_| disk::encode(b"{}", 6, now()), "another service or environment", "snapshot.other");
    }

    #[test]
    fn the_addresses_of_one_service_may_change_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let file =
            |addresses: &[&str]| SnapshotFile::of_replicas(folder.path().join("kept"), addresses.iter().copied(), None);
        file(&["https://a/", "https://b"]).write(document().to_json(), moment()).unwrap();
        assert!(file(&["https://b", "https://a"]).read().unwrap().is_some());
        let error = file(&["https://b", "https://c"]).read().unwrap_err().to_string();
        assert!(error.contains("another service"), "{error}");
    }

    #[test]
    fn a_folder_in_its_place_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir_all(&place.path).unwrap();
        assert!(place.read().is_err() && place.write(document().to_json(), moment()).is_err());
    }
}
