//! The Services' selectors, which follow the edge; and what becomes of one that somebody else moved.

use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use teal_rollout::colour::Colour;
use tokio::time::Instant;

use super::settings::{MANAGER, RELEASE};
use super::trouble::Trouble;
use crate::cluster::selected::colour_of;

/// Before a selector that somebody moved is put back for the first time; twice as long each time after that.
const PATIENCE: Duration = Duration::from_secs(30);
/// At most.
const MOST: Duration = Duration::from_secs(600);
/// After so long without a hand the first patience is enough again.
const CALM: Duration = Duration::from_secs(3600);

/// One component's selector.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// What is to be selected, for which release, and not before when.
    wanted: Option<(Colour, u64, Instant)>,
    /// What was selected last by us, once it has been seen, and for which release.
    settled: Option<(Colour, u64)>,
    /// What was written and not seen yet, for which release, and the Service's version with it.
    written: Option<(Colour, u64, Option<String>)>,
    /// How often somebody moved it lately, and when last.
    hands: Option<(u32, Instant)>,
    /// The version of the Service in which a hand was told.
    told: Option<String>,
}

impl Selection {
    /// Takes an order.
    pub(super) fn order(&mut self, colour: Colour, release: u64, now: Instant) {
        let hand =
            self.hands.filter(|_| self.settled.is_some_and(|(settled, _)| settled == colour) && self.told.is_some());
        let due = hand.map_or(now, |(count, at)| at + patience(count));
        self.wanted = Some((colour, release, due));
    }

    /// What is to be written now.
    pub(super) fn due(&self, now: Instant) -> Option<(Colour, u64)> {
        self.wanted.filter(|(.., due)| *due <= now).map(|(colour, release, _)| (colour, release))
    }

    /// When it has to be looked at again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wanted.map(|(.., due)| due)
    }

    /// The order was carried out; `version` is the Service's since then.
    pub(super) fn done(&mut self, version: Option<String>) {
        self.written = self.wanted.take().map(|(colour, release, _)| (colour, release, version));
    }

    /// The order is not to be carried out any more.
    pub(super) fn drop_order(&mut self) {
        self.wanted = None;
    }

    /// Looks at the Service as it is. What it selects against our last word, told once for each change of it.
    pub(super) fn see(&mut self, service: &Service, now: Instant) -> Option<Option<Colour>> {
        let colour = colour_of(service);
        if let Some((written, release, version)) = &self.written {
            if colour != Some(*written) && !is_since(service, version.as_deref()) {
                // Older than what was written.
                return None;
            }
            (self.settled, self.written, self.told) = (Some((*written, *release)), None, None);
        }
        let (settled, release) = self.settled?;
        if release_of(service) > release {
            // Another agent leads now and selects for a release of its own: that is no hand.
            (self.settled, self.hands, self.told) = (None, None, None);
            return None;
        }
        if colour == Some(settled) {
            // Put back by somebody, us included.
            self.told = None;
            if self.wanted.is_some_and(|(wanted, ..)| wanted == settled) {
                self.wanted = None;
            }
            return None;
        }
        let version = service.resource_version();
        if self.told == version {
            return None;
        }
        self.told = version;
        let before = self.hands.filter(|(_, at)| now.duration_since(*at) < CALM).map_or(0, |(count, _)| count);
        self.hands = Some((before + 1, now));
        Some(colour)
    }
}

fn patience(hands: u32) -> Duration {
    PATIENCE.saturating_mul(1 << hands.saturating_sub(1).min(8)).min(MOST)
}

/// Whether the Service was seen at this version of it or a later one. Versions are numbers wherever they can be ordered.
fn is_since(service: &Service, version: Option<&str>) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    let seen = service.metadata.resource_version.as_deref().and_then(number);
    seen.zip(version.and_then(number)).is_some_and(|(seen, written)| seen >= written)
}

/// The release that pointed a Service last; 0 where none did.
fn release_of(service: &Service) -> u64 {
    service.annotations().get(RELEASE).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Points a Service at a colour, unless it is there already or a newer release has pointed it. Its version since then.
pub(super) async fn select(
    api: &Api<Service>,
    name: &str,
    colour: Colour,
    release: u64,
) -> Result<Option<String>, Trouble> {
    let service = api.get(name).await?;
    let written = release_of(&service);
    if written > release {
        return Err(Trouble::Newer(written));
    }
    if colour_of(&service) == Some(colour) && written == release {
        return Ok(service.resource_version());
    }
    let patch = json!({
        "metadata": {
            "resourceVersion": service.resource_version(),
            "annotations": {RELEASE: release.to_string()},
        },
        "spec": {"selector": {"version": colour.to_string()}},
    });
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    Ok(api.patch(name, &params, &Patch::Merge(patch)).await?.resource_version())
}
