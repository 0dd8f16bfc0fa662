//! The operator's hands: on the levers of `teal`, on the edge itself, and with Teal only looking on.

mod by_hand;
mod following;
mod force;
mod keeping;
mod modes;
mod orders;
mod taking_over;

use teal_rollout::policy::Policy;

use crate::site::Site;

/// Makes the running HAProxy route by this, as somebody with a shell does; the file stays as it is.
pub(crate) async fn set_map(site: &Site, policy: &Policy) {
    let line = format!("set map {} policy {policy}", site.path("edge.map").display());
    let answer = teal_testkit::runtime(&site.haproxy.admin_socket(), &line).await.unwrap();
    assert_eq!(answer.trim(), "", "{line}");
}

/// Waits until the history of a release says so.
async fn says(site: &Site, release: u64, words: &str) {
    let look = || async { site.history(release).await.iter().any(|line| line.contains(words)).then_some(()) };
    teal_testkit::until(&format!("the history of {release} says `{words}`"), look).await;
}

/// From here on every answer comes from this version.
pub(crate) async fn serves_only(site: &Site, version: &str) {
    let mark = site.traffic.mark();
    site.traffic.wait_for(50).await;
    let counts = site.traffic.since(mark).await;
    assert_eq!((counts.version(version).requests, counts.all.bad), (counts.all.requests, 0), "{counts:?}");
}
