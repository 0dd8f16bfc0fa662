//! What a relay does by itself: follows, keeps what it knows on the disk, looks how it fares, and sends counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use teal_flags::Outcome;
use teal_flags::client::{Client, ClientError, SnapshotFile};
use teal_flags::model::Document;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::now;
use super::super::state::State;
use super::{Shared, Upstream, follow, limits, lock};

/// Between two writes to the disk.
const WRITE_PAUSE: Duration = Duration::from_millis(200);
/// Without a change the file is written again this often while the service is heard: its age is what a restart goes by.
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
    tokio::join!(keep(&shared, &file, &stop), look(&shared, &stop), forward(&shared, &stop));
}

/// Writes what is told, at once after a change.
async fn keep(shared: &Shared, file: &SnapshotFile, stop: &CancellationToken) {
    let mut failed = false;
    while !stop.is_cancelled() {
        let pause = if failed { WRITE_AGAIN } else { FRESHEN };
        let due = tokio::select! {
            () = shared.dirty.notified() => true,
            () = stop.cancelled() => failed,
            () = sleep(pause) => failed || shared.is_connected(),
        };
        let state = shared.states.borrow().clone();
        if !due || state.position().instance.is_empty() {
            continue;
        }
        let file = file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(state.whole())).await;
        let error = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error.as_ref().filter(|_| !failed) {
            tracing::error!(error, "what the relay knows cannot be kept for its next start");
        }
        failed = error.is_some();
        stop.run_until_cancelled(sleep(WRITE_PAUSE)).await;
    }
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
