//! Files that are there whole or not at all, and never in the place of another.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::CliError;

/// A file that is to be. It has no name until it is kept, and is gone when it is not.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    /// In the same folder.
    file: NamedTempFile,
}

impl NewFile {
    /// In this place, where nothing may be yet, with this mode as far as the umask allows it. `hint`: the way out where something is.
    ///
    /// # Errors
    /// Something is there, or the folder cannot be written.
    pub(super) fn beside(path: &Path, mode: u32, hint: &str) -> Result<Self, CliError> {
        // Also of a link that leads nowhere.
        if path.symlink_metadata().is_ok() {
            return Err(CliError::usage(format!("{} exists already and was left alone", path.display())).hint(hint));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(|error| CliError::usage(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Puts it in its place with this text.
    ///
    /// # Errors
    /// It cannot be written, or something came there meanwhile; then nothing is left of it.
    pub(super) fn keep(mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.persist_noclobber(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Exit;
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all_and_never_in_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.token");
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        drop(NewFile::beside(&path, 0o600, "name another").unwrap());
        assert_eq!(names(), 0);

        let (first, second) = (
            NewFile::beside(&path, 0o600, "name another").unwrap(),
            NewFile::beside(&path, 0o600, "name another").unwrap(),
        );
        first.keep("first").unwrap();
        assert_eq!(second.keep("second").unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names()), ("first", 1));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "name another");
        let error = NewFile::beside(&path, 0o600, "name another").unwrap_err();
        assert_eq!((error.exit, error.hints), (Exit::Usage, vec!["name another".to_owned()]));

        let open = folder.path().join("teal.toml");
        NewFile::beside(&open, 0o640, "name another").unwrap().keep("x").unwrap();
        // The umask of whoever runs this may take some away.
        assert_eq!(std::fs::metadata(&open).unwrap().permissions().mode() & !0o640 & 0o777, 0);
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        assert!(NewFile::beside(&folder.path().join("link"), 0o600, "name another").is_err());
        let error = NewFile::beside(Path::new("/nowhere/x"), 0o600, "name another").unwrap_err();
        assert!(error.hints.is_empty(), "{error}");
    }
}
