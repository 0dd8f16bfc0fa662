//! Processes that a reload left behind: they finish their requests by the policy they know, unless told.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

use super::names::{escape, escape_path};
use super::runtime::Process;
use super::saver::Target;
use super::settings::EdgeSettings;
use super::status::OldWorker;

/// The list that `status` shows.
pub(super) type Shared = Arc<Mutex<Vec<OldWorker>>>;

/// How often to see whether they are gone.
const CHECK: Duration = Duration::from_millis(250);

/// Keeps the list until the keeper is gone.
pub(super) async fn run(
    settings: EdgeSettings,
    workers: Shared,
    mut replaced: mpsc::UnboundedReceiver<Process>,
    mut targets: watch::Receiver<Option<Target>>,
) {
    loop {
        let any = !workers.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        tokio::select! {
            process = replaced.recv() => match process {
                Some(process) => list(&workers, |list| list.push(OldWorker { pid: process.pid, told: false })),
                None => return,
            },
            changed = targets.changed() => match changed {
                Ok(()) => list(&workers, |list| list.iter_mut().for_each(|worker| worker.told = false)),
                Err(_) => return,
            },
            () = tokio::time::sleep(CHECK), if any => {}
        }
        list(&workers, |list| list.retain(|worker| is_alive(worker.pid)));
        let policy = targets.borrow_and_update().as_ref().map(|target| target.policy.to_string());
        let untold = list(&workers, |list| list.iter().filter(|w| !w.told).map(|w| w.pid).collect::<Vec<_>>());
        if let (Some(master), Some(policy)) = (&settings.master_socket, policy) {
            for pid in untold {
                let told = tokio::time::timeout(settings.timeout, tell(master, pid, &settings.map, &policy)).await;
                if told.is_ok_and(|told| told.unwrap_or(false)) {
                    let mark = |worker: &mut OldWorker| worker.told |= worker.pid == pid;
                    list(&workers, |list| list.iter_mut().for_each(mark));
                }
            }
        }
    }
}

fn list<T>(workers: &Shared, change: impl FnOnce(&mut Vec<OldWorker>) -> T) -> T {
    change(&mut workers.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Writes the policy into one worker through its master and reads it back. The master closes only on `quit`.
async fn tell(master: &Path, pid: u32, map: &Path, policy: &str) -> std::io::Result<bool> {
    let (map, value) = (escape_path(map), escape(policy));
    let mut stream = UnixStream::connect(master).await?;
    let lines = format!("@!{pid} set map {map} policy {value}\n@!{pid} get map {map} policy\nquit\n");
    stream.write_all(lines.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).contains(&format!("value=\"{policy}\"")))
}

/// Whether the process runs; one that ended and waits for its parent does not.
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // `pid (name) state ...`, and the name may hold anything.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
