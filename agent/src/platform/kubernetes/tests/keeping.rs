//! A colour kept in few Pods as the way back, with an autoscaler that would have more, and brought back in full.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use teal_rollout::retention::Replicas::{self, Count, Full};
use teal_testkit::until;

use super::*;

impl Rig {
    async fn scale(&self, replicas: Replicas, release: u64, order: u32) {
        let (component, colour, version) = (0, Colour::Blue, "v1".to_owned());
        let full = 0;
        self.order(PlatformOrder::Scale { component, colour, version, replicas, full, release, order }).await;
    }

    /// `v2` serves from green as release 1, and so does the Service say; each colour has an autoscaler from 1 to 5.
    async fn switched() -> Self {
        let mut rig = Self::start().await;
        for colour in Colour::BOTH {
            let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("app-{colour}")});
            let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5});
            let name = format!("s-{colour}");
            rig.create::<HorizontalPodAutoscaler>(json!({"metadata": {"name": name}, "spec": spec})).await;
        }
        rig.release("v2", 1).await;
        rig.patch::<Service>("app", json!({"spec": {"selector": {"version": "green"}}})).await;
        rig
    }

    /// What blue's autoscaler chooses between.
    async fn bounds(&self) -> (Option<i32>, i32) {
        let spec = self.api::<HorizontalPodAutoscaler>().get("s-blue").await.unwrap().spec.unwrap();
        (spec.min_replicas, spec.max_replicas)
    }

    async fn is(&mut self, what: &str, (ready, wanted): (u32, u32), scaled: u32) -> Capacity {
        self.settle().await;
        let is = |it: &Capacity| (it.ready, it.wanted, it.scaled) == (ready, wanted, scaled);
        self.told(what, |it| it.colour == Colour::Blue && is(it)).await
    }
}

#[tokio::test]
async fn a_colour_is_kept_in_few_pods_whatever_its_autoscaler_thinks_and_comes_back_in_full() {
    let mut rig = Rig::switched().await;
    rig.scale(Count(1), 1, 1).await;
    let told = rig.is("one is left", (1, 1), 1).await;
    assert_eq!((told.release, told.version.as_deref(), rig.bounds().await), (1, Some("v1"), (Some(1), 1)));
    // The new colour has grown since: what it needs, the old one will.
    rig.patch::<Deployment>("app-green", json!({"spec": {"replicas": 3}})).await;
    rig.settle().await;
    rig.restart();
    rig.scale(Full, 1, 2).await;
    rig.is("all are back", (3, 3), 2).await;
    assert_eq!(rig.bounds().await, (Some(3), 5));
    // The release ends, and its own numbers come back.
    rig.patch::<Service>("app", json!({"spec": {"selector": {"version": "blue"}}})).await;
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 1 }).await;
    until("it is let go", || async { (rig.bounds().await == (Some(1), 5)).then_some(()) }).await;
}

#[tokio::test]
async fn an_order_counts_as_carried_out_when_the_controller_has_seen_it() {
    let mut rig = Rig::switched().await;
    rig.scale(Count(1), 1, 1).await;
    // The Pods are all there yet, and some of them are about to go.
    let told = rig.told("one is wanted", |it| it.colour == Colour::Blue && it.wanted == 1).await;
    assert_eq!((told.ready, told.scaled), (2, 0));
    rig.scale(Full, 1, 2).await;
    let told = rig.told("both are wanted", |it| it.colour == Colour::Blue && it.wanted == 2).await;
    assert_eq!((told.ready, told.scaled), (2, 1));
    rig.is("it was seen", (2, 2), 2).await;
}

#[tokio::test]
async fn what_it_had_when_it_served_is_full_also_where_the_other_has_less() {
    let mut rig = Rig::switched().await;
    rig.patch::<Deployment>("app-blue", json!({"spec": {"replicas": 4}})).await;
    rig.settle().await;
    for (replicas, order, count) in [(Count(2), 1, 2), (Count(1), 2, 1), (Full, 3, 4), (Count(9), 4, 4)] {
        rig.scale(replicas, 1, order).await;
        rig.is("as ordered", (count, count), order).await;
    }
}

#[tokio::test]
async fn of_two_orders_the_one_with_the_greater_number_counts_whichever_comes_last() {
    let mut rig = Rig::switched().await;
    rig.scale(Full, 1, 2).await;
    rig.is("the newer one", (2, 2), 2).await;
    for (release, order) in [(1, 1), (0, 7)] {
        rig.scale(Count(1), release, order).await;
        rig.is("an older one changes nothing", (2, 2), 2).await;
    }
    // Nor does the same once more, over what somebody set since.
    rig.patch::<Deployment>("app-blue", json!({"spec": {"replicas": 3}})).await;
    rig.scale(Full, 1, 2).await;
    rig.is("it is left so", (3, 3), 2).await;
}

#[tokio::test]
async fn what_the_service_sends_users_to_is_not_reduced_and_may_grow() {
    let mut rig = Rig::switched().await;
    rig.patch::<Service>("app", json!({"spec": {"selector": {"version": "blue"}}})).await;
    rig.server.forget_used();
    rig.scale(Count(1), 1, 1).await;
    until("it has looked", || async { rig.used().contains(&("get".into(), "services".into())).then_some(()) }).await;
    rig.all_tried(1).await;
    assert_eq!((rig.deployment(Colour::Blue).await["spec"]["replicas"].clone(), rig.bounds().await.1), (json!(2), 5));
    rig.scale(Full, 1, 2).await;
    rig.is("more of it is no harm", (2, 2), 2).await;
}

#[tokio::test]
async fn a_new_release_of_the_version_that_was_kept_in_few_is_full() {
    let mut rig = Rig::switched().await;
    rig.scale(Count(1), 1, 1).await;
    rig.is("one is left", (1, 1), 1).await;
    // As the way back it stays so, however often its agent starts.
    rig.start_order(Colour::Blue, "v1", 1).await;
    rig.is("one is left", (1, 1), 1).await;
    rig.start_order(Colour::Blue, "v1", 2).await;
    let told = rig.is("all of them", (2, 2), 0).await;
    assert_eq!((told.release, rig.bounds().await), (2, (Some(2), 5)));
}

#[tokio::test]
async fn what_runs_another_version_is_not_scaled_and_says_so() {
    let mut rig = Rig::switched().await;
    let image = json!([{"name": "app", "image": "site/app:other"}]);
    rig.patch::<Deployment>("app-blue", json!({"spec": {"template": {"spec": {"containers": image}}}})).await;
    rig.scale(Full, 1, 1).await;
    let told = rig.told("it is refused", |it| it.colour == Colour::Blue && it.wanted == 0).await;
    assert_eq!(told.failure.as_deref(), Some("Deployment app-blue does not run v1 any more"));
}
