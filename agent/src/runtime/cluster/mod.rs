//! An environment on a cluster: its document in the resource, who leads, orders from there, and what is told there.
//!
//! ```text
//!  resource --watch--> document, orders --> controller --snapshot, journal--> status, events --> resource
//!  lease ----------------- leads -------------^
//! ```

mod shown;

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::document::Document;
use teal_rollout::machine::Event;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RuntimeError;
use crate::cluster::client::Cluster;
use crate::cluster::lease::{self, Lease};
use crate::cluster::resource::BlueGreen;
use crate::cluster::watch::Watched;
use crate::config::{Config, Environment};
use crate::controller::{Clock, Handle, Journal, OrderError};
use crate::http::{self, ShownEnvironment};
use crate::store::Sqlite;
use crate::store::kubernetes::{self as stored, Asked, Opened, Orders, Others, Settings, Teller};

/// Orders out of the resource that may wait for the controller.
const ORDERS: usize = 4;
/// How long a reader of the journal waits before it looks again.
const JOURNAL: Duration = Duration::from_secs(60);

/// What an environment has in its cluster.
pub(super) struct Site {
    cluster: Cluster,
    settings: Settings,
    watched: Watched<BlueGreen>,
    lease: Option<Lease>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    stop: CancellationToken,
}

impl Site {
    /// Watches the environment's resource and, where there are other agents, takes part in the lease.
    pub(super) fn open(
        config: &Config,
        environment: &Environment,
        cluster: &Cluster,
        stop: &CancellationToken,
    ) -> Result<Self, RuntimeError> {
        let settings = Settings {
            namespace: environment.namespace.clone().unwrap_or_default(),
            name: config.app.clone(),
            agent: environment.edge.name.clone(),
        };
        let (watched, watching) = stored::watched(&cluster.client, &settings, stop.clone());
        let mut tasks = vec![("the resource's watch", watching)];
        let lease = if environment.edge.peers.is_empty() {
            None
        } else {
            let identity = format!("{}-{}", environment.edge.name, super::lock::id(&config.state)?);
            let terms = lease::Settings::new(&settings.namespace, &format!("teal-{}", config.app), &identity);
            let (lease, task) = lease::spawn(cluster.client.clone(), terms, stop.clone());
            tasks.push(("the lease", task));
            Some(lease)
        };
        Ok(Self { cluster: cluster.clone(), settings, watched, lease, tasks, stop: stop.clone() })
    }

    /// The document to begin with, and the way to write it.
    pub(super) async fn document(&self, copy: Option<Document>) -> Opened {
        stored::open(&self.cluster.client, &self.settings, self.watched.clone(), copy).await
    }

    /// Connects a controller that runs with the cluster. The tasks by their names.
    pub(super) fn connect(
        self,
        about: About,
        environment: &Environment,
        events: &mpsc::Sender<Event>,
    ) -> Vec<(&'static str, JoinHandle<()>)> {
        let Self { cluster, settings, watched, lease, mut tasks, stop } = self;
        let About { name, handle, store, clock, journal, shown, app } = about;
        let client = &cluster.client;
        if let Some(lease) = &lease {
            tasks.push(("who leads", tokio::spawn(leads(lease.clone(), clock, events.clone(), stop.clone()))));
            let others = Others { own: vec![environment.edge.name.clone()] };
            let task = stored::spawn_edges(settings.clone(), others, watched.clone(), events.clone(), stop.clone());
            tasks.push(("the other edges", task));
        }
        let (asked, asking) = mpsc::channel(ORDERS);
        let orders = Orders { environment: name, store, lease: lease.clone(), asked };
        tasks.push(("orders", stored::spawn_orders(client, settings.clone(), orders, watched.clone(), stop.clone())));
        tasks.push(("orders' answers", tokio::spawn(answers(handle.clone(), asking))));

        let (publish, shown_there) = watch::channel(stored::Shown::default());
        let own = environment.edge.name.clone();
        let show = Show { handle, shown, app, own, lease: lease.clone(), publish };
        tasks.push(("the status' figures", tokio::spawn(run(show.run(), stop.clone()))));
        let status = stored::spawn_status(client, settings.clone(), watched.clone(), shown_there, lease, stop.clone());
        tasks.push(("the status", status));
        let (teller, telling) = stored::spawn_teller(client, settings, watched, stop.clone());
        tasks.push(("events", telling));
        tasks.push(("events' source", tokio::spawn(run(tell(journal, teller), stop))));
        tasks
    }
}

/// What is connected.
pub(super) struct About {
    pub(super) app: String,
    pub(super) name: String,
    pub(super) handle: Handle,
    pub(super) store: Sqlite,
    pub(super) clock: Clock,
    pub(super) journal: Arc<Journal>,
    pub(super) shown: ShownEnvironment,
}

async fn run(task: impl Future<Output = ()>, stop: CancellationToken) {
    let _cancelled = stop.run_until_cancelled(task).await;
}

/// Tells the machine until when it leads: at every renewal, and when it does no more.
async fn leads(lease: Lease, clock: Clock, events: mpsc::Sender<Event>, stop: CancellationToken) {
    let mut standing = lease.standing();
    loop {
        let until = standing.borrow_and_update().until.map(|until| clock.time(until));
        if events.send(Event::Lead { until }).await.is_err() {
            return;
        }
        match stop.run_until_cancelled(standing.changed()).await {
            Some(Ok(())) => {}
            _ => return,
        }
    }
}

/// Gives orders out of the resource to the controller. One that an agent on its way down did not take is given again later.
async fn answers(handle: Handle, mut asking: mpsc::Receiver<Asked>) {
    while let Some(Asked { order, mut answer }) = asking.recv().await {
        let result = tokio::select! {
            result = handle.order_patiently(order) => result,
            // Another order took its place while the store was waited for.
            () = answer.closed() => continue,
        };
        match result {
            Ok(release) => drop(answer.send(Ok(release))),
            Err(OrderError::Refused(refusal)) => drop(answer.send(Err(refusal))),
            Err(OrderError::Stopping | OrderError::NotStored(_)) => {}
        }
    }
}

/// Copies what the controller shows into what the status is made of.
struct Show {
    handle: Handle,
    shown: ShownEnvironment,
    app: String,
    own: String,
    lease: Option<Lease>,
    publish: watch::Sender<stored::Shown>,
}

impl Show {
    async fn run(self) {
        let mut snapshots = self.handle.snapshots();
        loop {
            let snapshot = snapshots.borrow_and_update().clone();
            if snapshot.view.started {
                let status = http::status_of(&self.app, &self.shown);
                let shown = shown::of(&snapshot.view, &status, &self.own);
                if let Some(lease) = &self.lease {
                    lease.hurry(shown.busy);
                }
                self.publish.send_if_modified(|before| {
                    let differs = *before != shown;
                    *before = shown;
                    differs
                });
            }
            if snapshots.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Tells the journal's new records as events of the resource.
async fn tell(journal: Arc<Journal>, teller: Teller) {
    let mut last = journal.last_seq();
    loop {
        journal.wait(last, JOURNAL).await;
        for record in journal.after(last).unwrap_or_default() {
            last = record.seq;
            teller.tell(shown::told(&record));
        }
        last = last.max(journal.last_seq());
    }
}
