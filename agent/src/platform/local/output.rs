//! What an instance prints: into a file of bounded size, and its last lines back out for the operator's terminal.
//!
//! It never goes anywhere else: an application's output may hold what no log of Teal's may.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::files::private;

/// How far back the last lines are looked for, bytes a file.
const TAIL: u64 = 64 << 10;

/// What the shim's own lines begin with.
const MARK: &str = "--- teal: ";

/// How the first line of a start ends.
const BEGINS: &str = " begins";

/// The file that an instance's output is written to, rotated once.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    limit: u64,
}

impl Output {
    /// Goes on where the file ends. Without a file (a full disk) output is dropped: the application must never block on it.
    pub(super) fn open(path: &Path, limit: u64) -> Self {
        let mut output = Self { path: path.to_owned(), file: None, size: 0, limit: limit.max(1) };
        output.reopen();
        output
    }

    fn reopen(&mut self) {
        self.file = private().append(true).create(true).open(&self.path).ok();
        self.size = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        if self.size > 0 && self.size + length > self.limit && fs::rename(&self.path, rotated(&self.path)).is_ok() {
            self.reopen();
        }
        if let Some(file) = &mut self.file
            && self.size + length <= self.limit.saturating_mul(2)
            && file.write_all(bytes).is_ok()
        {
            self.size += length;
        }
    }

    /// The line that each start begins with: what was written before is another's.
    pub(super) fn begin(&mut self, what: &str) {
        self.note(&format!("{what}{BEGINS}"));
    }

    /// A line of the shim's own between the application's.
    pub(super) fn note(&mut self, text: &str) {
        self.write(format!("{MARK}{text}\n").as_bytes());
    }
}

fn is_beginning(line: &str) -> bool {
    line.starts_with(MARK) && line.ends_with(BEGINS)
}

fn rotated(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// The last lines that an instance wrote since it was started, oldest first, at most `count`; escape sequences and control characters are
/// taken out, for they would act on the terminal.
pub(super) fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let mut lines = VecDeque::new();
    for path in [rotated(path), path.to_owned()] {
        let (bytes, cut) = tail(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        lines.extend(text.lines().skip(usize::from(cut)).map(printable));
        if let Some(begun) = lines.iter().rposition(|line| is_beginning(line)) {
            lines.drain(..=begun);
        }
        while lines.len() > count {
            lines.pop_front();
        }
    }
    lines.into()
}

/// The end of a file, and whether its first line may be a part of one.
fn tail(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok((bytes, from > 0))
}

fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // CSI: ESC [ ... final byte. Anything else loses the ESC and the character behind it.
            if chars.next() == Some('[') {
                let _sequence = chars.by_ref().find(|c| matches!(c, '\u{40}'..='\u{7e}'));
            }
        } else if c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_release_wrote_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output.log");
        let mut output = Output::open(&path, 1 << 20);
        output.begin("v1 of r-0001");
        output.note("port 8100 is in use by pid 7166");
        assert_eq!(last_lines(&path, 9), ["--- teal: port 8100 is in use by pid 7166"]);
        output.begin("v2 of r-0002");
        assert_eq!(last_lines(&path, 9), [""; 0]);
        output.write(b"one\ntwo\n");
        assert_eq!(last_lines(&path, 9), ["one", "two"]);
        assert_eq!(last_lines(&path, 1), ["two"]);
    }

    #[test]
    fn a_file_is_rotated_once_and_its_last_lines_span_both() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        let mut output = Output::open(&path, 40);
        for number in 0..20 {
            output.write(format!("line {number:02}\n").as_bytes());
        }
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert_eq!((size(&path), size(&rotated(&path))), (40, 40));
        assert_eq!(last_lines(&path, 3), ["line 17", "line 18", "line 19"]);
        assert_eq!(last_lines(&path, 6).len(), 6);
        assert_eq!(last_lines(&path, 100).len(), 10);
        drop(output);
        let mut again = Output::open(&path, 40);
        again.note("started");
        assert_eq!(last_lines(&path, 2), ["line 19", "--- teal: started"]);
    }

    #[test]
    fn output_is_bounded_even_where_it_cannot_be_rotated_or_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        fs::create_dir(rotated(&path)).unwrap();
        fs::write(rotated(&path).join("x"), "").unwrap();
        let mut output = Output::open(&path, 40);
        (0..100).for_each(|_| output.write(b"0123456789"));
        assert_eq!(fs::metadata(&path).unwrap().len(), 80);
        Output::open(Path::new("/proc/no/such"), 40).write(b"dropped");
        assert_eq!(last_lines(Path::new("/proc/no/such"), 3), [""; 0]);
    }

    #[test]
    fn control_sequences_do_not_reach_the_terminal() {
        let check = |line: &str, expected: &str| assert_eq!(printable(line), expected);
        check("plain\täö", "plain\täö");
        check("\u{1b}[31;1mred\u{1b}[0m", "red");
        check("a\u{7}b\u{1b}]0;title\u{7}c\r", "ab0;titlec");
        check("cut \u{1b}[", "cut ");
        check("cut \u{1b}", "cut ");
    }

    #[test]
    fn only_the_end_of_a_long_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        fs::write(&path, "x".repeat(100_000) + "\nlast\n").unwrap();
        assert_eq!(last_lines(&path, 5), ["last"]);
    }
}
