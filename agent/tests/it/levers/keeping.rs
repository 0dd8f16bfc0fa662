//! The old colour kept in fewer processes, and brought back in full before it serves again.

use teal_agent::api::Order;
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::until;

use crate::site::Site;

impl Site {
    /// Until so many processes of each version run, and no others.
    async fn wait_processes(&self, what: &str, wanted: &[(&str, usize)]) {
        let wanted: Vec<&str> =
            wanted.iter().flat_map(|(version, count)| std::iter::repeat_n(*version, *count)).collect();
        until(what, || async {
            let mut versions: Vec<String> = self.apps().await.into_iter().map(|(_, version, _)| version).collect();
            versions.sort();
            (versions == wanted).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_colour_in_one_process_of_two_comes_back_in_full_over_a_killed_agent_and_no_request_is_bad() {
    let stages = "[watch]\nretain = [{ for = \"1s\" }, { for = \"1h\", replicas = 1 }]\n";
    let mut site = Site::new().replicas(2).watch(100, 300).exchange("[watch]\n", stages).start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.wait_processes("one of the old colour is left", &[("v1", 1), ("v2", 2)]).await;
    // What starts again starts no more than what is kept.
    site.kill_agent();
    site.start_agent().await;
    site.wait_status("the agent knows it", |status| {
        let stable = &status.components[0].stable;
        ((stable.ready, stable.wanted) == (1, 1)).then_some(())
    })
    .await;
    site.wait_status("going back means to scale up", |status| status.scale_up.filter(|it| it.under_way.is_none()))
        .await;
    site.wait_processes("it is left so", &[("v1", 1), ("v2", 2)]).await;

    site.teal(&["rollback", "prod"]).expect(
        0,
        &[
            "..  scale up   the old colour scales up, then traffic goes back to it",
            "ok  rollback",
            ": traffic is back on the old colour",
        ],
    );
    site.wait_phase(release, Phase::Idle).await;
    site.wait_processes("the new colour has ended", &[("v1", 2)]).await;
    let history = site.history(release).await;
    assert!(history.iter().any(|line| line == "the old colour is kept in 1 instance"), "{history:#?}");
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    let counts = site.traffic.counts();
    assert_eq!((counts.all.bad, counts.all.lost), (0, 0), "{counts:?}");

    // The same again, and the order comes over the API.
    let release = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.wait_processes("one of the old colour is left", &[("v1", 1), ("v3", 2)]).await;
    site.order(Order::Rollback).await.unwrap();
    site.wait_processes("the new colour has ended", &[("v1", 2)]).await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
}
