//! What the Services and Deployments of an environment say, read as an edge's state.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::machine::event::Backend;
use teal_rollout::policy::{Epoch, Policy, Route, Salt};

use crate::cluster::selected::colour_of;
use crate::cluster::watch::View;

/// The annotation with the whole policy, alike on every Service of the environment.
pub(super) const POLICY: &str = "teal.trancloud.work/policy";

/// What the Services route by, and what is behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// None while they disagree, select neither colour, or the API server is away.
    pub(super) policy: Option<Policy>,
    /// A selector is not what the policy beside it says.
    pub(super) by_hand: bool,
    /// Pods that are ready, by component and colour.
    pub(super) backends: Vec<Backend>,
}

impl Seen {
    /// None before both were listed once: nothing is known then, which is not the same as nothing being there.
    pub(super) fn of(names: &[String], services: &View<Service>, deployments: &View<Deployment>) -> Option<Self> {
        if !services.is_complete() || !deployments.is_complete() {
            return None;
        }
        let here: Option<Vec<&Service>> = names.iter().map(|name| services.named(name).map(AsRef::as_ref)).collect();
        let known = here.filter(|_| services.is_current());
        let (policy, by_hand) = known.and_then(|services| policy(&services)).unzip();
        let backends = names.iter().enumerate().flat_map(|(component, name)| {
            Colour::BOTH.map(|colour| {
                let deployment = deployments.named(&format!("{name}-{colour}"));
                let ready = deployment.and_then(|d| d.status.as_ref()?.ready_replicas).unwrap_or(0);
                Backend { component, colour, up: u32::try_from(ready).unwrap_or(0), in_flight: 0 }
            })
        });
        Some(Self { policy, by_hand: by_hand.unwrap_or(false), backends: backends.collect() })
    }
}

/// The policy that all of them carry, with the routes that the selectors really make of it, and whether those differ. Where
/// nobody has written one yet the selectors alone are one, of no release.
fn policy(services: &[&Service]) -> Option<(Policy, bool)> {
    let text = |service: &&Service| service.metadata.annotations.as_ref()?.get(POLICY).cloned();
    let colours: Vec<Colour> = services.iter().map(|service| colour_of(service)).collect::<Option<_>>()?;
    let first = services.first().and_then(text);
    if services.iter().any(|service| text(service) != first) {
        return None;
    }
    let Some(first) = first else {
        let routes = colours.into_iter().map(Route::settled).collect();
        return Some((Policy { epoch: Epoch::default(), routes, salt: Salt::default(), dead_man: 0 }, false));
    };
    let mut policy: Policy = first.parse().ok()?;
    if policy.routes.len() != services.len() {
        return None;
    }
    let mut by_hand = false;
    for (route, colour) in policy.routes.iter_mut().zip(colours) {
        if serving(route) != colour {
            by_hand = true;
            *route = moved(route, colour);
        }
    }
    Some((policy, by_hand))
}

/// The colour that a route means where everybody goes to one.
pub(super) fn serving(route: &Route) -> Colour {
    if route.share >= Share::percent(50) { route.candidate } else { route.stable }
}

/// The route with everybody on `colour`.
fn moved(route: &Route, colour: Colour) -> Route {
    if route.stable == colour {
        Route { share: Share::NONE, ..*route }
    } else if route.candidate == colour {
        Route { share: Share::ALL, ..*route }
    } else {
        Route::settled(colour)
    }
}
