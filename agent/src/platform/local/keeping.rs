//! Fewer instances of a colour that is kept as the way back, and all of them again.

use teal_rollout::retention::Replicas;
use tokio::task::JoinSet;

use super::colour::ColourTask;
use super::files::InstanceDir;
use super::shims;
use crate::platform::PlatformOrder;

impl ColourTask {
    /// Obeys an order to scale that is newer than the last one.
    pub(super) async fn scale(&mut self, (version, replicas): (String, Replicas), release: u64, order: u32) {
        if !self.runs(&version) {
            // It was stopped past the agent: what is to be full is started, and one that is kept in few is not needed now.
            if replicas == Replicas::Full {
                let (component, colour) = (self.component, self.colour);
                Box::pin(self.obey(PlatformOrder::Start { component, colour, version, release })).await;
                self.scaled = order;
            }
            return;
        }
        if (self.release, self.scaled) >= (release, order) {
            return;
        }
        if self.resize(replicas).await {
            (self.release, self.scaled) = (release, order);
        }
    }

    pub(super) fn is_of(&mut self, release: u64) {
        if release > self.release {
            self.scaled = 0;
        }
        self.release = release;
    }

    /// Whether it runs there, by Teal's hand or, as far as that can be seen, by somebody else's.
    fn runs(&self, version: &str) -> bool {
        let found = self.finders.serving().is_some_and(|(found, _)| found == version);
        self.desired.as_ref().map_or(found, |desired| desired.version == version)
    }

    /// Runs the first so many of its instances; whether it does. The others are written off before they end, as at a stop.
    pub(super) async fn resize(&mut self, replicas: Replicas) -> bool {
        let Some(mut desired) = self.desired.clone() else { return true };
        let full = desired.instances.len();
        let count = u32::try_from(full).map_or(full, |full| usize::try_from(replicas.of(full)).unwrap_or(1));
        let before = desired.running().len();
        if count == before {
            return true;
        }
        desired.kept = (count < full).then_some(count);
        if let Err(error) = self.dir.set_desired(Some(&desired)) {
            // More instances than are needed are better than some that come back by themselves.
            tracing::error!(colour = self.label(), %error, "it is not scaled");
            return false;
        }
        tracing::info!(colour = self.label(), version = desired.version, before, count, "scaling");
        self.keepers.let_go().await;
        let healths = std::mem::take(&mut self.healths);
        self.keep(desired);
        // What goes on running is as it was: it may be serving.
        for (known, health) in self.healths.iter_mut().zip(healths) {
            *known = health;
        }
        self.end_surplus().await;
        true
    }

    /// Ends those of its instances that are not to run, all at once.
    pub(super) async fn end_surplus(&self) {
        let Some(desired) = &self.desired else { return };
        let surplus = desired.instances.iter().skip(desired.running().len());
        self.end(surplus.map(|spec| self.dir.instance(spec.slot)).collect()).await;
    }

    /// All at once: each has its own grace.
    pub(super) async fn end(&self, instances: Vec<InstanceDir>) {
        let mut ends = JoinSet::new();
        for instance in instances {
            ends.spawn(async move { shims::stop(&instance, None).await });
        }
        while let Some(end) = ends.join_next().await {
            match end {
                Ok(Err(error)) => tracing::error!(colour = self.label(), %error, "an instance does not end"),
                Ok(Ok(shims::Ended::Killed)) => tracing::warn!(colour = self.label(), "an instance had to be killed"),
                _ => {}
            }
        }
    }
}
