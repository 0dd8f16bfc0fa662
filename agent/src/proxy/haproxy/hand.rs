//! The note beside a map of who moved it by hand, written before anything is moved.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use teal_rollout::policy::Policy;

use super::super::hand::Hand;
use super::map_file::beside;

fn path(map: &Path) -> PathBuf {
    beside(map, "hand")
}

/// Notes a move in `MAP.hand`, in place of the last one: whole or not at all, 0640, of the map's group.
pub(super) fn note(map: &Path, to: &Policy, by: &str, reason: &str) -> io::Result<()> {
    let hand = Hand::new(to, by, reason);
    let folder = map.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".hand-").tempfile_in(folder)?;
    file.write_all(serde_json::to_string(&hand)?.as_bytes())?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o640))?;
    if let Ok(old) = std::fs::metadata(map) {
        // As for the map itself: where it does not work, the folder's own rules hold.
        let _ = fchown(file.as_file(), None, Some(old.gid()));
    }
    file.as_file().sync_all()?;
    file.persist(path(map))?;
    File::open(folder)?.sync_all()
}

/// Who moved the edge to `running`; `None` where that was not `edge force`, or cannot be read.
#[must_use]
pub fn behind(map: &Path, running: &Policy) -> Option<Hand> {
    let hand: Hand = serde_json::from_slice(&std::fs::read(path(map)).ok()?).ok()?;
    hand.wrote(running).then_some(hand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_policy_that_was_forced_has_a_hand_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let map = folder.path().join("prod.map");
        let policy = |text: &str| format!("v1:{text}:s:0").parse().unwrap();
        assert_eq!(behind(&map, &policy("1.0.open:blue:blue:0")), None);
        for reason in ["first", "v3 is bad"] {
            note(&map, &policy("1.0.bad:green:blue:0"), "ops@edge1", reason).unwrap();
        }
        let hand = behind(&map, &policy("1.0.bad:green:blue:0")).unwrap();
        assert_eq!((hand.by.as_str(), hand.reason.as_str()), ("ops@edge1", "v3 is bad"));
        assert_eq!(behind(&map, &policy("1.1.open:green:blue:0")), None);
        assert_eq!(std::fs::metadata(path(&map)).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
