//! Smoke suite and probes, run beside the loop; their results come back as events.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use teal_rollout::colour::Colour;
use teal_rollout::machine::{Event, Probe};
use tokio::sync::mpsc;

use super::Journal;
use super::sampling::Sampling;
use crate::api::Happening;
use crate::probe::{self, ProbeRequest};
use crate::smoke::{self, Suite, Target};

/// Asked when nothing better is configured: the front page.
const FALLBACK_PATH: &str = "/";

/// How long a probe may take at least, whatever its route's limit: it has to connect first.
const SHORTEST: Duration = Duration::from_millis(50);

/// How many of the routes that failed are asked.
const ROUTES: usize = 3;

/// What of a component can be probed, made once from the configuration.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Blue's and green's servers.
    pub addresses: [Vec<SocketAddr>; 2],
    /// By route group, from 1 on: what to ask and how long the answer may take.
    pub routes: Vec<(ProbeRequest, Duration)>,
    /// What the smoke suite would ask of this component, safe methods only.
    pub checks: Vec<(ProbeRequest, Duration)>,
    /// What is asked where there is little traffic.
    sampling: Sampling,
}

impl Component {
    /// What may be probed of a component: its routes' own paths, else the suite's reading checks, else `/`.
    #[must_use]
    pub fn new(
        name: String,
        addresses: [Vec<SocketAddr>; 2],
        routes: &[(String, Duration)],
        suite: Option<&Suite>,
    ) -> Self {
        let request = |method, path: &str, headers| ProbeRequest::new(method, path, "teal-probe", headers).ok();
        let routes = routes.iter().filter_map(|(path, latency)| {
            Some((request(Method::GET, path, HeaderMap::new())?, SHORTEST.max(*latency)))
        });
        let unknown = probe::Limits::default().total;
        let checks = suite.into_iter().flat_map(|s| &s.checks).filter(|c| c.component == name).filter_map(|check| {
            let wait = SHORTEST.max(check.latency.unwrap_or(unknown));
            Some((request(check.method.clone(), &check.path, check.headers.clone())?, wait))
        });
        let mut checks: Vec<_> = checks.collect();
        let sampling = Sampling::new(checks.clone());
        if checks.is_empty() {
            checks.extend(request(Method::GET, FALLBACK_PATH, HeaderMap::new()).map(|r| (r, unknown)));
        }
        Self { routes: routes.collect(), checks, sampling, addresses, name }
    }

    /// How long a probe may take where there is little traffic, unless its check allows for more.
    #[must_use]
    pub fn sampled_within(mut self, limit: Duration) -> Self {
        self.sampling.allow(limit);
        self
    }

    /// Whether there is anything to ask where there is little traffic.
    #[must_use]
    pub fn can_be_sampled(&self) -> bool {
        !self.sampling.is_empty()
    }

    fn addresses(&self, colour: Colour) -> &[SocketAddr] {
        match colour {
            Colour::Blue => &self.addresses[0],
            Colour::Green => &self.addresses[1],
        }
    }

    /// The routes that failed, as far as they are configured; the suite where no configured route failed.
    /// Whether the old colour passes other checks says nothing about the one whose probes failed.
    fn requests(&self, groups: &[u8], sampled: bool) -> (Vec<ProbeRequest>, Duration) {
        let failing: Vec<_> =
            groups.iter().filter_map(|g| self.routes.get(usize::from(*g).checked_sub(1)?)).take(ROUTES).collect();
        let chosen: Vec<_> = match self.sampling.suspect() {
            Some(suspect) if sampled => vec![suspect],
            _ if failing.is_empty() => self.checks.iter().take(ROUTES).collect(),
            _ => failing,
        };
        let longest = chosen.iter().map(|(_, limit)| *limit).max().unwrap_or_default();
        (chosen.into_iter().map(|(request, _)| request.clone()).collect(), longest)
    }
}

/// The gates of an environment.
#[derive(Clone, Debug)]
pub struct Gates {
    /// In the order of the component ids.
    pub components: Arc<Vec<Component>>,
    /// The smoke suite; `None` passes, and the journal says so.
    pub suite: Option<Arc<Suite>>,
    /// Where the suite's result is written.
    pub journal: Arc<Journal>,
}

impl Gates {
    pub(super) fn smoke(&self, release: u64, targets: Vec<(usize, Colour)>, events: mpsc::Sender<Event>) {
        let gates = self.clone();
        tokio::spawn(async move {
            let result = gates.run_suite(release, &targets).await;
            let _ = events.send(Event::Smoke { release, result }).await;
        });
    }

    async fn run_suite(&self, release: u64, targets: &[(usize, Colour)]) -> Result<(), String> {
        let Some(suite) = &self.suite else {
            self.journal.add(release, &Happening::Smoke { passed: 0, total: 0, slowest: None, failed: None });
            return Ok(());
        };
        let targets: Vec<Target> = targets
            .iter()
            .filter_map(|(id, colour)| Some((self.components.get(*id)?, *colour)))
            .flat_map(|(c, colour)| c.addresses(colour).iter().map(|a| Target::server(c.name.clone(), *a)))
            .collect();
        let report = smoke::run(suite, &targets, smoke::Limits::default(), |_| {}).await.map_err(|e| e.to_string())?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let failed = report.first_failure();
        let happening = Happening::Smoke {
            passed: count(report.passed()),
            total: count(report.ran()),
            slowest: report.slowest().map(|o| (o.check.clone(), millis(o.took))),
            failed: failed.clone(),
        };
        self.journal.add(release, &happening);
        failed.map_or(Ok(()), Err)
    }

    pub(super) fn sample(
        &self,
        round: u64,
        component: usize,
        colour: Colour,
        release: u64,
        events: mpsc::Sender<Event>,
    ) {
        let Some(known) = self.components.get(component) else {
            return;
        };
        let (sampling, addresses) = (known.sampling.clone(), known.addresses(colour).to_vec());
        tokio::spawn(async move {
            let (passed, wait) = sampling.ask(round, &addresses).await;
            let _ = events.send(Event::Sampled { release, component, round, passed, wait }).await;
        });
    }

    pub(super) fn probe(&self, question: &Probe, events: mpsc::Sender<Event>) {
        let Some(known) = self.components.get(question.component) else {
            return;
        };
        let addresses = known.addresses(question.colour).to_vec();
        let (requests, total) = known.requests(&question.groups, question.sampled);
        let limits = probe::Limits { total: question.within.unwrap_or(total), ..probe::Limits::default() };
        let ask = probe::Ask { requests: question.requests, enough: question.enough };
        let (round, arm) = (question.round, question.arm);
        tokio::spawn(async move {
            let passed = probe::probe(&addresses, &requests, ask, limits).await;
            let _ = events.send(Event::Probed { round, arm, passed }).await;
        });
    }
}
