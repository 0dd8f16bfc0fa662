//! One colour of one component: what is to run there, kept running, and its capacity told at every change.

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Capacity, Event};
use teal_rollout::retention::Replicas;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::files::ColourDir;
use super::found::Finders;
use super::instance::Health;
use super::keepers::Keepers;
use super::settings::{LocalComponent, LocalSettings};
use super::spec::Desired;
use super::starting;
use crate::platform::PlatformOrder;

/// How long the first word on adopted instances may wait until each has been asked whether it is ready: as long as a
/// shim that hangs and an application that hangs take together, for "nothing ready" must not be said lightly.
const FIRST_WORD: Duration = Duration::from_millis(3500);

/// The task of one colour.
pub(super) struct ColourTask {
    settings: Arc<LocalSettings>,
    pub(super) component: usize,
    pub(super) colour: Colour,
    /// Whether it may start and stop anything; else it only looks.
    acts: bool,
    pub(super) dir: ColourDir,
    events: mpsc::Sender<Event>,
    pub(super) desired: Option<Desired>,
    /// The last release that ordered it, 0 where this agent has had no order yet.
    pub(super) release: u64,
    /// The last order to scale it in that release.
    pub(super) scaled: u32,
    /// One for each desired instance; `None` until it has reported.
    pub(super) healths: Vec<Option<Health>>,
    pub(super) keepers: Keepers,
    /// What others started there, looked for while nothing of Teal's own is to run.
    pub(super) finders: Finders,
    /// A version that was ordered and is not even tried.
    refused: Option<(String, String)>,
    last: Option<Capacity>,
}

impl ColourTask {
    pub(super) fn new(
        settings: Arc<LocalSettings>,
        (component, colour): (usize, Colour),
        acts: bool,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let name = &settings.components[component].name;
        let dir = ColourDir::new(&settings.state_dir, &settings.environment, name, colour);
        Self {
            settings,
            component,
            colour,
            acts,
            dir,
            events,
            desired: None,
            release: 0,
            scaled: 0,
            healths: Vec::new(),
            keepers: Keepers::none(),
            finders: Finders::none(),
            refused: None,
            last: None,
        }
    }

    fn config(&self) -> &LocalComponent {
        &self.settings.components[self.component]
    }

    pub(super) fn label(&self) -> String {
        format!("{}-{}", self.config().name, self.colour)
    }

