//! One command as its user gives it, and what it came to.

use std::path::Path;
use std::process::{Command, Output, Stdio};

pub(crate) struct Said {
    pub(crate) exit: Option<i32>,
    /// Standard output, then standard error.
    pub(crate) text: String,
}

/// `teal WORDS` in a folder with a `teal.toml`.
pub(crate) fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_teal"));
    command.args(words).current_dir(folder).env_remove("TEAL_CONFIG").env_remove("TEAL_HAPROXY").stdin(Stdio::null());
    command
}

pub(crate) fn teal(folder: &Path, words: &[&str]) -> Said {
    command(folder, words).output().unwrap().into()
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        Self { exit: output.status.code(), text }
    }
}

impl Said {
    /// Ended with this code, having said all of these words.
    #[track_caller]
    pub(crate) fn expect(&self, exit: i32, words: &[&str]) {
        let Self { exit: was, text } = self;
        assert_eq!(*was, Some(exit), "{text}");
        for words in words {
            assert!(text.contains(words), "`{words}` is missing in:\n{text}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
}
