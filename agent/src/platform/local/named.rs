//! Which version a process runs, by what it was started with.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::template::{Pattern, is_version};

/// Whether there is such a process.
pub(super) fn is_alive(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The version in a process's arguments or program, where `run` has it. `None` where nothing fits.
pub(super) fn version(pid: i32, patterns: &[Pattern]) -> Option<String> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let folder = fs::read_link(proc.join("cwd")).unwrap_or_default();
    let arguments = fs::read(proc.join("cmdline")).unwrap_or_default();
    let words = arguments.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let program = fs::read_link(proc.join("exe")).ok().map(|path| path.to_string_lossy().into_owned());
    let words: Vec<String> = program.into_iter().chain(words).collect();
    of(&words, &folder, patterns)
}

/// Each word as it stands, and as the path that it means in that folder.
fn of(words: &[String], folder: &Path, patterns: &[Pattern]) -> Option<String> {
    let behind = std::iter::once(None).chain(words.iter().map(Some));
    words.iter().zip(behind).find_map(|(word, behind)| {
        let path = plain(&folder.join(word));
        patterns.iter().find_map(|pattern| match &pattern.behind {
            Some(wanted) => (behind == Some(wanted) && is_version(word)).then(|| word.clone()),
            None => [word, &path].into_iter().find_map(|text| between(text, &pattern.around)),
        })
    })
}

fn between(text: &str, (before, after): &(String, String)) -> Option<String> {
    let version = text.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
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

    fn around(before: &str, after: &str) -> Pattern {
        Pattern { behind: None, around: (before.to_owned(), after.to_owned()) }
    }

    #[test]
    fn a_version_is_read_where_run_has_it() {
        let check = |word: &str, run: &str, expected: Option<&str>| {
            let (before, after) = run.split_once('*').unwrap();
            let found = of(&[word.to_owned()], Path::new("/srv/shop/v1"), &[around(before, after)]);
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
    }

    #[test]
    fn a_version_that_is_a_word_of_its_own_is_read_behind_the_word_before() {
        let tag = Pattern { behind: Some("--tag".to_owned()), around: (String::new(), String::new()) };
        let check = |words: &[&str], expected: Option<&str>| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(of(&words, Path::new("/"), std::slice::from_ref(&tag)).as_deref(), expected, "{words:?}");
        };
        check(&["api", "--tag", "v1"], Some("v1"));
        check(&["v1", "--tag", "--other"], None);
        check(&["v1", "--tag"], None);
    }

    #[test]
    fn this_very_process_is_alive_and_says_what_it_was_started_as() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let program = std::env::current_exe().unwrap();
        let (folder, name) = (program.parent().unwrap().display(), program.file_name().unwrap().to_str().unwrap());
        assert!(is_alive(pid) && !is_alive(i32::MAX));
        assert_eq!(version(pid, &[around(&format!("{folder}/"), "")]).as_deref(), Some(name));
        assert_eq!(version(pid, &[around("/nowhere/", "")]), None);
    }
}
