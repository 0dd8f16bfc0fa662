//! Watches a file with flags: looks each second whether it is another one, and reads it then.
//!
//! Looking at the file itself, and not at events of its folder, sees a ConfigMap's swapped link, an editor's rename, and a network
//! file system alike.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

use super::blocking;
use super::error::ClientError;
use super::identity::Identity;
use super::shared::Shared;
use super::status::{Area, Readiness};
use crate::model::Document;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// The file, and what is known of it.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    size: usize,
    /// What was read last, well or not, once it has rested for a moment: a file that is written twice within one tick of the
    /// file system's clock looks the same after both.
    seen: Option<Identity>,
    /// And the hash of what it held.
    hash: Option<u64>,
}

impl Watched {
    fn error(&self, problem: impl std::fmt::Display) -> ClientError {
        ClientError::File { path: self.path.clone(), problem: problem.to_string() }
    }

    /// A document, if the file is another one than last time.
    ///
    /// # Errors
    /// When it is not there or cannot be used. It is read again when it has changed.
    fn look(&mut self) -> Result<Option<Document>, ClientError> {
        let identity = match Identity::of(&self.path) {
            Ok(identity) if self.seen == Some(identity) => return Ok(None),
            Ok(identity) if identity.length() <= self.size as u64 => identity,
            unusable => {
                (self.seen, self.hash) = (None, None);
                let large = |_| self.error(format!("is larger than {} bytes", self.size));
                return Err(unusable.map_or_else(|error| self.error(error), large));
            }
        };
        let (bytes, read) = read(&self.path, self.size).map_err(|error| self.error(error))?;
        self.seen = (identity == read && read.has_rested(SystemTime::now())).then_some(read);
        let hash = xxh3_64(&bytes);
        if self.hash.replace(hash) == Some(hash) {
            return Ok(None);
        }
        Document::from_json(&bytes).map(Some).map_err(|error| self.error(error))
    }
}

/// What a file holds, and which state of it that was.
fn read(path: &Path, size: usize) -> io::Result<(Vec<u8>, Identity)> {
    let file = File::open(path)?;
    let identity = Identity::from_metadata(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(size as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes, identity))
}

/// Watches for ever.
pub(super) async fn watch(shared: &Arc<Shared>, path: PathBuf, size: usize) {
    let mut watched = Watched { path, size, seen: None, hash: None };
    loop {
        let shared_too = shared.clone();
        let looked = blocking(move || {
            let found = watched.look();
            let outcome =
                found.map(|document| document.map(|document| shared_too.apply(Readiness::File, document)).is_some());
            (watched, outcome)
        });
        match looked.await {
            Ok((back, outcome)) => {
                watched = back;
                match outcome {
                    Ok(true) => shared.well(Area::File),
                    Ok(false) => {}
                    Err(error) => shared.trouble(Area::File, error),
                }
                shared.looked(|awaited| awaited.file = false);
            }
            Err(error) => return shared.trouble(Area::File, error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn watched(path: impl Into<PathBuf>) -> Watched {
        Watched { path: path.into(), size: 1_000, seen: None, hash: None }
    }

    fn json(revision: u64) -> String {
        format!(r#"{{"revision": {revision}, "flags": []}}"#)
    }

    /// What a look finds, in words.
    fn look(watched: &mut Watched) -> String {
        match watched.look() {
            Ok(None) => "the same".into(),
            Ok(Some(document)) => format!("revision {}", document.revision),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn it_is_read_when_it_is_another_one_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flags.json");
        let mut watched = watched(&path);
        assert!(look(&mut watched).contains("No such file"));
        fs::write(&path, json(1)).unwrap();
        assert_eq!(look(&mut watched), "revision 1");
        assert_eq!(look(&mut watched), "the same");
        fs::write(&path, r#"{"revision": 2, "fla"#).unwrap();
        assert!(look(&mut watched).contains("what it said before still holds"));
        assert_eq!(look(&mut watched), "the same", "a broken file is read once and not each second");
        fs::write(folder.path().join("new"), json(3)).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(look(&mut watched), "revision 3");
        fs::write(&path, " ".repeat(2_000)).unwrap();
        assert!(look(&mut watched).contains("larger than 1000 bytes"));
        fs::remove_file(&path).unwrap();
        assert!(look(&mut watched).contains("No such file"));
        fs::create_dir(&path).unwrap();
        assert!(look(&mut watched).contains("is no file"));
    }

    #[test]
    fn a_config_maps_swapped_link_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, revision) in [("..1", 1), ("..2", 2)] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("flags.json"), json(revision)).unwrap();
        }
        symlink("..1", at("..data")).unwrap();
        symlink("..data/flags.json", at("flags.json")).unwrap();
        let mut watched = watched(at("flags.json"));
        assert_eq!(look(&mut watched), "revision 1");
        symlink("..2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        fs::remove_dir_all(at("..1")).unwrap();
        assert_eq!(look(&mut watched), "revision 2");
    }
}
