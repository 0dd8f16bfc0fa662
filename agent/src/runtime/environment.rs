//! One environment: its ports, its controller, and how they end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use teal_rollout::document::{Document, Slot};
use teal_rollout::machine::{Event, Saved};
use teal_rollout::settings::{Mode, Settings};
use teal_rollout::statistics::History;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::cluster::{About, Site};
use super::ports::{Edge, ORDERS, Platform};
use super::watch::Watch;
use super::{Options, RuntimeError, wiring};
use crate::break_glass;
use crate::cluster::client::Cluster;
use crate::cluster::nodes::Heard;
use crate::config::{Config, Environment};
use crate::controller::{self, Clock, Gates, Handle, Journal, Ports, Timelines};
use crate::http::ShownEnvironment;
use crate::notifier;
use crate::platform::kubernetes::detect;
use crate::proxy::haproxy::edge::EdgeMonitor;
use crate::store::{self, InSqlite, Sqlite, Write};

/// Events that may wait for the controller. At 20,000 requests a second in batches this is far above a second's worth;
/// beyond it requests are dropped and counted, which lowers what is known and nothing else.
const EVENTS: usize = 4_096;
/// Messages that may wait for the notifier.
const MESSAGES: usize = 256;
/// Releases that are at hand for `history`.
const RELEASES: u32 = 500;

/// A running environment.
#[derive(Debug)]
pub struct Running {
    name: String,
    handle: Handle,
    edges: Vec<(String, EdgeMonitor)>,
    messages: notifier::Counters,
    heard: Heard,
    /// In the order in which they are waited for: the controller first, so that what it still had to say is written.
    parts: Vec<JoinHandle<()>>,
    writer: JoinHandle<()>,
    no_more_writes: CancellationToken,
}

impl Running {
    /// What others may see of it.
    pub(super) fn shown(&self) -> ShownEnvironment {
        ShownEnvironment {
            name: self.name.clone(),
            handle: self.handle.clone(),
            edges: self.edges.clone(),
            messages: self.messages.clone(),
            heard: self.heard.clone(),
        }
    }

    /// Waits until everything has ended after its token was cancelled.
    pub(super) async fn ended(self) {
        for part in self.parts {
            // A part that panicked was reported where it happened; the others still have to end.
            let _ = part.await;
        }
        self.no_more_writes.cancel();
        let _ = self.writer.await;
    }
}

/// What all environments of an agent have in common.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Sqlite,
    /// Where the application runs in one.
    pub(super) cluster: Option<&'a Cluster>,
    /// What agents on the nodes tell, by environment.
    pub(super) heard: &'a BTreeMap<String, Heard>,
    pub(super) options: &'a Options,
    pub(super) watch: &'a Watch,
}

