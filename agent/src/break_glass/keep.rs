//! The page as a file beside the edge, renewed at each change of what the edge routes by.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use teal_rollout::policy::Policy;
use time::OffsetDateTime;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::page::page;
use super::site::Site;

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

/// Keeps the page of an environment in step with `present`, what its edge routes by, until `shutdown`. A page that cannot be
/// written is reported and tried again; it never holds anything up.
pub async fn keep(
    site: Site,
    state: PathBuf,
    present: impl Fn() -> Option<Policy> + Send,
    shutdown: CancellationToken,
) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut written, mut not_before) = (None, Instant::now());
    while shutdown.run_until_cancelled(looks.tick()).await.is_some() {
        let Some(policy) = present().filter(|policy| written.as_ref() != Some(policy)) else { continue };
        if Instant::now() < not_before {
            continue;
        }
        let text = page(&site, Some(&policy), OffsetDateTime::now_utc());
        let path = path(&state, &site.environment);
        let done = tokio::task::spawn_blocking(move || write(&path, &text)).await;
        match done.map_err(io::Error::other).flatten() {
            Ok(()) => written = Some(policy),
            Err(error) => {
                tracing::warn!(environment = site.environment, %error, "the break-glass page could not be kept");
                not_before = Instant::now() + AGAIN;
            }
        }
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
            *present.lock().unwrap() = Some(policy.parse().unwrap());
            let there = || async {
                kept(&state, "prod").ok().filter(|kept| kept.text.contains(&format!("routed by   {policy}\n")))
            };
            teal_testkit::until("the page is kept", there).await;
        }
        shutdown.cancel();
        keeper.await.unwrap();
    }
}
