//! Some of the streams are those of real SDK clients, each told by its own callback.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::ensure;
use teal_flags::client::{Client, Readiness, Subscription};
use tokio::runtime::Runtime;

use super::streams::Told;

/// Clients that live as long as this, in a thread of their own.
pub(crate) struct Clients {
    _clients: Vec<(Client, Subscription)>,
    _runtime: Runtime,
}

/// Starts so many; each tells of what it hears after the first.
pub(crate) fn follow(address: SocketAddr, count: usize, told: &Sender<Told>) -> anyhow::Result<Clients> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let service = format!("http://{address}");
    let mut clients = Vec::new();
    for _ in 0..count {
        let builder = Client::builder(service.as_str()).environment("prod").report_every(None);
        let client = builder.runtime(runtime.handle().clone()).start();
        ensure!(client.ready_blocking(Duration::from_secs(30)) == Readiness::Live, "{:?}", client.status());
        let told = told.clone();
        let heard = client.on_change(move |change| {
            let _ = told.send(Some((change.revision.revision, vec![Instant::now()])));
        });
        clients.push((client, heard));
    }
    Ok(Clients { _clients: clients, _runtime: runtime })
}
