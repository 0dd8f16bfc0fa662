//! The site's users: an open-loop load that accounts for every request.

use std::net::SocketAddr;
use std::time::Duration;

use teal_agent::demo::load::{self, Counts, Cut, Load, LoadSettings, Mark, Stretch};
use teal_testkit::until;

/// Longer than anything at the edge takes: what is given up was lost.
const GIVE_UP: Duration = Duration::from_secs(35);

pub(crate) struct Traffic {
    settings: LoadSettings,
    load: Option<Load>,
}

impl Traffic {
    pub(super) fn new(target: SocketAddr, rps: u32, paths: Vec<String>) -> Self {
        let settings = LoadSettings { target, rps, jitter: Some(1), paths, one_shot_every: 10, give_up: GIVE_UP };
        Self { settings, load: None }
    }

    /// Begins once the edge passes every path on.
    pub(crate) async fn begin(&mut self) {
        for path in &self.settings.paths {
            // Without its method: to ask is not to write.
            let (target, path) = (self.settings.target, path.split(' ').next_back().unwrap_or_default());
            until("the first version answers through the edge", || async move {
                let status = load::ask_once(target, path).await;
                matches!(status, Ok(200)).then_some(())
            })
            .await;
        }
        self.load = Some(load::start(self.settings.clone()).unwrap());
    }

    /// No new requests from here on.
    pub(crate) fn end(&mut self) {
        self.load = None;
    }

    fn load(&self) -> &Load {
        self.load.as_ref().expect("the traffic was not begun")
    }

    /// Now, to cut the figures at.
    pub(crate) fn mark(&self) -> Mark {
        self.load().mark()
    }

    /// The counts of all requests that have ended, by version, with those in flight.
    pub(crate) fn counts(&self) -> Counts {
        self.load().counts()
    }

    /// Waits until so many more requests have been answered well.
    pub(crate) async fn wait_for(&self, requests: u64) {
        let well = || {
            let all = self.counts().all;
            all.requests - all.bad
        };
        let goal = well() + requests;
        until("requests are answered", || async { (well() >= goal).then_some(()) }).await;
    }

    /// The requests sent since `mark`, each of them ended.
    pub(crate) async fn since(&self, mark: Mark) -> Counts {
        self.between(mark, self.mark()).await.counts
    }

    /// The figures of the requests sent from `from` until before `to`, each of them ended.
    pub(crate) async fn between(&self, from: Mark, to: Mark) -> Cut {
        self.stretch(from, to).await.cut()
    }

    /// The same, request by request.
    pub(crate) async fn stretch(&self, from: Mark, to: Mark) -> Stretch {
        self.load().settle(to).await;
        self.load().stretch(from, to)
    }
}
