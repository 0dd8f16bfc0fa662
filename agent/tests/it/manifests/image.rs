//! The image is built from a part of the repository: that part has all that the program takes in.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::folder;

/// Macros that read a file while they are compiled, by a path from the file they stand in or, the last one, from the crate.
const READERS: [&str; 3] = ["include_str!(\"", "include_bytes!(\"", "migrate!(\""];

#[test]
fn what_the_program_takes_in_is_in_the_image_s_build() {
    let root = folder().join("..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (dockerfile, ignored) = (read("Dockerfile"), read(".dockerignore"));
    let mut found = Vec::new();
    for krate in ["agent", "agent/rollout", "sdk"] {
        let mut waiting = vec![root.join(krate).join("src")];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
                found.extend(
                    taken_in(&path, &root.join(krate))
                        .iter()
                        .map(|it| it.strip_prefix(plain(&root)).unwrap().to_owned()),
                );
            }
        }
    }
    assert!(found.iter().any(|path| path.starts_with("migrations")) && found.len() > 10, "{found:?}");
    let missing: Vec<&PathBuf> =
        found.iter().filter(|path| !is_copied(&dockerfile, path) || is_ignored(&ignored, path)).collect();
    assert!(missing.is_empty(), "not in the image's build: {missing:?}");
}

fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/tests/") || text.ends_with("tests.rs")
}

/// What a file of the program takes in; what follows `mod tests` is not of the program.
fn taken_in(path: &Path, krate: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let named = |reader: &str| {
        let from = if reader.starts_with("migrate") { krate } else { path.parent().unwrap() };
        let names = code.split(reader).skip(1).filter_map(|rest| rest.split('"').next());
        names.map(|name| plain(&from.join(name))).collect::<Vec<_>>()
    };
    READERS.iter().flat_map(|reader| named(reader)).collect()
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

fn is_copied(dockerfile: &str, path: &Path) -> bool {
    let copies =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    copies.filter_map(|line| line.split(' ').next()).any(|folder| path.starts_with(folder))
}

/// The last line that speaks of a path decides, as for Docker.
fn is_ignored(ignored: &str, path: &Path) -> bool {
    let mut is = false;
    for line in ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (pattern, ignores) = line.strip_prefix('!').map_or((line, true), |pattern| (pattern, false));
        if path.ancestors().any(|part| matches(pattern, part)) {
            is = ignores;
        }
    }
    is
}

/// `*` is part of one name; `**/` in front any folder.
fn matches(pattern: &str, path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let (pattern, path) = match pattern.strip_prefix("**/") {
        Some(name) => (name, path.rsplit('/').next().unwrap()),
        None => (pattern, path),
    };
    let (patterns, names): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    patterns.len() == names.len()
        && patterns.iter().zip(names).all(|(pattern, name)| match pattern.split_once('*') {
            Some((before, after)) => {
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            }
            None => *pattern == name,
        })
}
