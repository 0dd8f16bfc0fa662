//! What a user can get wrong, and a machine: each time a clear error with the way out, and nothing half done.

mod commands;
mod configuration;
mod site;
mod starting;

use std::fs;
use std::path::{Path, PathBuf};

use teal_testkit::{Folder, folder, free_ports};

use crate::said::{self, Said};

/// Everything that a machine with one small application is configured with, and nothing of it running.
struct Shop {
    folder: Folder,
    /// The application's two, the edge's, the agent's.
    ports: std::ops::RangeInclusive<u16>,
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

    fn teal(&self, words: &[&str]) -> Said {
        said::teal(self.folder.path(), words)
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
