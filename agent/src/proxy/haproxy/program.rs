//! Finds the HAProxy program, makes sure that it is new enough, and lets it check a configuration.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest version that Teal's configuration is tested with.
const OLDEST: (u32, u32) = (2, 6);

/// An HAProxy that is fit for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaProxy {
    /// Its program.
    pub path: PathBuf,
    /// Such as `2.6.12`.
    pub version: String,
}

/// Why there is no HAProxy to work with.
#[derive(Debug, thiserror::Error)]
pub enum HaProxyError {
    /// Nowhere to be found.
    #[error("HAProxy is not installed: `sudo apt install haproxy` (2.6 or newer), or name it with --haproxy PATH")]
    Missing,
    /// What was named cannot be run.
    #[error("cannot run {}: {source}; name another with --haproxy PATH, or `sudo apt install haproxy`", path.display())]
    Unusable {
        /// Which program.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// What was named is something else.
    #[error("{} is not HAProxy: `{} -v` says `{said}`", path.display(), path.display())]
    Other {
        /// Which program.
        path: PathBuf,
        /// Its first line.
        said: String,
    },
    /// Older than 2.6.
    #[error(
        "{} is HAProxy {version}, and 2.6 or newer is needed: Debian 12, Ubuntu 24.04 and later have it \
         (`sudo apt install haproxy`), or name another with --haproxy PATH",
        path.display()
    )]
    TooOld {
        /// Which program.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// It does not accept its configuration.
    #[error("HAProxy {version} refuses its configuration {}:\n{said}", file.display())]
    Refused {
        /// Its version.
        version: String,
        /// Which file.
        file: PathBuf,
        /// Its own words.
        said: String,
    },
}

impl HaProxy {
    /// The one named, by `--haproxy` or `$TEAL_HAPROXY`, else the first in `$PATH` and the system's folders.
    ///
    /// # Errors
    /// When there is none, or it is not one, or too old; each with the way out.
    pub fn find(named: Option<&Path>) -> Result<Self, HaProxyError> {
        let named = named.map(Path::to_owned).or_else(|| env::var_os("TEAL_HAPROXY").map(PathBuf::from));
        let path = match named {
            Some(path) => path,
            None => installed(env::var_os("PATH").as_deref()).ok_or(HaProxyError::Missing)?,
        };
        let output = Command::new(&path).arg("-v").stdin(Stdio::null()).output();
        let output = output.map_err(|source| HaProxyError::Unusable { path: path.clone(), source })?;
        let said = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
        match version(&said) {
            None => Err(HaProxyError::Other { path, said }),
            Some((version, number)) if number < OLDEST => Err(HaProxyError::TooOld { path, version }),
            Some((version, _)) => Ok(Self { path, version }),
        }
    }

    /// Lets it check the configuration in `file`.
    ///
    /// # Errors
    /// [`HaProxyError::Refused`] with its own words, or it cannot be run.
    pub fn check(&self, file: &Path) -> Result<(), HaProxyError> {
        let check = Command::new(&self.path).arg("-c").arg("-f").arg(file).stdin(Stdio::null()).output();
        let check = check.map_err(|source| HaProxyError::Unusable { path: self.path.clone(), source })?;
        if check.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&check.stderr).trim().to_owned();
        Err(HaProxyError::Refused { version: self.version.clone(), file: file.to_owned(), said })
    }
}

fn installed(path: Option<&OsStr>) -> Option<PathBuf> {
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let folders = path.map(|path| env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    folders.into_iter().chain(system).map(|folder| folder.join("haproxy")).find(|file| file.is_file())
}

/// `2.6.12` and its first two numbers, of `HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/`.
fn version(line: &str) -> Option<(String, (u32, u32))> {
    let (program, rest) = line.split_once(" version ")?;
    if !matches!(program, "HAProxy" | "HA-Proxy") {
        return None;
    }
    let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let mut numbers = version.split('.').map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    Some((version, (major, minor)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_version_is_read_from_what_haproxy_says_of_itself() {
        let check = |line: &str, expected: Option<(&str, (u32, u32))>| {
            assert_eq!(version(line), expected.map(|(text, number)| (text.to_owned(), number)), "{line}");
        };
        check("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", Some(("2.6.12", (2, 6))));
        check("HAProxy version 3.2-dev3 2026/02/01 - https://haproxy.org/", Some(("3.2", (3, 2))));
        check("HA-Proxy version 1.8.19-1+deb10u5 2022/04/04", Some(("1.8.19", (1, 8))));
        check("nginx version: nginx/1.22.1", None);
        check("", None);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, line: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\necho '{line}'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let check = |path: &Path, words: &str| {
            let error = HaProxy::find(Some(path)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&script("old", "HAProxy version 2.4.22 2023/02/14"), "is HAProxy 2.4.22, and 2.6 or newer is needed");
        check(&script("other", "nginx"), "is not HAProxy");
        check(&folder.path().join("nothing"), "cannot run");
        assert_eq!(HaProxy::find(Some(&script("new", "HAProxy version 3.0.1 x"))).unwrap().version, "3.0.1");
        assert!(HaProxyError::Missing.to_string().contains("sudo apt install haproxy"));
    }
}
