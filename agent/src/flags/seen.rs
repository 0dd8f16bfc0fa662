//! The file beside the database that says how far it was: a database that was restored since is older than that.
//!
//! Written after each change. When a crash loses the last write the file says less than the database, which is harmless; whoever
//! restores both together is found out by the first SDK that knows more.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::state::Position;

/// What the file says; `None` when it is missing or makes no sense.
pub(super) fn read(path: &Path) -> Option<Position> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Replaces the file, in one step.
pub(super) fn write(path: &Path, position: &Position) -> std::io::Result<()> {
    let new = path.with_extension("seen-new");
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    writeln!(file, "{position}")?;
    std::fs::rename(new, path)
}
