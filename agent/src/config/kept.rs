//! The configuration that an agent runs with, kept in its state folder: what the tools of the night go by while the file has
//! mistakes.
//!
//! ```text
//! agent: started, or took a HUP --keep--> STATE/running.toml     0600, whole or not at all; with every default filled in
//! teal.toml with mistakes: its `state`, else the usual folder --> running.toml there, if it was made of this very file
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use toml::de::DeTable;

use super::load::{Loaded, Read, read};
use super::types::Config;

/// Its name in the state folder.
const NAME: &str = "running.toml";
/// Its first line, before the path of the file that it was made of.
const OF: &str = "# What the agent runs with. Made of ";
/// Where `state` is in the examples, should the file not say it any more.
const USUAL_STATE: &str = "/var/lib/teal";

/// A configuration that an agent ran with.
#[derive(Clone, Debug)]
pub struct Kept {
    /// As if the file were whole; its path is that of the file.
    pub loaded: Loaded,
    /// When the agent began to run with it.
    pub since: SystemTime,
}

/// Keeps what the agent runs with from now on. `file` is where its configuration stands.
///
/// # Errors
/// What the system says; what was kept before stays as it is.
pub fn keep(config: &Config, file: &Path) -> io::Result<()> {
    let mut new = tempfile::Builder::new().prefix(".running-").tempfile_in(&config.state)?;
    writeln!(new, "{OF}{}\n", file.display())?;
    new.write_all(config.effective().as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(config.state.join(NAME))?;
    std::fs::File::open(&config.state)?.sync_all()
}

/// What an agent of `file` ran with last; `None` where none did, or where it cannot be read.
#[must_use]
pub fn kept(file: &Path) -> Option<Kept> {
    states(file).iter().find_map(|state| from(&state.join(NAME), file))
}

/// Pages for 2 a.m. that an agent of `file` has kept, by what its `state` says.
#[must_use]
pub fn kept_pages(file: &Path) -> Vec<PathBuf> {
    let pages = |state: &PathBuf| {
        let folder = std::fs::read_dir(state.join("break-glass")).into_iter().flatten().flatten();
        let pages = folder.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "txt"));
        pages.collect::<Vec<_>>()
    };
    let mut pages = states(file).iter().map(pages).find(|pages| !pages.is_empty()).unwrap_or_default();
    pages.sort();
    pages
}

/// Where the state may be: as far as the file can be read, and the usual place.
fn states(file: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let (table, _) = DeTable::parse_recoverable(&text);
    let said = table.get_ref().get("state").and_then(|state| state.get_ref().as_str());
    let base = file.parent().unwrap_or(Path::new("/"));
    said.map(|state| base.join(state)).into_iter().chain([PathBuf::from(USUAL_STATE)]).collect()
}

fn from(path: &Path, file: &Path) -> Option<Kept> {
    let text = std::fs::read_to_string(path).ok()?;
    let since = std::fs::metadata(path).ok()?.modified().ok()?;
    let (of, _) = text.strip_prefix(OF)?.split_once('\n')?;
    if Path::new(of) != file {
        return None;
    }
    // A newer version may have other keys; then it is not to be gone by either.
    let Read { config, sources, .. } = read(&text, path.parent()?);
    let loaded = Loaded { config: config.ok()?, path: file.to_owned(), text, warnings: Vec::new(), sources };
    Some(Kept { loaded, since })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::tests::LEAST;
    use super::*;

    #[test]
    fn what_an_agent_ran_with_is_found_whatever_became_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (state, file) = (folder.path().join("state"), folder.path().join("teal.toml"));
        std::fs::create_dir_all(state.join("break-glass")).unwrap();
        let text = LEAST.replace("\"/var/lib/teal\"", "\"state\"");
        assert_ne!(text, LEAST, "this is where the state is");
        std::fs::write(&file, &text).unwrap();
        let config = read(&text, folder.path()).config.unwrap();
        assert!(kept(&file).is_none() && kept_pages(&file).is_empty());
        keep(&config, &file).unwrap();
        std::fs::write(state.join("break-glass/prod.txt"), "page").unwrap();
        let mode = std::fs::metadata(state.join(NAME)).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, std::fs::read_dir(&state).unwrap().count()), (0o600, 2), "and nothing beside it");

        let check = |broken: &str| {
            std::fs::write(&file, broken).unwrap();
            assert!(read(broken, folder.path()).config.is_err(), "{broken}");
            let kept = kept(&file).unwrap();
            assert_eq!((&kept.loaded.config, &kept.loaded.path), (&config, &file), "{broken}");
            assert_eq!(kept_pages(&file), [state.join("break-glass/prod.txt")]);
        };
        check(&format!("{text}\n[wach]\n"));
        check(&format!("{text}\nmin = \n"));
        check(&format!("{text}\nmin = \"5m\n["));

        // Another file of the same folder, and one whose state cannot be told any more.
        let other = folder.path().join("other.toml");
        std::fs::write(&other, format!("{text}\n[wach]\n")).unwrap();
        assert!(kept(&other).is_none());
        std::fs::write(&file, "[wach]\n").unwrap();
        assert!(kept(&file).is_none());
    }
}
