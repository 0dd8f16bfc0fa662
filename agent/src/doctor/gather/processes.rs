//! HAProxy's processes on this machine: which belong together, which a reload left behind, which are strangers.
//!
//! ```text
//! the one that answers --parents--> its master = a family     others: named after -sf of a member = left behind
//!                                                                     same map or socket in their files = stray
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::doctor::{OpenFiles, Processes, Stray};

/// No configuration of ours is longer, in bytes.
const LONGEST: u64 = 4 << 20;

/// One HAProxy process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) parent: u32,
    pub(super) arguments: Vec<String>,
    /// Where relative paths start from.
    pub(super) folder: PathBuf,
}

impl Process {
    /// The files after `-f`.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let pairs = self.arguments.iter().zip(self.arguments.iter().skip(1));
        pairs.filter(|(option, _)| *option == "-f").map(|(_, file)| self.folder.join(file)).collect()
    }

    /// The processes that it replaced.
    fn replaced(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            if word == "-sf" || word == "-st" {
                pids.extend(words.clone().map_while(|word| word.parse::<u32>().ok()));
            }
        }
        pids
    }
}

/// Every HAProxy process that can be seen, by pid. `None` where there is no `/proc`.
pub(super) fn list() -> Option<BTreeMap<u32, Process>> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Some(pids.filter_map(|pid| Some((pid, look(pid)?))).collect())
}

fn look(pid: u32) -> Option<Process> {
    let of = |file: &str| PathBuf::from(format!("/proc/{pid}/{file}"));
    let name = fs::read_to_string(of("comm")).ok()?;
    if !name.starts_with("haproxy") {
        return None;
    }
    let line = fs::read(of("cmdline")).ok()?;
    let arguments: Vec<String> = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    // One that ended and waits for its parent has none.
    if arguments.is_empty() {
        return None;
    }
    let stat = fs::read_to_string(of("stat")).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { parent, arguments, folder: fs::read_link(of("cwd")).unwrap_or_default() })
}

/// What the processes are to the one that answers.
pub(super) fn sort(all: &BTreeMap<u32, Process>, answers: u32, uses: impl Fn(&Process) -> bool) -> Processes {
    let master = |pid: u32| {
        let mut top = pid;
        // Bounded, should a pid have been given away while they were listed.
        for _ in 0..all.len() {
            match all.get(&top) {
                Some(process) if all.contains_key(&process.parent) => top = process.parent,
                _ => break,
            }
        }
        top
    };
    if !all.contains_key(&answers) {
        return Processes::default();
    }
    let family = master(answers);
    let is_member = |pid: u32| master(pid) == family;
    let replaced: Vec<u32> = all.values().flat_map(Process::replaced).collect();
    let mut found = Processes { is_here: true, ..Processes::default() };
    for (&pid, process) in all {
        if pid == answers || pid == family {
            continue;
        }
        if is_member(pid) || replaced.contains(&pid) {
            found.old.push(pid);
        } else if uses(process) {
            let command = process.arguments.join(" ").chars().take(120).collect();
            found.strays.push(Stray { pid, command });
        }
    }
    found
}

/// The text of the files, `None` where one cannot be read. A folder is its `.cfg` files.
pub(super) fn text(files: &[PathBuf]) -> Option<String> {
    let mut text = String::new();
    for file in files {
        let within = if file.is_dir() { folder(file)? } else { vec![file.clone()] };
        for file in within {
            if fs::metadata(&file).ok()?.len() > LONGEST {
                return None;
            }
            text += &fs::read_to_string(file).ok()?;
            text.push('\n');
        }
    }
    Some(text)
}

fn folder(path: &Path) -> Option<Vec<PathBuf>> {
    let files = fs::read_dir(path).ok()?.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "cfg")).collect();
    files.sort();
    Some(files)
}

/// A process's open files.
pub(super) fn open_files(pid: u32) -> Option<OpenFiles> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let limit = match line.split_whitespace().next()? {
        "unlimited" => u64::MAX,
        number => number.parse().ok()?,
    };
    let used = fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|files| files.count() as u64);
    Some(OpenFiles { limit, used })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(parent: u32, line: &str) -> Process {
        Process { parent, arguments: line.split(' ').map(str::to_owned).collect(), folder: "/etc/haproxy".into() }
    }

    #[test]
    fn a_family_its_old_workers_and_strangers_are_told_apart() {
        let ours = |process: &Process| process.files().iter().any(|file| file.ends_with("ours.cfg"));
        let check = |all: &[(u32, Process)], old: &[u32], strays: &[u32]| {
            let found = sort(&all.iter().cloned().collect(), 12, ours);
            let found_strays: Vec<u32> = found.strays.iter().map(|stray| stray.pid).collect();
            assert_eq!((found.is_here, found.old.as_slice(), found_strays.as_slice()), (true, old, strays), "{all:?}");
        };
        let line = "haproxy -f ours.cfg";
        check(&[(12, process(1, line))], &[], &[]);
        check(&[(10, process(1, line)), (12, process(10, line))], &[], &[]);
        check(&[(10, process(1, line)), (11, process(10, line)), (12, process(10, line))], &[11], &[]);
        let new = "haproxy -f ours.cfg -sf 7 8 -x /run/x.sock";
        check(&[(7, process(1, line)), (8, process(1, line)), (12, process(1, new))], &[7, 8], &[]);
        check(&[(12, process(1, line)), (20, process(1, "haproxy -f theirs.cfg")), (21, process(1, line))], &[], &[21]);
        check(&[(12, process(1, new)), (9, process(1, line))], &[], &[9]);
        assert!(!sort(&[(5, process(1, line))].into_iter().collect(), 12, ours).is_here);
    }

    #[test]
    fn the_files_of_a_process_start_from_its_folder() {
        let found = process(1, "haproxy -W -f a.cfg -S m.sock -f /b.cfg -x f").files();
        assert_eq!(found, [Path::new("/etc/haproxy/a.cfg"), Path::new("/b.cfg")]);
    }

    #[test]
    fn the_open_files_of_this_process_can_be_seen() {
        let found = open_files(std::process::id()).unwrap();
        assert!(found.used.unwrap() > 2 && found.limit > found.used.unwrap(), "{found:?}");
    }
}
