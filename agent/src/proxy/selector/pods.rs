//! Whether a Pod is ready to serve where a Service is to point, by what the Deployments say.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use teal_rollout::colour::Colour;

use crate::cluster::client::brief;

/// What the goals of a move have of Pods.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pods {
    /// Each has one.
    Fine,
    /// One has none, and the other colour of its component has.
    Dead(String),
    /// One has none, and neither has the other.
    Nowhere(String),
    /// The API server does not say.
    Unknown(String),
}

/// Of these components: name, Service, and where it is to point.
pub(super) async fn ready(deployments: &Api<Deployment>, asked: &[(&str, &str, Colour)]) -> Pods {
    let (mut dead, mut nowhere) = (Vec::new(), Vec::new());
    for (name, service, goal) in asked {
        let (there, other) = match (of(deployments, service, *goal).await, of(deployments, service, goal.other()).await)
        {
            (Ok(there), Ok(other)) => (there, other),
            (Err(error), _) | (_, Err(error)) => return Pods::Unknown(brief(&error)),
        };
        match (there, other) {
            (0, 1..) => dead.push(format!("{name} has 0 Pods ready on {goal}, and {other} on {}", goal.other())),
            (0, _) => nowhere.push(format!("{name} has no Pod ready on either colour")),
            _ => {}
        }
    }
    match (dead.is_empty(), nowhere.is_empty()) {
        (false, _) => Pods::Dead(dead.join("; ")),
        (true, false) => Pods::Nowhere(nowhere.join("; ")),
        (true, true) => Pods::Fine,
    }
}

/// Ready Pods of a colour; a Deployment that is not there has none.
async fn of(deployments: &Api<Deployment>, service: &str, colour: Colour) -> Result<i32, kube::Error> {
    let found = deployments.get_opt(&format!("{service}-{colour}")).await?;
    Ok(found.and_then(|deployment| deployment.status?.ready_replicas).unwrap_or(0))
}
