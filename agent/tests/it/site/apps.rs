//! The applications of a site, which outlive its agent by design, and the proof that nothing outlives the site.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use teal_agent::platform::local;

/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// Dropping it ends them as an operator would: `teal stop --all`.
pub(super) struct Apps {
    folder: PathBuf,
}

impl Apps {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Component, version and process id, sorted.
    pub(super) async fn list(&self) -> Vec<(String, String, i32)> {
        let running = local::list(&self.folder.join("state"), None).await.unwrap();
        let mut all: Vec<_> = running.into_iter().filter_map(|r| Some((r.component, r.version, r.pid?))).collect();
        all.sort();
        all
    }
}

impl Drop for Apps {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the agent's last words:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
        if self.folder.join("state").exists() {
            super::teal(&self.folder, &["stop", "--all", "--yes"]);
        }
    }
}

/// The last to be dropped: fails the test when a process of the site is still there.
pub(super) struct Left {
    folder: PathBuf,
}

impl Left {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        let deadline = Instant::now() + GONE;
        while !processes_of(&self.folder).is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let left = processes_of(&self.folder);
        if !left.is_empty() {
            eprintln!("left behind: {left:#?}");
        }
        assert!(left.is_empty() || std::thread::panicking(), "processes of the site are left behind");
    }
}

/// The command lines of all processes, zombies aside, that name the folder there.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.to_str().unwrap();
    let commands = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    commands.filter(|command| command.contains(needle)).collect()
}
