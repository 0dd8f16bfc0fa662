//! Runs a suite: a few checks at a time, each bounded, reported in the suite's order.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use reqwest::{Client, Url, redirect};
use tokio::time::timeout;

use super::report::{Failure, Outcome, Report, Verdict};
use super::request::attempt;
use super::suite::{Check, Suite};

/// Where the checks of one component go; several targets of one component are all checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    component: String,
    base: String,
}

/// Why a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a URL to run checks against; write for instance https://staging.example or http://127.0.0.1:8105"
)]
pub struct TargetError(String);

impl Target {
    /// A server of the component by its address, over plain HTTP.
    #[must_use]
    pub fn server(component: impl Into<String>, address: SocketAddr) -> Self {
        Self { component: component.into(), base: format!("http://{address}") }
    }

    /// The component behind an `http` or `https` URL; a path in it is put before the checks' own.
    ///
    /// # Errors
    /// When it is not such a URL, or has a query or fragment.
    pub fn url(component: impl Into<String>, url: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let usable =
            matches!(parsed.scheme(), "http" | "https") && parsed.query().is_none() && parsed.fragment().is_none();
        let base = parsed.as_str().trim_end_matches('/').to_owned();
        usable.then(|| Self { component: component.into(), base }).ok_or_else(wrong)
    }
}

/// What a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for one request with its whole answer, unless the check has a time-out of its own or a greater latency bound.
    pub check: Duration,
    /// Checks under way at once, at least 1. Suites that write run one at a time: a later check may build on an earlier.
    pub concurrency: usize,
}

impl Default for Limits {
    /// 5 s, 4 at once.
    fn default() -> Self {
        Self { check: Duration::from_secs(5), concurrency: 4 }
    }
}

/// The HTTP client could not be set up (certificates of the system unreadable, for instance).
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the client of the smoke suite: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Runs every check of the suite and tells `progress` each outcome as it is known, in the suite's order.
///
/// Dropping the future ends all requests.
///
/// # Errors
/// Only when no client can be made; a failed check is in the report.
pub async fn run(
    suite: &Suite,
    targets: &[Target],
    limits: Limits,
    mut progress: impl FnMut(&Outcome),
) -> Result<Report, ClientError> {
    let client = client()?;
    let at_once = if suite.allow_writes { 1 } else { limits.concurrency.max(1) };
    // Built first and not in the stream's closure, so that the future stays `Send` for any lifetime.
    let checks: Vec<_> = suite.checks.iter().map(|check| run_check(&client, check, targets, limits)).collect();
    let mut outcomes = stream::iter(checks).buffered(at_once);
    let mut report = Report::default();
    while let Some(outcome) = outcomes.next().await {
        progress(&outcome);
        report.checks.push(outcome);
    }
    Ok(report)
}

fn client() -> Result<Client, ClientError> {
    // `main` installs it at the start; without one the client would panic, and installing twice is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("teal-smoke/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none()) // a redirect is an answer to be judged, and must not lead to another colour
        .no_proxy() // it is this server that is asked, not what a proxy makes of it
        .build()?;
    Ok(client)
}

async fn run_check(client: &Client, check: &Check, targets: &[Target], limits: Limits) -> Outcome {
    let limit = check.timeout.unwrap_or_else(|| limits.check.max(check.latency.unwrap_or_default()));
    let asked = targets.iter().filter(|target| target.component == check.component).map(async |target| {
        let start = Instant::now();
        let url = format!("{}{}", target.base, check.path);
        let result = timeout(limit, attempt(client, check, &url)).await.unwrap_or(Err(Failure::TimedOut(limit)));
        (start.elapsed(), target, result)
    });
    let answers = join_all(asked).await;
    let took = answers.iter().map(|(took, ..)| *took).max();
    let failed = answers.into_iter().find_map(|(_, target, result)| Some((target, result.err()?)));
    let verdict = match (took, failed) {
        (None, _) => Verdict::Skipped,
        (Some(_), None) => Verdict::Passed,
        (Some(_), Some((target, failure))) => Verdict::Failed { target: target.base.clone(), failure },
    };
    Outcome { check: check.name.clone(), component: check.component.clone(), took: took.unwrap_or_default(), verdict }
}
