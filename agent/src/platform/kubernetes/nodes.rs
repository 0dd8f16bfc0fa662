//! Whether nodes have room for Pods, by what is asked for: affinity, spread and ports are not weighed.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec, Taint, Toleration};
use kube::ResourceExt as _;

use super::demand::{Amounts, add, read};
use super::fits::{Need, taken};
use super::quantity::shown;

/// The Pods that find no node, in a line for each Deployment.
pub(super) fn without_room(nodes: &[Node], pods: &[Pod], needs: &[Need]) -> Vec<String> {
    let on = |node: &Node| {
        let name = node.name_any();
        taken(pods.iter().filter(move |pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == Some(&name)))
    };
    let mut free: Vec<(&Node, Amounts)> =
        nodes.iter().filter(|node| is_ready(node)).map(|node| (node, minus(allocatable(node), &on(node)))).collect();
    // The larger ones first, which find room less easily.
    let mut needs: Vec<&Need> = needs.iter().collect();
    needs.sort_by_key(|need| std::cmp::Reverse(need.each.requests.get("cpu").copied().unwrap_or(0)));
    let mut missing = Vec::new();
    for need in needs {
        let mut one = need.each.requests.clone();
        add(&mut one, &Amounts::from([("pods".to_owned(), 1000)]));
        let place = |free: &mut Vec<(&Node, Amounts)>| {
            let fits =
                |amounts: &Amounts| one.iter().all(|(key, n)| *n == 0 || amounts.get(key).is_some_and(|m| m >= n));
            let found = free.iter_mut().find(|(node, amounts)| takes(node, &need.template) && fits(amounts));
            found.map(|(_, amounts)| *amounts = minus(std::mem::take(amounts), &one)).is_some()
        };
        let placed = (0..need.pods).take_while(|_| place(&mut free)).count();
        let left = need.pods - i128::try_from(placed).unwrap_or(need.pods);
        if left > 0 {
            let each = need.each.requests.iter().map(|(key, amount)| format!("{key} {}", shown(key, *amount)));
            let (each, name) = (each.collect::<Vec<_>>().join(", "), &need.deployment);
            missing.push(format!("nodes: no room for {left} of {} Pods of {name} ({each} each)", need.pods));
        }
    }
    missing
}

fn allocatable(node: &Node) -> Amounts {
    read(node.status.as_ref().and_then(|status| status.allocatable.as_ref()))
}

fn minus(mut from: Amounts, less: &Amounts) -> Amounts {
    for (key, amount) in &mut from {
        *amount -= less.get(key).copied().unwrap_or(0);
    }
    from
}

fn is_ready(node: &Node) -> bool {
    let cordoned = node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
    let mut conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    !cordoned && conditions.all(|it| it.type_ != "Ready" || it.status == "True")
}

/// By taints and by the labels that the Pod asks for.
fn takes(node: &Node, spec: &PodSpec) -> bool {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let tolerations: Vec<&Toleration> = spec.tolerations.iter().flatten().collect();
    let none = BTreeMap::new();
    let mut labels = spec.node_selector.as_ref().unwrap_or(&none).iter();
    taints.filter(|taint| taint.effect != "PreferNoSchedule").all(|taint| tolerations.iter().any(|it| bears(it, taint)))
        && labels.all(|(key, value)| node.labels().get(key) == Some(value))
}

fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let is = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted.is_empty() || wanted == found)
    };
    let value = toleration.operator.as_deref() == Some("Exists")
        || toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
    is(&toleration.key, &taint.key) && is(&toleration.effect, &taint.effect) && value
}
