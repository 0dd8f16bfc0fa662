//! The page as a file beside the edge, renewed at each change of what the edge routes by, and what the agent knows of that.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use teal_rollout::document::Document;
use teal_rollout::policy::Policy;
use teal_rollout::settings::Mode;
use time::OffsetDateTime;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::page::page;
use super::site::Site;
use crate::config::{Config, Environment};
use crate::proxy::haproxy::standing::{Author, Standing};

/// How often it is seen whether something changed.
const LOOK: Duration = Duration::from_millis(250);
/// How soon it is tried again after a failure.
const AGAIN: Duration = Duration::from_secs(60);

/// A page that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As it was written.
    pub text: String,
    /// How long ago; zero where the clock was set back since.
    pub age: Duration,
}

/// Where the page of an environment is kept: `STATE/break-glass/ENV.txt`.
#[must_use]
pub fn path(state: &Path, environment: &str) -> PathBuf {
    state.join("break-glass").join(format!("{environment}.txt"))
}

/// The page of an environment as it was kept last.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn kept(state: &Path, environment: &str) -> io::Result<Kept> {
    let path = path(state, environment);
    let text = std::fs::read_to_string(&path)?;
    let written = std::fs::metadata(&path)?.modified()?;
    Ok(Kept { text, age: SystemTime::now().duration_since(written).unwrap_or_default() })
}

/// What is known beyond the policy of an edge that hands alone write: `STATE/break-glass/ENV.json`.
fn known_path(state: &Path, environment: &str) -> PathBuf {
    state.join("break-glass").join(format!("{environment}.json"))
}

/// Who writes the edge of an environment; with what its agent knew last where that only looks on.
#[must_use]
pub fn author(config: &Config, name: &str, environment: &Environment) -> Author {
    match environment.mode {
        Mode::Act => Author::Agent,
        Mode::Observe | Mode::Advise => Author::Hands(known(&config.state, name)),
    }
}

fn known(state: &Path, environment: &str) -> Option<Standing> {
    serde_json::from_slice(&std::fs::read(known_path(state, environment)).ok()?).ok()
}

/// What the edge routes by at one moment.
#[derive(Clone, Debug)]
pub struct Present {
    /// Its policy.
    pub policy: Policy,
    /// What the agent makes of it, where it only looks on.
    pub observed: Option<Document>,
}

/// Keeps the page of an environment in step with `present` until `shutdown`. What cannot be written is reported and tried
/// again; it never holds anything up.
pub async fn keep(
    site: Site,
    state: PathBuf,
    present: impl Fn() -> Option<Present> + Send,
    shutdown: CancellationToken,
) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut written, mut not_before) = (None, Instant::now());
    let mut last = known(&state, &site.environment);
    while shutdown.run_until_cancelled(looks.tick()).await.is_some() {
        let Some(Present { policy, observed }) = present() else { continue };
        let standing = match observed {
            None => Author::Agent.standing(policy),
            Some(document) => Author::Hands(last.take()).standing(policy).judged(&document),
        };
        last = Some(standing.clone());
        if written.as_ref() == Some(&standing) || Instant::now() < not_before {
            continue;
        }
        let text = page(&site, Some(&standing), OffsetDateTime::now_utc());
        let paths = (path(&state, &site.environment), known_path(&state, &site.environment));
        let kept = standing.clone();
        // In this order: `edge force` does what the page says.
        let done = tokio::task::spawn_blocking(move || remember(&paths.1, &kept).and_then(|()| write(&paths.0, &text)));
        match done.await.map_err(io::Error::other).flatten() {
            Ok(()) => written = Some(standing),
            Err(error) => {
                tracing::warn!(environment = site.environment, %error, "the break-glass page could not be kept");
                not_before = Instant::now() + AGAIN;
            }
        }
    }
}

/// For `edge force` with the agent dead. Where the agent writes the edge, the policy itself says all of it.
fn remember(path: &Path, standing: &Standing) -> io::Result<()> {
    if standing.is_by_hand() {
        return write(path, &serde_json::to_string(standing)?);
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whole or not at all, also after a crash; 0640 in a folder of 0750.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if !folder.is_dir() {
        std::fs::DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    }
    let mut file = tempfile::Builder::new().prefix(".page-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o640))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use teal_rollout::policy::Salt;

    use super::super::fixture::site;
    use super::*;

    #[test]
    fn a_page_is_there_whole_for_its_group_and_says_how_old_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), "prod");
        assert_eq!(kept(folder.path(), "prod").unwrap_err().kind(), io::ErrorKind::NotFound);
        write(&path, "first, and longer").unwrap();
        write(&path, "second").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o640, 0o750));
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        let kept = kept(folder.path(), "prod").unwrap();
        assert_eq!((kept.text.as_str(), kept.age.as_secs() / 60), ("second", 120));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn a_page_follows_what_the_edge_routes_by() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_owned();
        let present = Arc::new(Mutex::new(None));
        let (shutdown, shown) = (CancellationToken::new(), present.clone());
        let keeper = tokio::spawn(keep(site(), state.clone(), move || shown.lock().unwrap().clone(), shutdown.clone()));
        for policy in ["v1:1.0.open:blue:blue:0:blue:blue:0:s:0", "v1:2.1.open:blue:green:100000:blue:blue:0:s:0"] {
            *present.lock().unwrap() = Some(Present { policy: policy.parse().unwrap(), observed: None });
            let there = || async {
                kept(&state, "prod").ok().filter(|kept| kept.text.contains(&format!("routed by   {policy}\n")))
            };
            teal_testkit::until("the page is kept", there).await;
        }
        shutdown.cancel();
        keeper.await.unwrap();
        assert!(!known_path(&state, "prod").exists(), "the policies of an agent mean what they say");
    }

    #[tokio::test]
    async fn where_hands_write_the_edge_what_is_known_of_it_survives_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_owned();
        let document = || Document::new(["api".to_owned(), "web".to_owned()], Salt::default(), Vec::new());
        let follow = async |policies: &[&str]| {
            for policy in policies {
                let present = Present { policy: policy.parse().unwrap(), observed: Some(document()) };
                let shutdown = CancellationToken::new();
                let keeper = tokio::spawn(keep(site(), state.clone(), move || Some(present.clone()), shutdown.clone()));
                let seen = || async { known(&state, "prod").filter(|known| known.seen() == &policy.parse().unwrap()) };
                teal_testkit::until("it is known", seen).await;
                shutdown.cancel();
                keeper.await.unwrap();
            }
            known(&state, "prod").unwrap()
        };
        // A script that says where traffic goes, and no more.
        let known =
            follow(&["v1:0.0.open:blue:blue:0:blue:blue:0:s:0", "v1:0.0.open:green:green:0:blue:blue:0:s:0"]).await;
        assert_eq!(known.policy().to_string(), "v1:0.0.open:blue:green:100000:blue:blue:0:s:0");
        let page = kept(&state, "prod").unwrap().text;
        assert!(page.contains("everything to BLUE: the last good colour\n"), "{page}");
    }
}
