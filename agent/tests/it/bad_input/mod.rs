//! What a user can get wrong, and a machine: each time a clear error with the way out, and nothing half done.

mod commands;
mod configuration;
mod starting;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use teal_testkit::{Folder, folder, free_ports};

/// Everything that a machine with one small application is configured with, and nothing of it running.
struct Shop {
    folder: Folder,
    /// The application's two, the edge's, the agent's.
    ports: std::ops::RangeInclusive<u16>,
}

/// What a command came to.
struct Said {
    exit: Option<i32>,
    text: String,
}

impl Shop {
    fn new() -> Self {
        let made = Self { folder: folder(), ports: free_ports(4) };
        made.configure(|text| text);
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn listen(&self) -> u16 {
        *self.ports.end()
    }

    /// Writes `teal.toml` as `change` makes it of a good one.
    fn configure(&self, change: impl FnOnce(String) -> String) {
        let first = *self.ports.start();
        let text = include_str!("shop.toml")
            .replace("{folder}", &self.folder.path().display().to_string())
            .replace("{teal}", env!("CARGO_BIN_EXE_teal"))
            .replace("{app}", &format!("{first}-{}", first + 1))
            .replace("{edge}", &(first + 2).to_string())
            .replace("{agent}", &(first + 3).to_string());
        fs::write(self.path("teal.toml"), change(text)).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_teal"));
        command.args(words).current_dir(self.folder.path()).env_remove("TEAL_CONFIG").env_remove("TEAL_HAPROXY");
        command.stdin(Stdio::null());
        command
    }

    fn teal(&self, words: &[&str]) -> Said {
        self.command(words).output().unwrap().into()
    }

    /// What there is but the configuration.
    fn left(&self) -> Vec<String> {
        let mut names = list(self.folder.path());
        names.retain(|name| name != "teal.toml");
        names
    }
}

fn list(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
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
    fn expect(&self, exit: i32, words: &[&str]) {
        let Self { exit: was, text } = self;
        assert_eq!(*was, Some(exit), "{text}");
        for words in words {
            assert!(text.contains(words), "`{words}` is missing in:\n{text}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
}
