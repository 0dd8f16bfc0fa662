//! What a relay does by itself: follows, keeps what it knows on the disk, looks how it fares, and sends counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use teal_flags::Outcome;
use teal_flags::client::{Client, ClientError, SnapshotFile};
use teal_flags::model::{Document, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::now;
use super::super::state::{Position, State};
use super::{Shared, Upstream, follow, limits, lock};

/// Between two writes to the disk.
const WRITE_PAUSE: Duration = Duration::from_millis(200);
/// Without a change the file is written again when the service was heard so much later: its age is what a restart goes by.
const FRESHEN: Duration = Duration::from_secs(300);
/// After a write that failed.
const WRITE_AGAIN: Duration = Duration::from_secs(5);
/// Between two looks at how it fares.
const LOOK: Duration = Duration::from_secs(1);
/// How long the last counts may take at the end.
const LAST_COUNTS: Duration = Duration::from_secs(3);
/// Instances that are remembered.
const MOST_PAST: usize = 32;

/// The client that follows, from what is on the disk on. Each document becomes a state.
pub(super) fn client(
    upstream: &Upstream,
    file: &SnapshotFile,
    states: watch::Sender<Arc<State>>,
    dirty: Arc<Notify>,
    past: Arc<Mutex<Vec<Arc<str>>>>,
) -> Client {
    let mut addresses = upstream.addresses.iter();
    let mut builder = Client::builder(addresses.next().map(String::as_str)).limits(limits()).report_every(None);
    for address in addresses {
        builder = builder.replica(address);
    }
    if let Some(path) = &upstream.token_file {
        builder = builder.token_file(path);
    }
    if let Some(path) = &upstream.authority {
        builder = builder.certificate_authority(path);
    }
    match file.read() {
        Ok(Some((document, written))) => {
            let age = now().millis().saturating_sub(written.millis());
            builder = builder.known(document, Duration::from_millis(u64::try_from(age).unwrap_or_default()));
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the relay starts without what it knew"),
    }
    builder
        .on_document(move |document, outcome| {
            let before = states.borrow().clone();
            if outcome == Outcome::NewInstance {
                remember(&mut lock(&past), &before);
            }
            if let Some(next) = next(&before, document) {
                states.send_replace(Arc::new(next));
                dirty.notify_one();
            }
        })
        .start()
}

/// The state after a document, unless everything in it was told before.
fn next(before: &State, document: &Document) -> Option<State> {
    let position = before.position();
    let is_here = document.instance.as_deref() == Some(&*position.instance) && document.revision == position.revision;
    // Polled documents come again and again as they are; what differs at the same revision cannot be told as a change.
    (!is_here).then(|| follow::after(before, document))
}

fn remember(past: &mut Vec<Arc<str>>, before: &State) {
    if past.len() >= MOST_PAST {
        past.remove(0);
    }
    past.push(before.position().instance.clone());
}

/// Does all of it until told to stop.
pub(super) async fn run(shared: Arc<Shared>, file: SnapshotFile, stop: CancellationToken) {
    let mut disk = Disk { file, kept: None, failed: false };
    tokio::join!(keep(&shared, &mut disk, &stop), look(&shared, &stop), forward(&shared, &stop));
    // What was heard since the last write, also while the last counts were sent.
    disk.write(&shared).await;
}

/// Writes what is told, at once after a change.
async fn keep(shared: &Shared, disk: &mut Disk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let pause = if disk.failed { WRITE_AGAIN } else { LOOK };
        tokio::select! {
            () = shared.dirty.notified() => {}
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
        disk.write(shared).await;
        stop.run_until_cancelled(sleep(WRITE_PAUSE)).await;
    }
}

/// The file, and what stands in it.
struct Disk {
    file: SnapshotFile,
    /// What, and when the service last said that it is the newest: a restart goes by that, however often there is one.
    kept: Option<(Position, Timestamp)>,
    failed: bool,
}

impl Disk {
    /// Writes what is known, unless the file says so already.
    async fn write(&mut self, shared: &Shared) {
        // In this order: what is written is as new as it says, or newer.
        let as_of = ago(shared.client.status().staleness.unwrap_or_default());
        let state = shared.states.borrow().clone();
        if !state.is_loaded() || !self.is_behind(state.position(), as_of) {
            return;
        }
        let (file, kept) = (self.file.clone(), (state.position().clone(), as_of));
        let written = tokio::task::spawn_blocking(move || file.write(state.whole(), as_of)).await;
        let error = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error.as_ref().filter(|_| !self.failed) {
            tracing::error!(error, "what the relay knows cannot be kept for its next start");
        }
        self.failed = error.is_some();
        if !self.failed {
            self.kept = Some(kept);
        }
    }

    fn is_behind(&self, position: &Position, as_of: Timestamp) -> bool {
        let Some((kept, since)) = &self.kept else { return true };
        kept != position || u128::from(as_of.millis().abs_diff(since.millis())) >= FRESHEN.as_millis()
    }
}

/// The moment that is so long ago.
fn ago(age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now().millis().saturating_sub(age))
}

/// Looks how it fares. Who waits because nobody could say what is newer is looked at again when the service is back.
async fn look(shared: &Shared, stop: &CancellationToken) {
    let mut was_connected = shared.is_connected();
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        shared.look();
        let is_connected = shared.is_connected();
        if is_connected && !was_connected {
            shared.states.send_modify(|_| {});
        }
        if is_connected != was_connected {
            tracing::info!(connected = is_connected, "the flag service that is relayed");
        }
        was_connected = is_connected;
    }
}

/// Sends counts now and then, and at the end.
async fn forward(shared: &Shared, stop: &CancellationToken) {
    let mut refused = false;
    loop {
        let pause = shared.upstream.report_every.mul_f64(0.9 + fastrand::f64() / 5.0);
        let is_last = stop.run_until_cancelled(sleep(pause)).await.is_none();
        let sent = if is_last {
            let late = ClientError::TimedOut { what: "the last counts to be taken", limit: LAST_COUNTS };
            timeout(LAST_COUNTS, send(shared)).await.unwrap_or(Err(late))
        } else {
            send(shared).await
        };
        if let Err(error) = &sent
            && (is_last || !refused)
        {
            tracing::warn!(%error, "counts of what was served did not reach the service");
        }
        refused = sent.is_err();
        if is_last {
            return;
        }
    }
}

async fn send(shared: &Shared) -> Result<(), ClientError> {
    loop {
        let Some(report) = shared.counts().report() else { return Ok(()) };
        match shared.client.forward(report.body.to_string().into_bytes()).await {
            Ok(()) => shared.counts().sent(),
            // The service read them and does not want them: it would not another time either.
            Err(error @ ClientError::Status { status: 400 | 413 | 422 }) => {
                shared.counts().refused();
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    }
}
