//! What this machine can say of its clock. No other clock is asked.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::process::Command;

/// Files may be written a little later than this clock says: some file systems count coarsely.
const COARSE: Duration = Duration::from_secs(5);
/// How long either program may take.
const LIMIT: Duration = Duration::from_secs(1);

/// Whether the clock is held to others, as systemd or chrony say; `None` where neither does.
pub(super) async fn is_synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let (systemd, chrony) = tokio::join!(
        said("timedatectl", &["show", "--property=NTPSynchronized", "--value"]),
        said("chronyc", &["-n", "tracking"])
    );
    let of_chrony = chrony.and_then(|text| {
        let leap =
            text.lines().find_map(|line| line.strip_prefix("Leap status"))?.trim_start_matches([' ', ':']).to_owned();
        Some(!leap.starts_with("Not synchronised"))
    });
    match (of_chrony, systemd.as_deref().map(str::trim)) {
        (Some(true), _) | (_, Some("yes")) => Some(true),
        (Some(false), _) | (_, Some("no")) => Some(false),
        _ => None,
    }
}

async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first file that was written later than now, and by how much.
pub(super) fn ahead(files: impl Iterator<Item = PathBuf>) -> Option<(PathBuf, Duration)> {
    let now = SystemTime::now();
    files
        .filter_map(|path| {
            let written = std::fs::metadata(&path).and_then(|found| found.modified()).ok()?;
            Some((path, written.duration_since(now).ok()?))
        })
        .find(|(_, by)| *by > COARSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tomorrow_says_that_the_clock_is_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, "").unwrap();
        let file = std::fs::File::create(&new).unwrap();
        let all = || [old.clone(), folder.path().join("gone"), new.clone()].into_iter();
        assert_eq!(ahead(all()), None);
        file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
        let (path, by) = ahead(all()).unwrap();
        assert!(path == new && by.as_secs() > 86_000, "{by:?}");
    }
}
