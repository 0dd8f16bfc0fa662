//! What the Services and Deployments of an environment say, read as an edge's state.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::machine::event::Backend;
use teal_rollout::policy::{Epoch, Policy, Route, Salt};

use super::super::hand::Hand;
use crate::cluster::selected::colour_of;
use crate::cluster::watch::View;

/// The annotation with the whole policy, alike on every Service of the environment.
pub(super) const POLICY: &str = "teal.trancloud.work/policy";

/// The annotation with who forced it there, in JSON.
pub(super) const HAND: &str = "teal.trancloud.work/hand";

/// What the Services route by, and what is behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// None while they disagree, select neither colour, or the API server is away.
    pub(super) policy: Option<Policy>,
    /// The greatest policy that is written on one of them: a move that broke off is known by it.
    pub(super) greatest: Option<Policy>,
    /// A selector is not what the policy beside it says, or that policy was written by `edge force`.
    pub(super) by_hand: bool,
    /// Who wrote the greatest policy, where that was `edge force`.
    pub(super) hand: Option<Hand>,
    /// Pods that are ready, by component and colour.
    pub(super) backends: Vec<Backend>,
}

impl Seen {
    /// None before both were listed once and the Services watched: nothing is known then, which is not the same as nothing being
    /// there, and an agent that starts waits for it.
    pub(super) fn of(names: &[String], services: &View<Service>, deployments: &View<Deployment>) -> Option<Self> {
        if !services.was_current() || !deployments.is_complete() {
            return None;
        }
        let here: Option<Vec<&Service>> = names.iter().map(|name| services.named(name).map(AsRef::as_ref)).collect();
        let known = here.filter(|_| services.is_current());
        let greatest = known.as_ref().and_then(|services| greatest(services));
        let hand = known.as_ref().zip(greatest.as_ref()).and_then(|(services, greatest)| {
            services.iter().filter_map(|service| noted(service)).find(|hand| hand.wrote(greatest))
        });
        let (policy, moved) = known.and_then(|services| policy(&services)).unzip();
        let backends = names.iter().enumerate().flat_map(|(component, name)| {
            Colour::BOTH.map(|colour| {
                let deployment = deployments.named(&format!("{name}-{colour}"));
                let ready = deployment.and_then(|d| d.status.as_ref()?.ready_replicas).unwrap_or(0);
                Backend { component, colour, up: u32::try_from(ready).unwrap_or(0), in_flight: 0 }
            })
        });
        let by_hand = moved.unwrap_or(false) || hand.is_some();
        Some(Self { greatest: policy.clone().or(greatest), policy, by_hand, hand, backends: backends.collect() })
    }
}

/// Who forced the Service; none where nobody did, or it cannot be read.
fn noted(service: &Service) -> Option<Hand> {
    serde_json::from_str(service.metadata.annotations.as_ref()?.get(HAND)?).ok()
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
    if first.is_none() {
        return Some((settled(colours), false));
    }
    let written = written(services.first()?, services.len())?;
    let policy = as_selected(written.clone(), services);
    let by_hand = policy != written;
    Some((policy, by_hand))
}

/// The policy that all of them route by; none where they disagree.
pub(super) fn agreed(services: &[&Service]) -> Option<Policy> {
    policy(services).map(|(policy, _)| policy)
}

/// What a move by hand starts from, as far as it can be told: the greatest policy on the Services with the routes that their
/// selectors make of it. None where neither says anything.
pub(super) fn standing(services: &[&Service]) -> Option<Policy> {
    let unwritten = || Some(settled(services.iter().map(|service| colour_of(service)).collect::<Option<Vec<_>>>()?));
    greatest(services).map(|policy| as_selected(policy, services)).or_else(unwritten)
}

/// A policy that somebody wrote on a Service, for so many components.
pub(super) fn written(service: &Service, components: usize) -> Option<Policy> {
    let policy: Policy = service.metadata.annotations.as_ref()?.get(POLICY)?.parse().ok()?;
    (policy.routes.len() == components).then_some(policy)
}

fn greatest(services: &[&Service]) -> Option<Policy> {
    services.iter().filter_map(|service| written(service, services.len())).max_by_key(|policy| policy.epoch)
}

/// Of no release.
fn settled(colours: Vec<Colour>) -> Policy {
    let routes = colours.into_iter().map(Route::settled).collect();
    Policy { epoch: Epoch::default(), routes, salt: Salt::default(), dead_man: 0 }
}

fn as_selected(mut policy: Policy, services: &[&Service]) -> Policy {
    for (route, service) in policy.routes.iter_mut().zip(services) {
        if let Some(colour) = colour_of(service).filter(|colour| serving(route) != *colour) {
            *route = moved(route, colour);
        }
    }
    policy
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
