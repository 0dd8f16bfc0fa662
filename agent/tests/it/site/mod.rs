//! A whole site for one test: applications, their agent, a real HAProxy in front, and users that never stop asking.
//!
//! ```text
//! Traffic --> HaProxy (testkit) --> sample apps under shims      folder: teal.toml main.cfg edge.map state/ faults/
//!                ^   runtime socket       ^
//!                +-------- teal agent ----+ <-- orders of the test, over the admin socket
//! ```
//!
//! ```ignore
//! let mut site = Site::new().component("api").component("web").start().await;   // v1 serves, traffic flows
//! site.fault("v2", "errors=100%");
//! let release = site.deploy("v2").await;
//! assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
//! ```
//! Dropping it ends all of it, and fails the test when a process is left over.

mod agent;
mod apps;
mod edge;
mod plan;
mod traffic;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use teal_agent::api::{Accepted, Order, OrderRequest, ReleaseId, Status};
use teal_agent::client::{Client, ClientError};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Policy;
use teal_testkit::{HaProxy, get, until};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use agent::Agent;
use apps::{Apps, Left};
pub(crate) use edge::EdgeView;
pub(crate) use plan::{OnCluster, Plan};
pub(crate) use traffic::Traffic;

use crate::said::{self, Said};

pub(crate) const TEAL: &str = env!("CARGO_BIN_EXE_teal");

/// The site's only environment.
pub(crate) const ENVIRONMENT: &str = "prod";

/// What runs for a test. The fields are in the order in which they end.
pub(crate) struct Site {
    pub(crate) traffic: Traffic,
    agent: Agent,
    apps: Apps,
    pub(crate) haproxy: HaProxy,
    _left: Left,
    /// Where users come in.
    pub(crate) edge: SocketAddr,
    /// The agent's `/metrics`, `/healthz` and `/readyz`.
    pub(crate) metrics: SocketAddr,
    pub(crate) client: Client,
    components: Vec<String>,
    folder: PathBuf,
}

impl Site {
    /// What is to run; [`Plan::start`] runs it.
    #[expect(clippy::new_ret_no_self, reason = "a site is planned first and then started")]
    pub(crate) fn new() -> Plan {
        Plan::default()
    }

    /// Gives a version its fault, before it is released: `errors=100%`, `late=300ms,errors=20%`, `hang`, `crash`.
    pub(crate) fn fault(&self, version: &str, fault: &str) {
        std::fs::write(self.path("faults").join(version), fault).unwrap();
    }

    /// A file of the site.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command as the operator of this site gives it.
    pub(crate) fn teal(&self, words: &[&str]) -> Said {
        said::teal(&self.folder, words)
    }

    // --- orders ---------------------------------------------------------------------------------------

    /// Releases `version` of every component and returns the release's number; the order is taken, not done.
    pub(crate) async fn deploy(&self, version: &str) -> u64 {
        self.try_deploy(version).await.unwrap().release.0
    }

    pub(crate) async fn try_deploy(&self, version: &str) -> Result<Accepted, ClientError> {
        let versions = self.components.iter().map(|component| (component.clone(), version.to_owned())).collect();
        self.order(Order::Deploy { versions }).await
    }

    pub(crate) async fn order(&self, order: Order) -> Result<Accepted, ClientError> {
        self.client.order(ENVIRONMENT, &OrderRequest { order, by: "test".to_owned() }).await
    }

    /// Brings up the first version: there is nothing to compare it with, so its watch is cut short.
    pub(crate) async fn first(&self, version: &str) {
        let release = self.deploy(version).await;
        self.wait_phase(release, Phase::Watching).await;
        self.order(Order::Promote).await.unwrap();
        assert_eq!(self.wait_outcome(release).await, Outcome::Kept);
    }

    // --- what the agent says --------------------------------------------------------------------------

    pub(crate) async fn status(&self) -> Status {
        self.client.status(ENVIRONMENT).await.unwrap()
    }

    /// Waits until the agent shows what `wanted` makes something of; an agent that does not answer is waited for.
    pub(crate) async fn wait_status<T>(&self, what: &str, wanted: impl Fn(&Status) -> Option<T>) -> T {
        until(what, || async { wanted(&self.client.status(ENVIRONMENT).await.ok()?) }).await
    }

    pub(crate) async fn wait_phase(&self, release: u64, phase: Phase) {
        let there = |status: &Status| (is_of(status, release) && status.phase.is(&phase)).then_some(());
        self.wait_status(&format!("release {release} is in {phase:?}"), there).await;
    }

    /// Waits until the release has ended and nothing of it moves any more.
    pub(crate) async fn wait_outcome(&self, release: u64) -> Outcome {
        self.wait_status(&format!("release {release} has ended"), |status| {
            is_of(status, release).then(|| ended(status)).flatten()
        })
        .await
    }

    /// What was written down about a release, a sentence a line.
    pub(crate) async fn history(&self, release: u64) -> Vec<String> {
        let explained = self.client.explain(ENVIRONMENT, ReleaseId(release)).await.unwrap();
        explained.events.into_iter().map(|event| event.text).collect()
    }

