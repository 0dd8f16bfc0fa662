//! Keeps the map file at the ordered policy, so that a restart or a reload of HAProxy changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use teal_rollout::policy::Policy;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::map_file::{self, MapFileError};

/// What is wanted, numbered so that the same policy can be wanted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) policy: Policy,
    pub(super) generation: u64,
}

/// What is on the disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Saved {
    /// Whether the file was looked at yet.
    pub(super) known: bool,
    /// The policy there; `None` while it cannot be read or written.
    pub(super) policy: Option<Policy>,
    /// Why not.
    pub(super) error: Option<MapFileError>,
    /// The generation of the last target that is on the disk.
    pub(super) written: Option<u64>,
}

/// How often the file is looked at when nothing is to be written.
const CHECK: Duration = Duration::from_secs(1);

/// Writes each target as it comes, tries again when that fails, and reads the file once a second.
pub(super) async fn run(map: PathBuf, mut targets: watch::Receiver<Option<Target>>, saved: watch::Sender<Saved>) {
    let mut backoff = Backoff::new();
    let mut check_at = Instant::now();
    loop {
        let target = targets.borrow_and_update().clone();
        let due = target.filter(|target| saved.borrow().written != Some(target.generation));
        let wake = if due.is_some() { backoff.at() } else { check_at };
        tokio::select! {
            biased;
            changed = targets.changed() => match changed {
                // What failed for one policy may do for the next: the disk is asked again at once.
                Ok(()) => backoff = Backoff::new(),
                Err(_) => return,
            },
            () = sleep_until(wake) => match due {
                Some(target) => match write(&map, &target.policy).await {
                    Ok(()) => {
                        backoff = Backoff::new();
                        check_at = Instant::now() + CHECK;
                        let Target { policy, generation } = target;
                        saved.send_replace(Saved {
                            known: true,
                            policy: Some(policy),
                            error: None,
                            written: Some(generation),
                        });
                    }
                    Err(error) => {
                        backoff.failed();
                        publish(&saved, Err(error));
                    }
                },
                None => {
                    let found = read(&map).await;
                    check_at = Instant::now() + CHECK;
                    publish(&saved, found);
                }
            },
        }
    }
}

fn publish(saved: &watch::Sender<Saved>, found: Result<Policy, MapFileError>) {
    let (policy, error) = match found {
        Ok(policy) => (Some(policy), None),
        Err(error) => (None, Some(error)),
    };
    saved.send_if_modified(|saved| {
        if let Some(error) = &error
            && saved.error.as_ref() != Some(error)
        {
            tracing::warn!(%error, "the map file is not as it should be");
        }
        let now = Saved { known: true, policy, error, written: saved.written };
        let changed = *saved != now;
        *saved = now;
        changed
    });
}

async fn read(map: &std::path::Path) -> Result<Policy, MapFileError> {
    let map = map.to_owned();
    blocking(move || map_file::read(&map)).await
}

async fn write(map: &std::path::Path, policy: &Policy) -> Result<(), MapFileError> {
    let (map, policy) = (map.to_owned(), policy.clone());
    blocking(move || map_file::write(&map, &policy)).await
}

/// Waiting for a disk is not for the threads that answer orders.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MapFileError> + Send + 'static,
) -> Result<T, MapFileError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The runtime is shutting down and takes no more work.
        Err(_) => Err(MapFileError::Io { path: PathBuf::new(), kind: std::io::ErrorKind::Interrupted }),
    }
}
