//! The controllers that the test steers: what a rollout looks like from outside, when it comes and when it does not.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::{ContainerStateWaiting, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams};
use serde_json::json;
use teal_testkit::kubernetes::{Failure, Fate, Fault, World};

use crate::cluster::{Cluster, deployment};

/// `Progressing`'s status and reason.
fn progress(status: &DeploymentStatus) -> (String, String) {
    let all = status.conditions.iter().flatten();
    let found = all.into_iter().find(|it| it.type_ == "Progressing").unwrap();
    (found.status.clone(), found.reason.clone().unwrap_or_default())
}

async fn status(cluster: &Cluster) -> DeploymentStatus {
    cluster.api::<Deployment>().get("api").await.unwrap().status.unwrap()
}

async fn pods(cluster: &Cluster) -> Vec<Pod> {
    cluster.api::<Pod>().list(&ListParams::default()).await.unwrap().items
}

async fn set_image(cluster: &Cluster, image: &str) {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "api", "image": image}]}}}});
    cluster.api::<Deployment>().patch("api", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

fn waiting(pod: &Pod) -> ContainerStateWaiting {
    let statuses = pod.status.clone().unwrap().container_statuses.unwrap();
    statuses[0].state.clone().unwrap().waiting.unwrap()
}

/// A Deployment of three Pods that has come.
macro_rules! settled {
    ($cluster:ident, $world:ident) => {
        let $cluster = Cluster::fake().await;
        let server = $cluster.fake.clone().unwrap();
        let mut $world = World::of(&server, &$cluster.namespace);
        let _: Deployment = $cluster.create(deployment("api", 3)).await;
        $world.settle().await;
    };
}

#[tokio::test]
async fn a_rollout_comes_step_by_step_and_rests() {
    settled!(cluster, world);
    let first = status(&cluster).await;
    assert_eq!((first.observed_generation, first.ready_replicas, first.updated_replicas), (Some(1), Some(3), Some(3)));
    assert_eq!(progress(&first), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
    assert!(!world.step().await, "a cluster at rest writes nothing");
    set_image(&cluster, "api:2").await;
    // Before the controller has seen the change, the status speaks of the one before.
    let unseen = cluster.api::<Deployment>().get("api").await.unwrap();
    assert_eq!((unseen.metadata.generation, unseen.status.unwrap().observed_generation), (Some(2), Some(1)));
    let mut fewest = i32::MAX;
    while world.step().await {
        fewest = fewest.min(status(&cluster).await.ready_replicas.unwrap_or_default());
    }
    assert!(fewest >= 3, "25 % of 3 is none that may miss, but only {fewest} were ready");
    let last = status(&cluster).await;
    assert_eq!((last.observed_generation, last.updated_replicas, last.replicas), (Some(2), Some(3), Some(3)));
    let images: Vec<_> =
        pods(&cluster).await.iter().map(|pod| pod.spec.clone().unwrap().containers[0].image.clone()).collect();
    assert_eq!(images, vec![Some("api:2".to_owned()); 3]);
    let sets = cluster.api::<ReplicaSet>().list(&ListParams::default()).await.unwrap().items;
    assert_eq!(sets.len(), 2);
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_leaves_the_old_pods() {
    settled!(cluster, world);
    set_image(&cluster, "api:gone").await;
    world.fate("api", Fate::ImagePull);
    world.settle().await;
    let pulling = pods(&cluster).await;
    let pulling: Vec<&Pod> = pulling
        .iter()
        .filter(|pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref() == Some("api:gone"))
        .collect();
    assert!(!pulling.is_empty());
    assert_eq!(waiting(pulling[0]).reason.as_deref(), Some("ImagePullBackOff"));
    let now = status(&cluster).await;
    assert_eq!(progress(&now).1, "ReplicaSetUpdated");
    assert_eq!((now.ready_replicas, now.updated_replicas, now.unavailable_replicas), (Some(3), Some(1), Some(1)));
    world.deadline_passes("api").settle().await;
    assert_eq!(progress(&status(&cluster).await), ("False".to_owned(), "ProgressDeadlineExceeded".to_owned()));
    world.step().await;
    assert_eq!(progress(&status(&cluster).await).1, "ProgressDeadlineExceeded", "it stays so until something changes");
    // Back to the image before: its ReplicaSet is the newest again.
    set_image(&cluster, "api:1").await;
    world.fate("api", Fate::Ready).settle().await;
    assert_eq!(progress(&status(&cluster).await), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
    assert_eq!(pods(&cluster).await.len(), 3);
}

#[tokio::test]
async fn a_crash_loop_leaves_its_last_words() {
    settled!(cluster, world);
    let log = "starting\npanic: no database\n".to_owned();
    world.fate("api", Fate::CrashLoop { restarts: 7, log }).settle().await;
    let pod = &pods(&cluster).await[0];
    let state = &pod.status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0];
    assert_eq!((state.restart_count, state.ready), (7, false));
    assert_eq!(waiting(pod).reason.as_deref(), Some("CrashLoopBackOff"));
    assert_eq!(state.last_state.as_ref().unwrap().terminated.as_ref().unwrap().exit_code, 1);
    let previous = LogParams { previous: true, tail_lines: Some(1), ..LogParams::default() };
    let words = cluster.api::<Pod>().logs(&pod.name_any(), &previous).await.unwrap();
    assert_eq!(words, "panic: no database\n");
    let now = status(&cluster).await;
    assert_eq!(now.ready_replicas.unwrap_or_default(), 0);
    assert!(now.conditions.unwrap().iter().any(|it| it.type_ == "Available" && it.status == "False"));
}

#[tokio::test]
async fn pods_that_no_node_takes_or_no_quota_allows_say_so() {
    let cluster = Cluster::fake().await;
    let server = cluster.fake.clone().unwrap();
    let mut world = World::of(&server, &cluster.namespace);
    let _: Deployment = cluster.create(deployment("api", 2)).await;
    world.fate("api", Fate::Quota("compute, requested: pods=1, used: pods=10, limited: pods=10".to_owned()));
    world.settle().await;
    assert!(pods(&cluster).await.is_empty());
    let now = status(&cluster).await;
    let failure = now.conditions.unwrap().into_iter().find(|it| it.type_ == "ReplicaFailure").unwrap();
    assert_eq!(failure.reason.as_deref(), Some("FailedCreate"));
    assert!(failure.message.unwrap().contains("exceeded quota: compute"));
    world.fate("api", Fate::Unschedulable("0/2 nodes are available: 2 Insufficient memory.".to_owned())).settle().await;
    let pod = &pods(&cluster).await[0];
    let conditions = pod.status.clone().unwrap().conditions.unwrap();
    let scheduled = conditions.iter().find(|it| it.type_ == "PodScheduled").unwrap();
    assert_eq!((scheduled.status.as_str(), scheduled.reason.as_deref()), ("False", Some("Unschedulable")));
    assert_eq!(pod.spec.as_ref().unwrap().node_name, None);
    world.fate("api", Fate::Starting).settle().await;
    assert_eq!(waiting(&pods(&cluster).await[0]).reason.as_deref(), Some("ContainerCreating"));
    world.fate("api", Fate::Ready).settle().await;
    assert_eq!(status(&cluster).await.ready_replicas, Some(2));
    assert!(status(&cluster).await.conditions.unwrap().iter().all(|it| it.type_ != "ReplicaFailure"));
}

#[tokio::test]
async fn a_service_follows_its_selector_and_readiness() {
    settled!(cluster, world);
    let spec = json!({"selector": {"app": "api"}, "ports": [{"port": 80}]});
    let _: Service = cluster.create(json!({"metadata": {"name": "s"}, "spec": spec})).await;
    let ready = async || {
        let slice = cluster.api::<EndpointSlice>().get("s-world").await.unwrap();
        let endpoints = slice.endpoints.into_iter();
        endpoints.filter(|it| it.conditions.as_ref().is_some_and(|it| it.ready == Some(true))).count()
    };
    world.settle().await;
    assert_eq!(ready().await, 3);
    world.fate("api", Fate::ProbeFails("HTTP probe failed with statuscode: 503".to_owned())).settle().await;
    assert_eq!(ready().await, 0);
    world.fate("api", Fate::Ready).settle().await;
    let nothing = Patch::Merge(json!({"spec": {"selector": {"app": "other"}}}));
    cluster.api::<Service>().patch("s", &PatchParams::default(), &nothing).await.unwrap();
    world.settle().await;
    assert_eq!(ready().await, 0);
}

#[tokio::test]
async fn a_drain_asks_the_budget_and_pods_come_back_elsewhere() {
    settled!(cluster, world);
    let spec = json!({"maxUnavailable": 1, "selector": {"matchLabels": {"app": "api"}}});
    let _: PodDisruptionBudget = cluster.create(json!({"metadata": {"name": "b"}, "spec": spec})).await;
    let expressions = json!([{"key": "app", "operator": "NotIn", "values": ["api"]}]);
    let spec = json!({"minAvailable": 1, "selector": {"matchExpressions": expressions}});
    let _: PodDisruptionBudget = cluster.create(json!({"metadata": {"name": "of-others"}, "spec": spec})).await;
    world.settle().await;
    let budgets = cluster.api::<PodDisruptionBudget>();
    assert_eq!(budgets.get("of-others").await.unwrap().status.unwrap().expected_pods, 0);
    assert_eq!(budgets.get("b").await.unwrap().status.unwrap().disruptions_allowed, 1);
    let left = world.drain("node-1").await;
    assert_eq!(left.len(), 1, "two are there, the budget lets one go: {left:?}");
    world.settle().await;
    let on_node: Vec<_> = pods(&cluster).await.iter().map(|pod| pod.spec.clone().unwrap().node_name.unwrap()).collect();
    assert_eq!(on_node.len(), 3);
    assert_eq!(on_node.iter().filter(|node| *node == "node-1").count(), left.len());
    assert_eq!(status(&cluster).await.ready_replicas, Some(3));
}

#[tokio::test]
async fn what_is_scaled_down_or_deleted_goes() {
    settled!(cluster, world);
    let api = cluster.api::<Deployment>();
    let scale = Patch::Merge(json!({"spec": {"replicas": 1}}));
    api.patch_scale("api", &PatchParams::default(), &scale).await.unwrap();
    world.settle().await;
    assert_eq!((pods(&cluster).await.len(), status(&cluster).await.replicas), (1, Some(1)));
    api.delete("api", &DeleteParams::default()).await.unwrap();
    world.settle().await;
    assert!(pods(&cluster).await.is_empty());
    assert!(cluster.api::<ReplicaSet>().list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
#[should_panic(expected = "cannot evict Pod api-")]
async fn a_drain_that_fails_is_not_one_that_is_held_up() {
    settled!(cluster, world);
    let fake = cluster.fake.clone().unwrap();
    fake.fail(Fault::new(Failure::Error(500)).about("pods/eviction"));
    world.drain("node-1").await;
}

#[tokio::test]
async fn an_owner_waits_for_what_it_owns_or_leaves_it_behind() {
    settled!(cluster, world);
    let api = cluster.api::<Deployment>();
    let sets = async || cluster.api::<ReplicaSet>().list(&ListParams::default()).await.unwrap().items;
    api.delete("api", &DeleteParams::foreground()).await.unwrap();
    world.step().await;
    assert!(api.get("api").await.unwrap().metadata.deletion_timestamp.is_some(), "its Pods are still there");
    world.settle().await;
    assert!(api.get_opt("api").await.unwrap().is_none() && sets().await.is_empty() && pods(&cluster).await.is_empty());
    let _: Deployment = cluster.create(deployment("api", 2)).await;
    world.settle().await;
    api.delete("api", &DeleteParams::orphan()).await.unwrap();
    world.settle().await;
    assert!(api.get_opt("api").await.unwrap().is_none());
    assert!(sets().await.iter().all(|set| set.owner_references().is_empty()));
    assert_eq!((sets().await.len(), pods(&cluster).await.len()), (1, 2));
    // What has nothing below it waits for nobody.
    let name = pods(&cluster).await[0].name_any();
    cluster.api::<Pod>().delete(&name, &DeleteParams::foreground()).await.unwrap();
    world.settle().await;
    assert!(cluster.api::<Pod>().get_opt(&name).await.unwrap().is_none());
}

#[tokio::test]
async fn recreated_pods_come_after_the_last_old_one() {
    let cluster = Cluster::fake().await;
    let server = cluster.fake.clone().unwrap();
    let mut world = World::of(&server, &cluster.namespace);
    let mut made = deployment("api", 3);
    made["spec"]["strategy"] = json!({"type": "Recreate"});
    let _: Deployment = cluster.create(made).await;
    world.settle().await;
    assert_eq!(status(&cluster).await.ready_replicas, Some(3));
    set_image(&cluster, "api:2").await;
    let (mut fewest, mut together) = (usize::MAX, false);
    while world.step().await {
        let all = pods(&cluster).await;
        let new = all.iter().filter(|pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref() == Some("api:2"));
        let new = new.count();
        together |= new > 0 && new < all.len();
        fewest = fewest.min(all.len());
    }
    assert_eq!((fewest, together), (0, false));
    assert_eq!(status(&cluster).await.updated_replicas, Some(3));
    assert_eq!(progress(&status(&cluster).await), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
}

/// Controllers that know of the server nothing but a client.
pub(crate) async fn a_rollout_comes_on_any_server(cluster: Cluster) {
    let mut world = World::with(cluster.client.clone(), &cluster.namespace);
    let _: Deployment = cluster.create(deployment("api", 2)).await;
    world.settle().await;
    let now = status(&cluster).await;
    assert_eq!((now.ready_replicas, progress(&now).1.as_str()), (Some(2), "NewReplicaSetAvailable"));
}
