//! Keeping a colour as the way back in few Pods, and bringing all of them back.
//!
//! ```text
//!  autoscalers read -> Deployments read -> older order? serves users? -> autoscalers written -> Deployment written
//! ```
//! Two orders never mix: each write holds for the version that was read before the order was compared with the last one, and
//! each order leaves its number on all that it writes.

use std::fmt;
use std::str::FromStr;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use serde_json::json;
use teal_rollout::colour::Colour;
use teal_rollout::retention::Replicas;

use super::capacity::{container, ordered_release, replicas};
use super::image;
use super::settings::{KEPT, RELEASE, REPLICAS, VERSION};
use super::trouble::Trouble;
use super::workload::{State, Workloads, fence};

/// An order to keep a version on a colour in so many Pods.
pub(super) struct Scaling<'a> {
    pub(super) component: usize,
    pub(super) colour: Colour,
    pub(super) version: &'a str,
    pub(super) replicas: Replicas,
    /// What it had when it served, as far as who orders knows.
    pub(super) full: u32,
    pub(super) release: u64,
    pub(super) order: u32,
}

/// What the last order left on a Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    release: u64,
    order: u32,
    replicas: Replicas,
}

impl Kept {
    fn of(deployment: &Deployment) -> Option<Self> {
        deployment.annotations().get(KEPT)?.parse().ok()
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, order, replicas } = self;
        match replicas {
            Replicas::Full => write!(f, "{release}.{order}:full"),
            Replicas::Count(count) => write!(f, "{release}.{order}:{count}"),
        }
    }
}

impl FromStr for Kept {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, replicas) = text.split_once(':').ok_or(())?;
        let (release, order) = at.split_once('.').ok_or(())?;
        let replicas = match replicas {
            "full" => Replicas::Full,
            count => Replicas::Count(count.parse().map_err(drop)?),
        };
        Ok(Self { release: release.parse().map_err(drop)?, order: order.parse().map_err(drop)?, replicas })
    }
}

/// The last order to scale that was carried out for the release that a Deployment is of; 0 before any. One that the
/// Deployment's controller has not seen yet is not: it may still be ending Pods for the order before, and they look ready.
pub(super) fn last_order(deployment: &Deployment) -> u32 {
    let kept = Kept::of(deployment).filter(|kept| kept.release == ordered_release(deployment));
    let seen = deployment.status.as_ref().and_then(|status| status.observed_generation);
    let is_seen = seen >= deployment.metadata.generation;
    kept.map_or(0, |kept| if is_seen { kept.order } else { kept.order.saturating_sub(1) })
}

/// Whether a Deployment was given fewer Pods than it had, as the way back of an earlier release.
pub(super) fn is_reduced_before(deployment: &Deployment, release: u64) -> bool {
    is_reduced(deployment) && Kept::of(deployment).is_some_and(|kept| kept.release < release)
}

/// Whether a Deployment was given fewer Pods than it had.
fn is_reduced(deployment: &Deployment) -> bool {
    Kept::of(deployment).is_some_and(|kept| kept.replicas != Replicas::Full)
}

impl Workloads<'_> {
    /// Gives a colour so many Pods, unless a newer order was carried out or the Service sends users there. The state of its
    /// Deployment from which on that is said.
    pub(super) async fn keep(&self, order: &Scaling<'_>) -> Result<State, Trouble> {
        let component = &self.settings.components[order.component];
        let name = component.deployment(order.colour);
        let scalers = self.scale().of(&name).await?;
        let (there, beside) = self.both(component, order.colour).await?;
        fence(&there, order.release)?;
        let last = Kept::of(&there).filter(|kept| kept.release == order.release);
        if let Some(last) = last.filter(|last| last.order >= order.order) {
            // The same once more is done already, and what was made of it since is left so.
            return if last.order > order.order { Err(Trouble::Newer(last.release)) } else { Ok(State::of(&there)) };
        }
        let runs = container(component, &there).is_some_and(|(_, image)| image::version(&image) == order.version);
        if !runs || replicas(&there) == 0 {
            return Err(Trouble::Never(format!("Deployment {name} does not run {} any more", order.version)));
        }
        let had = there.annotations().get(REPLICAS).and_then(|text| text.parse().ok());
        let had: u32 = had.filter(|_| is_reduced(&there)).unwrap_or_else(|| replicas(&there));
        let kept = Kept { release: order.release, order: order.order, replicas: order.replicas };
        let (stamp, is_full) = (kept.to_string(), order.replicas == Replicas::Full);
        let had = had.max(order.full);
        let full = if is_full { had.max(replicas(&beside)).max(replicas(&there)) } else { had };
        let count = order.replicas.of(full);
        if is_full {
            self.scale().unpin(&scalers, count, &stamp).await?;
        } else {
            self.is_idle(component, order.colour).await?;
            self.scale().pin(&scalers, count, &stamp).await?;
        }
        let release = order.release.to_string();
        let annotations = json!({RELEASE: release, VERSION: order.version, REPLICAS: full.to_string(), KEPT: stamp});
        let fields = json!({"metadata": {"annotations": annotations}, "spec": {"replicas": count}});
        let kept = self.merge(&there, fields).await?;
        if !is_full && let Err(trouble) = self.is_idle(component, order.colour).await {
            // No request looks at two objects: a Service that came here in between gets its Pods back.
            if matches!(trouble, Trouble::Held(_)) {
                let fields = json!({"metadata": {"annotations": {KEPT: null}}, "spec": {"replicas": full}});
                self.scale().unpin(&self.scale().of(&name).await?, full, &stamp).await?;
                self.merge(&kept, fields).await?;
            }
            return Err(trouble);
        }
        Ok(State::of(&kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_order_leaves_is_read_again() {
        let check = |text: &str, kept: Option<(u64, u32, Replicas)>| {
            let expected = kept.map(|(release, order, replicas)| Kept { release, order, replicas });
            assert_eq!(text.parse().ok(), expected, "{text}");
            assert!(expected.is_none_or(|kept| kept.to_string() == text), "{text}");
        };
        check("43.1:1", Some((43, 1, Replicas::Count(1))));
        check("43.2:full", Some((43, 2, Replicas::Full)));
        for wrong in ["", "full", "43:1", "43.1", "43.1:", "43.x:1", ".1:1", "43.1:-1"] {
            check(wrong, None);
        }
    }
}
