//! Releases in the way of each other.

use teal_rollout::document::{Outcome, Phase};

use crate::site::Site;

#[tokio::test]
async fn the_same_version_twice_is_explained_and_is_no_error() {
    let site = Site::new().start().await;
    let said = site.teal(&["deploy", "prod", "v1"]);
    said.expect(0, &["nothing to do", "run already, since r-0001"]);
    assert!(!said.text.contains("error"), "{}", said.text);
    assert_eq!(site.status().await.release.map(|release| release.0), Some(1));
}

#[tokio::test]
async fn a_deploy_waits_for_no_other_and_says_which_is_in_the_way() {
    let site = Site::new().watch(1_000, 3_000).start().await;
    // Each request takes long to fail, so that draining takes long as well.
    site.fault("v2", "latency=700ms,errors=100%");
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.teal(&["deploy", "prod", "v3"]).expect(8, &["r-0002 by test is under way", "teal wait r-0002   follows it"]);
    site.wait_phase(release, Phase::RollingBack).await;
    site.teal(&["deploy", "prod", "v3"]).expect(8, &["r-0002 by test is under way", "teal wait r-0002"]);
    site.teal(&["rollback", "prod"]).expect(0, &[]);
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    site.teal(&["wait", "r-0002"]).expect(3, &["rolled back"]);
    let next = site.deploy("v3").await;
    assert_eq!((next, site.wait_outcome(next).await), (3, Outcome::Completed));
}

#[tokio::test]
async fn a_version_that_is_not_on_this_machine_is_refused_before_anything_starts() {
    let site = Site::new().start().await;
    let path = site.path("teal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let program = site.path("apps/{version}/app");
    let run = text.lines().find(|line| line.starts_with("run = ")).unwrap();
    std::fs::write(&path, text.replace(run, &format!("run = [{program:?}, \"{{port}}\"]"))).unwrap();
    let words = format!("app v99 cannot start: {} is not there", site.path("apps/v99/app").display());
    site.teal(&["deploy", "prod", "v99"]).expect(4, &[&words, "nothing was started"]);
    site.teal(&["deploy", "prod", "v99", "--plan"]).expect(4, &["plan for prod", &words]);
    assert_eq!(site.status().await.release.map(|release| release.0), Some(1));
}
