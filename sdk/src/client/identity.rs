//! Tells one state of a file from another without reading it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// Which file a path leads to, through all symbolic links, and in which state. A ConfigMap's new version is another inode
/// behind the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    /// Looks.
    ///
    /// # Errors
    /// When there is nothing, or it is no file (a pipe would let us wait for ever).
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Self::from_metadata(&std::fs::metadata(path)?)
    }

    /// The same of an open file.
    pub(super) fn from_metadata(metadata: &Metadata) -> io::Result<Self> {
        if !metadata.is_file() {
            return Err(io::Error::other("is no file"));
        }
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Whether it has not been touched for two seconds, as far as clocks tell.
    pub(super) fn has_rested(&self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(now).is_ok_and(|now| now - self.changed.0.max(self.modified.0) > 2)
    }

    /// How long it is, in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_swapped_link_leads_to_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["one", "two"] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("flags.json"), "{}").unwrap();
        }
        symlink("one", at("..data")).unwrap();
        symlink("..data/flags.json", at("flags.json")).unwrap();
        let before = Identity::of(&at("flags.json")).unwrap();
        assert_eq!(Identity::of(&at("flags.json")).unwrap(), before);
        symlink("two", at("..data_tmp")).unwrap();
        std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_ne!(Identity::of(&at("flags.json")).unwrap(), before);
        assert!(Identity::of(folder.path()).is_err());
    }
}
