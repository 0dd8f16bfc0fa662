//! Fewer instances of a colour that is kept as the way back, and all of them again.

use teal_rollout::retention::Replicas;

use super::colour::ColourTask;
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
        (self.release, self.scaled) = (release, order);
        self.resize(replicas).await;
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

    /// Runs the first so many of its instances. The others are written off before they end, as at a stop.
    pub(super) async fn resize(&mut self, replicas: Replicas) {
        let Some(mut desired) = self.desired.clone() else { return };
        let full = desired.instances.len();
        let count = u32::try_from(full).map_or(full, |full| usize::try_from(replicas.of(full)).unwrap_or(1));
        let before = desired.running().len();
        if count == before {
            return;
        }
        desired.kept = (count < full).then_some(count);
        if let Err(error) = self.dir.set_desired(Some(&desired)) {
            // More instances than are needed are better than some that come back by themselves.
            return tracing::error!(colour = self.label(), %error, "it is not scaled");
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
    }

    /// Ends those of its instances that are not to run.
    pub(super) async fn end_surplus(&self) {
        let Some(desired) = &self.desired else { return };
        for slot in desired.instances.iter().skip(desired.running().len()).map(|spec| spec.slot) {
            if let Err(error) = shims::stop(&self.dir.instance(slot), None).await {
                tracing::error!(colour = self.label(), slot, %error, "an instance does not end");
            }
        }
    }
}
