//! Which version a process runs, by what it was started with.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use super::template::is_version;

/// Whether there is such a process.
pub(super) fn is_alive(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The version in a process's arguments or program, by what stands before and after it in `run`. `None` where nothing fits.
pub(super) fn version(pid: i32, patterns: &[(String, String)]) -> Option<String> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let folder = fs::read_link(proc.join("cwd")).unwrap_or_default();
    let arguments = fs::read(proc.join("cmdline")).unwrap_or_default();
    let arguments = arguments.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let program =
        fs::read_link(proc.join("exe")).ok().and_then(|path| String::from_utf8(path.into_os_string().into_vec()).ok());
    arguments.chain(program).find_map(|word| of(&word, &folder, patterns))
}

/// As it stands, and as the path that it means in that folder.
fn of(word: &str, folder: &Path, patterns: &[(String, String)]) -> Option<String> {
    let path = plain(&folder.join(word));
    [word, &path].into_iter().find_map(|text| patterns.iter().find_map(|(before, after)| between(text, before, after)))
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let version = text.strip_prefix(before)?.strip_suffix(after)?;
    is_version(version).then(|| version.to_owned())
}

/// Without `.` and `..`; nothing is looked up.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_where_run_has_it() {
        let check = |word: &str, run: &str, expected: Option<&str>| {
            let (before, after) = run.split_once('*').unwrap();
            let found = of(word, Path::new("/srv/shop/v1"), &[(before.to_owned(), after.to_owned())]);
            assert_eq!(found.as_deref(), expected, "{word} by {run}");
        };
        check("/srv/shop/v1/app.py", "/srv/shop/*/app.py", Some("v1"));
        check("app.py", "/srv/shop/*/app.py", Some("v1"));
        check("../v2/./app.py", "/srv/shop/*/app.py", Some("v2"));
        check("shop:1.2.3-rc.1", "shop:*", Some("1.2.3-rc.1"));
        check("--image=shop:7", "--image=shop:*", Some("7"));
        check("/srv/shop/a/b/app.py", "/srv/shop/*/app.py", None);
        check("/srv/shop/app.py", "/srv/shop/*/app.py", None);
        check("/srv/shop//app.py", "/srv/shop/*/app.py", None);
        check("/srv/shop/v1/other.py", "/srv/shop/*/app.py", None);
        check("8100", "*", Some("8100"));
    }

    #[test]
    fn this_very_process_is_alive_and_says_what_it_was_started_as() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let program = std::env::current_exe().unwrap();
        let (folder, name) = (program.parent().unwrap().display(), program.file_name().unwrap().to_str().unwrap());
        assert!(is_alive(pid) && !is_alive(i32::MAX));
        assert_eq!(version(pid, &[(format!("{folder}/"), String::new())]).as_deref(), Some(name));
        assert_eq!(version(pid, &[("/nowhere/".to_owned(), String::new())]), None);
    }
}