    /// When the first record of this kind was written about a release.
    pub(crate) async fn when(&self, release: u64, kind: &str) -> OffsetDateTime {
        let explained = self.client.explain(ENVIRONMENT, ReleaseId(release)).await.unwrap();
        let record = explained.events.into_iter().find(|event| event.kind == kind).unwrap();
        OffsetDateTime::parse(&record.at, &Rfc3339).unwrap()
    }

    // --- what the edge does ---------------------------------------------------------------------------

    /// The edge, to be asked from anywhere.
    pub(crate) fn view(&self) -> EdgeView {
        EdgeView::of(&self.haproxy)
    }

    /// What HAProxy routes by; `None` when it does not answer.
    pub(crate) async fn running(&self) -> Option<Policy> {
        self.view().running().await.map(|(_, policy)| policy)
    }

    /// What HAProxy would route by after a restart.
    pub(crate) fn saved(&self) -> Option<Policy> {
        self.view().saved()
    }

    /// Waits until the running HAProxy routes as wanted; says how long that took.
    pub(crate) async fn wait_running(&self, what: &str, wanted: impl Fn(&Policy) -> bool) -> Duration {
        let since = Instant::now();
        until(what, || async { self.running().await.filter(&wanted) }).await;
        since.elapsed()
    }

    /// Waits until the map file says as wanted.
    pub(crate) async fn wait_saved(&self, what: &str, wanted: impl Fn(&Policy) -> bool) -> Policy {
        until(what, || async { self.saved().filter(&wanted) }).await
    }

    // --- the agent as a process -----------------------------------------------------------------------

    /// kill -9.
    pub(crate) fn kill_agent(&mut self) {
        self.agent.kill();
    }

    /// SIGTERM, and waits until it has ended.
    pub(crate) fn stop_agent(&mut self) {
        self.agent.stop();
    }

    /// SIGHUP: reads its configuration again.
    pub(crate) fn hang_up_agent(&self) {
        self.agent.hang_up();
    }

    /// Its process stands still, with all that it holds.
    pub(crate) fn freeze_agent(&self) {
        self.agent.freeze();
    }

    pub(crate) fn thaw_agent(&self) {
        self.agent.thaw();
    }

    pub(crate) fn agent_pid(&self) -> u32 {
        self.agent.pid()
    }

    /// Waits until the agent has ended by itself at one of the places where debug builds may crash.
    #[cfg(debug_assertions)]
    pub(crate) async fn wait_agent_gone(&mut self) {
        let agent = std::cell::RefCell::new(&mut self.agent);
        until("the agent has ended", || async { agent.borrow_mut().has_ended().then_some(()) }).await;
    }

    /// Starts the agent after it has ended and waits until it takes orders.
    pub(crate) async fn start_agent(&mut self) {
        self.start_agent_with(&[]).await;
    }

    /// The same with these environment variables.
    pub(crate) async fn start_agent_with(&mut self, variables: &[(&str, &str)]) {
        self.agent.start(&self.folder, variables);
        let ready = || async { get(self.metrics, "/readyz").await.ok().filter(|reply| reply.status == 200) };
        until("the agent is ready", ready).await;
    }

    /// What runs, as the shims tell it; needs no agent. One entry an instance: component, version and process id.
    pub(crate) async fn apps(&self) -> Vec<(String, String, i32)> {
        self.apps.list().await
    }
}

fn is_of(status: &Status, release: u64) -> bool {
    status.release == Some(ReleaseId(release))
}

/// How the release ended, once nothing of it moves any more.
pub(crate) fn ended(status: &Status) -> Option<Outcome> {
    let outcome = status.outcome.as_ref().and_then(|outcome| outcome.known().copied());
    let busy = status.phase.known().is_none_or(|phase| phase.is_busy());
    outcome.filter(|_| !busy)
}

/// One of `teal`'s own commands, as a user would give it.
fn teal(folder: &Path, words: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new(TEAL)
        .arg("--config")
        .arg(folder.join("teal.toml"))
        .args(words)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "teal {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

mod tests {
    use super::*;

    #[tokio::test]
    async fn a_site_releases_takes_back_and_loses_nothing() {
        let site = Site::new().component("api").component("web").start().await;
        let good = site.deploy("v2").await;
        assert_eq!(site.wait_outcome(good).await, Outcome::Completed);
        site.fault("v3", "errors=100%");
        let bad = site.deploy("v3").await;
        assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
        let after = site.traffic.mark();
        site.traffic.wait_for(100).await;
        let counts = site.traffic.since(after).await;
        assert_eq!((counts.version("v3").requests, counts.all.bad), (0, 0), "{:?}", site.history(bad).await);
        assert!(counts.version("v2").requests >= 90);
        let all = site.traffic.counts().all;
        println!("a good and a bad release: {} requests, {} bad, {} lost", all.requests, all.bad, all.lost);
        assert_eq!(all.lost, 0);
        assert_eq!(site.running().await, site.saved());
        assert_eq!(get(site.edge, "/web/home").await.unwrap().header("x-version"), "v2");
    }
}
