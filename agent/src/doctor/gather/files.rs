//! Paths, users and disks.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::doctor::{Kind, Node, Space, User};

/// What `path` leads to.
///
/// # Errors
/// Nothing, or it cannot be looked at.
pub(super) fn node(path: &Path) -> io::Result<Node> {
    let found = fs::metadata(path)?;
    let kind = match found.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_socket() => Kind::Socket,
        _ => Kind::Other,
    };
    let (uid, gid) = (found.uid(), found.gid());
    let group = named("/etc/group", gid);
    Ok(Node { path: path.to_owned(), kind, mode: found.permissions().mode() & 0o7777, uid, gid, group })
}

/// The user of a process, else of this one.
pub(super) fn user(pid: Option<u32>) -> User {
    let of = |who: &str| fs::read_to_string(format!("/proc/{who}/status")).ok();
    let text = pid.and_then(|pid| of(&pid.to_string())).or_else(|| of("self")).unwrap_or_default();
    user_of(&text)
}

/// Of `/proc/PID/status`: the effective user and every group.
fn user_of(text: &str) -> User {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let numbers =
        |name: &str| field(name).split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>();
    let uid = numbers("Uid:").get(1).copied().unwrap_or_else(|| rustix::process::geteuid().as_raw());
    let gids = numbers("Gid:").get(1).copied().into_iter().chain(numbers("Groups:")).collect();
    User { name: named("/etc/passwd", uid), uid, gids }
}

/// A number's name in a file whose lines are `name:x:number:...`, else the number.
fn named(file: &str, number: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| number.to_string())
}

/// Room where `path` is, or would be.
pub(super) fn space(path: &Path) -> Option<Space> {
    let there = path.ancestors().find(|path| path.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    let files = (found.f_files > 0).then_some(found.f_favail);
    Some(Space { bytes: found.f_bavail.saturating_mul(found.f_frsize), files })
}

/// The program that `name` starts.
pub(super) fn executable(name: &Path) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if name.components().count() > 1 {
        return Some(name.to_owned()).filter(is_program);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(is_program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_its_effective_user_with_all_its_groups() {
        let text = "Name:\tteal\nUid:\t1000\t4242424\t0\t0\nGid:\t1000\t7\t0\t0\nGroups:\t20 30 \n";
        let user = user_of(text);
        assert_eq!((user.uid, user.gids, user.name.as_str()), (4_242_424, vec![7, 20, 30], "4242424"));
        assert_eq!(super::user(None).uid, rustix::process::geteuid().as_raw());
        assert_eq!(named("/etc/passwd", 0), "root");
    }

    #[test]
    fn a_path_is_looked_at_where_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
        let found = node(&folder.path().join("link")).unwrap();
        assert_eq!((found.kind, found.mode), (Kind::File, 0o604));
        assert_eq!(executable(&file), None);
        assert!(executable(Path::new("sh")).is_some());
        assert!(space(&folder.path().join("not/there/yet")).unwrap().bytes > 0);
    }
}