/// Starts everything an environment needs. On an error nothing of it is left running once `shutdown` is cancelled.
pub(super) async fn start(
    shared: &Shared<'_>,
    name: &str,
    environment: &Environment,
    shutdown: CancellationToken,
) -> Result<Running, RuntimeError> {
    let Shared { config, store, cluster, heard, options, watch } = *shared;
    let mut settings = config.settings(name)?;
    let suite = wiring::suite(name, &environment.smoke)?;
    let components = wiring::gate_components(environment, suite.as_deref());
    wiring::only_what_can_be_probed(&mut settings, &components);
    let (outbox, messages) = notifier::channel(MESSAGES);
    let counters = outbox.counters().clone();
    let telling = notifier::spawn(wiring::notifier_settings(config)?, messages, counters.clone(), shutdown.clone());
    let mut saved = saved(store, name, &settings, options).await?;
    // Where Teal only looks on, it writes nothing in the cluster either.
    let site = cluster.filter(|_| environment.mode == Mode::Act);
    let site = site.map(|cluster| Site::open(config, environment, cluster, &shutdown)).transpose()?;

    let (events, inbox) = mpsc::channel::<Event>(EVENTS);
    let stored = saved.document.as_ref().map_or(0, |d| d.revision);
    let no_more_writes = CancellationToken::new();
    // An environment that does not come up writes nothing any more either.
    let unless_started = no_more_writes.clone().drop_guard();
    let (writer, writing) = match &site {
        None => {
            let documents = InSqlite::new(store.clone(), name.to_owned(), stored);
            store::spawn(store.clone(), name.to_owned(), documents, events.clone(), no_more_writes.clone())
        }
        Some(site) => {
            let opened = site.document(saved.document.take()).await;
            saved.document = opened.document;
            let documents = opened.resource;
            let (writer, writing) =
                store::spawn(store.clone(), name.to_owned(), documents, events.clone(), no_more_writes.clone());
            match &saved.document {
                None => {
                    let document = first(cluster, environment, &settings).await?;
                    writer.keep(Write::Document { document: Box::new(document.clone()), heard: 0 });
                    saved.document = Some(document);
                }
                Some(document) if opened.is_unpublished => {
                    writer.keep(Write::Document { document: Box::new(document.clone()), heard: 0 });
                }
                Some(_) => {}
            }
            (writer, writing)
        }
    };
    let last_seq = store.last_seq(name).await?;
    let journal = Arc::new(Journal::new(last_seq, store.releases(name, RELEASES).await?, writer.clone()));
    let timelines = Arc::new(Timelines::new(store.timeline(name, None).await?, writer.clone()));

    let (edge_orders, orders) = mpsc::channel(ORDERS);
    let edge = Edge::start(name, environment, cluster, orders, events.clone(), &shutdown)?;
    let heard = heard.get(name).cloned().unwrap_or_default();
    let platform = match Platform::start(config, name, environment, cluster.map(|it| (it, &heard)), &events, &shutdown)
    {
        Ok(platform) => platform,
        Err(error) => {
            // The edge's lock must be free for whoever tries next.
            shutdown.cancel();
            edge.ended().await;
            return Err(error);
        }
    };
    let (platform_orders, platform) = platform.unzip();
    let (gates, told) = (Gates { components: Arc::new(components), suite, journal: journal.clone() }, journal.clone());
    // A machine that shares the environment with others gives orders to its own edge alone.
    let mut edges: Vec<_> = environment.edges().iter().map(|_| None).collect();
    edges[environment.own_edge()] = Some(edge_orders);
    let ports = Ports { edges, platform: platform_orders, gates, writer, notifier: outbox };
    let about = controller::Environment {
        app: config.app.clone(),
        name: name.to_owned(),
        url: environment.url.clone(),
        hands: Some(edge.hands(environment)),
        settings,
        saved,
        journal,
        timelines,
        store: store.clone(),
    };
    let page_shutdown = shutdown.clone();
    let clock = Clock::start();
    let (handle, running) = controller::spawn(about, clock, ports, inbox, events.clone(), shutdown);

    let monitor = edge.monitor().map(|monitor| (environment.edge.name.clone(), monitor));
    let routed = edge.present(environment.components.len());
    let over = |part: &str, task: JoinHandle<()>| {
        watch.over(format!("{name}: {part}"), async {
            // A panic was reported where it happened.
            let _ = task.await;
        })
    };
    let mut parts = vec![over("the controller", running), watch.over(format!("{name}: the edge"), edge.ended())];
    parts.extend(platform.map(|platform| watch.over(format!("{name}: the platform"), platform.join())));
    parts.push(over("the notifier", telling));
    let page = {
        let page = break_glass::Site::new(config, name, environment, options.configuration.as_deref());
        let looks_on = (environment.mode != Mode::Act).then(|| handle.clone());
        let present = move || {
            let observed = looks_on.as_ref().map(|handle| handle.snapshot().view.document.clone());
            Some(break_glass::Present { policy: routed()?, observed })
        };
        break_glass::keep(page, config.state.clone(), present, page_shutdown)
    };
    parts.push(watch.over(format!("{name}: the break-glass page"), page));
    let writer = over("the store's writer", writing);
    unless_started.disarm();
    let mut running = Running {
        name: name.to_owned(),
        handle,
        edges: monitor.into_iter().collect(),
        messages: counters,
        heard,
        parts: Vec::new(),
        writer,
        no_more_writes,
    };
    if let Some(site) = site {
        let about = About {
            app: config.app.clone(),
            name: name.to_owned(),
            handle: running.handle.clone(),
            store: store.clone(),
            clock,
            journal: told,
            shown: running.shown(),
        };
        parts.extend(site.connect(about, environment, &events).into_iter().map(|(part, task)| over(part, task)));
    }
    running.parts = parts;
    Ok(running)
}

/// The document of an environment that nobody has released to by Teal: what serves there.
async fn first(
    cluster: Option<&Cluster>,
    environment: &Environment,
    settings: &Settings,
) -> Result<Document, RuntimeError> {
    let names = settings.components.iter().map(|component| component.name.clone());
    let mut document = Document::new(names, settings.salt.clone(), settings.edges.clone());
    document.revision = 1;
    if let Some(cluster) = cluster {
        let found = detect(&cluster.client, &wiring::kubernetes_settings(environment)).await?;
        for (component, found) in document.components.iter_mut().zip(found) {
            let slot = Slot { colour: found.colour, version: found.version };
            (component.stable, component.candidate) = (slot.clone(), slot);
        }
    }
    Ok(document)
}

/// Where the environment left off.
async fn saved(store: &Sqlite, name: &str, settings: &Settings, options: &Options) -> Result<Saved, RuntimeError> {
    let mut known = store.baselines(name).await?;
    let unix_millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let unix_millis = u64::try_from(unix_millis).unwrap_or(u64::MAX);
    let baseline = |component: &teal_rollout::settings::ComponentSettings| {
        let at = known.iter().position(|(name, _)| *name == component.name);
        match (at, options.seed_baseline) {
            (Some(at), _) => known.swap_remove(at).1,
            (None, Some((requests, bad))) => History::seeded(requests, bad, unix_millis),
            (None, None) => History::default(),
        }
    };
    Ok(Saved {
        baselines: settings.components.iter().map(baseline).collect(),
        document: store.document(name).await?,
        checkpoint: store.checkpoint(name).await?,
    })
}