    /// Adopts what runs, then obeys until the orders end.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<PlatformOrder>) {
        if self.acts {
            self.adopt().await;
        } else {
            self.look();
        }
        let first_word = tokio::time::sleep_until(Instant::now() + FIRST_WORD);
        tokio::pin!(first_word);
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { return };
                    self.obey(order).await;
                    // An order for what is still being adopted is answered by the first word.
                    let is_looked_at = self.desired.is_none() && self.finders.all_looked();
                    if self.last.is_some() || self.acts && is_looked_at {
                        self.tell(true).await;
                    }
                }
                Some((index, health)) = self.keepers.reports.recv() => {
                    if let Some(known) = self.healths.get_mut(index) {
                        *known = Some(health);
                    }
                    self.notice_outside_stop().await;
                    if self.last.is_some() || self.healths.iter().all(Option::is_some) {
                        self.tell(false).await;
                    }
                }
                Some(report) = self.finders.reports.recv() => {
                    self.finders.note(report);
                    // Who only looks says nothing of a colour on which it never found anything: that is not the same as zero.
                    if self.finders.all_looked() && (self.acts || self.last.is_some() || self.finders.serving().is_some()) {
                        self.tell(false).await;
                    }
                }
                () = &mut first_word, if self.last.is_none() && self.acts => self.tell(true).await,
            }
        }
    }

    /// What was to run before this agent runs on, or again; what was not is ended.
    async fn adopt(&mut self) {
        match self.dir.desired() {
            Ok(Some(desired)) => {
                let (running, configured) =
                    (desired.instances.iter().map(|i| i.port), self.config().ports_of(self.colour));
                if !running.eq(configured) {
                    tracing::warn!(
                        colour = self.label(),
                        version = desired.version,
                        "its ports or replicas are not what the configuration says now; they change with its next release"
                    );
                }
                self.keep(desired);
                self.end_surplus().await;
            }
            Ok(None) => {
                self.end_instances().await;
                self.look();
            }
            // Unreadable is not "nothing": leave everything as it is until there is an order.
            Err(error) => {
                self.refused = Some((String::new(), error.to_string()));
                self.tell(true).await;
            }
        }
    }

    fn look(&mut self) {
        self.finders = Finders::of(&self.settings.environment, self.config(), self.colour);
    }

    pub(super) fn keep(&mut self, desired: Desired) {
        self.finders = Finders::none();
        self.healths = vec![None; desired.running().len()];
        self.keepers = Keepers::of(&self.settings.teal_binary, &self.dir, &desired);
        self.desired = Some(desired);
    }

    pub(super) async fn obey(&mut self, order: PlatformOrder) {
        match order {
            PlatformOrder::Stop { .. } => self.stop().await,
            // Nothing but the edges routes to processes of this machine.
            PlatformOrder::Select { .. } => {}
            PlatformOrder::Start { .. } | PlatformOrder::Scale { .. } if !self.acts => {}
            PlatformOrder::Scale { version, replicas, release, order, .. } => {
                self.scale((version, replicas), release, order).await;
            }
            PlatformOrder::Start { version, release, .. }
                if self.desired.as_ref().is_some_and(|d| d.version == version) =>
            {
                // What an earlier release kept in few as its way back is no full colour.
                if release > self.release {
                    self.resize(Replicas::Full).await;
                }
                self.is_of(release);
            }
            PlatformOrder::Start { version, release, .. } if self.runs_already(&version).await => self.is_of(release),
            PlatformOrder::Start { version, release, .. } => {
                // What ends here was another release's, and is told as such.
                self.stop().await;
                self.is_of(release);
                match starting::write_down(&self.settings, self.config(), self.colour, &self.dir, (&version, release)) {
                    Ok(desired) => {
                        tracing::info!(colour = self.label(), version, release, "starting");
                        self.keep(desired);
                    }
                    Err(reason) => {
                        tracing::warn!(colour = self.label(), version, release, reason, "cannot be started");
                        self.refused = Some((version, reason));
                    }
                }
            }
        }
    }

    /// First it is not wanted, then it is ended: an agent that dies in between leaves nothing that comes back.
    async fn stop(&mut self) {
        self.refused = None;
        let ran = self.desired.take();
        let ran_here = ran.is_some();
        self.healths.clear();
        self.tell(false).await;
        if let Err(error) = self.dir.set_desired(None) {
            tracing::error!(colour = self.label(), %error, "it may come back with the next agent");
        }
        self.keepers.let_go().await;
        self.keepers = Keepers::none();
        if let Some(ran) = ran {
            tracing::info!(colour = self.label(), version = ran.version, "stopping");
        }
        self.end_instances().await;
        if ran_here {
            self.look();
        }
    }

    /// Whether somebody else started that version there, and it serves.
    async fn runs_already(&mut self, version: &str) -> bool {
        if self.desired.is_some() {
            return false;
        }
        self.finders.look_once().await;
        self.finders.serving().is_some_and(|(found, _)| found == version)
    }

    async fn end_instances(&self) {
        let instances = match self.dir.instances() {
            Ok(instances) => instances,
            Err(error) => return tracing::error!(colour = self.label(), %error, "cannot look for what runs"),
        };
        self.end(instances).await;
    }

    /// `teal stop --all` goes past the agent: it takes away what is wanted and ends the shims. Do not start them again.
    async fn notice_outside_stop(&mut self) {
        let some_down = self.healths.iter().flatten().any(|health| !health.ready);
        if some_down && self.desired.is_some() && matches!(self.dir.desired(), Ok(None)) {
            tracing::warn!(colour = self.label(), "stopped from outside the agent");
            self.stop().await;
        }
    }

    fn capacity(&self) -> Capacity {
        if let Some((version, count)) = self.finders.serving() {
            let (release, version) = (self.release, Some(version.to_owned()));
            let (component, colour, crash_looping, failure) = (self.component, self.colour, 0, None);
            let (scaled, ready, wanted) = (self.scaled, count, count);
            return Capacity { component, colour, release, scaled, version, ready, wanted, crash_looping, failure };
        }
        let count = |what: fn(&Health) -> bool| self.healths.iter().flatten().filter(|health| what(health)).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let several = self.healths.len() > 1;
        let failed = self.healths.iter().zip(1..).find_map(|(health, slot)| {
            let reason = health.as_ref()?.failure.as_ref()?;
            Some(if several { format!("s{slot}: {reason}") } else { reason.clone() })
        });
        let refused = self.refused.clone();
        let (refused_version, refused_reason) = refused.unzip();
        Capacity {
            component: self.component,
            colour: self.colour,
            release: self.release,
            scaled: self.scaled,
            version: self.desired.as_ref().map(|d| d.version.clone()).or(refused_version).filter(|v| !v.is_empty()),
            ready: number(count(|health| health.ready)),
            wanted: number(self.healths.len()),
            crash_looping: number(count(|health| health.crash_looping)),
            failure: failed.or(refused_reason),
        }
    }

    /// Tells the capacity if it has changed, or anyway.
    async fn tell(&mut self, anyway: bool) {
        let capacity = self.capacity();
        if anyway || self.last.as_ref() != Some(&capacity) {
            self.last = Some(capacity.clone());
            let _controller_has_gone = self.events.send(Event::Capacity(capacity)).await;
        }
    }
}
