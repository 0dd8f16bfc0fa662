//! `teal demo`: the main job with nothing but this binary and HAProxy.
//!
//! ```text
//! load --> HAProxy --> blue  v1, v3 (bad)       both the sample app in this binary,
//!             ^   \--> green v2                 run by the agent as it would run any other
//!             |
//!           agent <-- demo (orders releases, looks, ends everything)
//! ```
//! The demo drives Teal from outside, as a user would, and believes only what its own load saw.

pub mod agent;
pub mod configuration;
pub mod fault;
pub mod fault_file;
pub mod load;
pub mod operator;
pub mod options;
pub mod process;
pub mod report;
pub mod sample_app;
pub mod screen;
pub mod script;
pub mod stage;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use agent::Agent;
use configuration::{Configuration, NoPorts};
use load::{Load, LoadError, LoadSettings};
use operator::{Operator, Refused};
pub use options::DemoArgs;
use process::ProcessError;
use report::{Baseline, Report};
use screen::{Screen, Sign};
use stage::Stage;

use crate::proxy::haproxy::program::{HaProxy, HaProxyError};

/// The demo's application and its only environment.
pub const ENVIRONMENT: &str = "demo";

/// Its only component.
pub const COMPONENT: &str = "app";

/// How long a client of the demo waits: longer than the edge does, which then answers in the application's place.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Live traffic before the first release that counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// How a demo that could be played ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Good versions stayed, bad ones were taken back, no request was lost.
    AsExpected,
    /// Something of that did not hold; the report says what.
    Otherwise,
    /// A human ended it.
    Interrupted,
}

/// Why a demo cannot be played. Whatever it had started is gone when this is returned.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No HAProxy that is fit for use.
    #[error(transparent)]
    HaProxy(#[from] HaProxyError),
    /// HAProxy or the agent did not start, or ended.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No free ports.
    #[error(transparent)]
    Ports(#[from] NoPorts),
    /// The load cannot start.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The agent refused an order, or does not answer.
    #[error("the agent: {0}")]
    Agent(#[from] Refused),
    /// One of this program's own commands failed.
    #[error("`teal {words}` failed: {said}")]
    Command {
        /// The command.
        words: String,
        /// What it said.
        said: String,
    },
    /// The first version did not get as far as serving.
    #[error("the first version, {version}, did not come up: {cause}")]
    First {
        /// Which.
        version: String,
        /// Why.
        cause: String,
    },
    /// The edge does not pass traffic on although a version serves.
    #[error("http://{0}/ does not answer 200 although a version serves behind it")]
    Edge(SocketAddr),
    /// The map's first value.
    #[error(transparent)]
    Policy(#[from] teal_rollout::policy::PolicyError),
    /// A file or a signal.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// Plays the demo, on a runtime of its own.
///
/// # Errors
/// When something it needs is missing. Everything it started has ended when this returns, on errors and signals too.
pub fn run(args: &DemoArgs, json: bool) -> Result<Ending, DemoError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(until_interrupted(args, json, Agent::of))
}

/// `operator` reaches the agent that runs by the given configuration.
async fn until_interrupted<O: Operator>(
    args: &DemoArgs,
    json: bool,
    operator: impl FnOnce(&Configuration) -> O,
) -> Result<Ending, DemoError> {
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let interrupted = std::future::poll_fn(|context| {
        let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    let screen = Screen::new(json);
    // Dropping the demo, here or on an error, ends what it started.
    tokio::select! {
        ending = perform(args, &screen, operator) => ending,
        () = interrupted => {
            screen.keep();
            screen.line(Sign::Mind, "stopped", "everything the demo started has ended");
            Ok(Ending::Interrupted)
        }
    }
}

async fn perform<O: Operator>(
    args: &DemoArgs,
    screen: &Screen,
    operator: impl FnOnce(&Configuration) -> O,
) -> Result<Ending, DemoError> {
    raise_descriptor_limit();
    let haproxy = HaProxy::find(args.haproxy.as_deref())?;
    let Baseline { requests, bad, .. } = Baseline::SEEDED;
    let tenths = 1000 * bad / requests;
    screen.heading(&format!(
        "teal demo: HAProxy {}, {} requests/s, watch {} s, seed {}",
        haproxy.version, args.rps, args.watch, args.seed
    ));
    screen.line(
        Sign::Mind,
        "baseline",
        &format!("pre-seeded: {bad} bad of {requests} requests of v1: usually {}.{} % bad", tenths / 10, tenths % 10),
    );

    let (mut stage, agent) = Stage::open(args, &haproxy, std::env::current_exe()?, operator).await?;
    let edge = stage.configuration.edge;
    script::first("v1", &agent, screen).await?;
    let load = begin_load(args, edge).await?;
    screen.line(Sign::Ok, "load", &format!("{} requests/s to http://{edge}/, a tenth reconnecting", args.rps));
    tokio::time::sleep(WARM_UP).await;

    let mut releases = Vec::new();
    let mut serving = "v1".to_owned();
    for act in args.acts() {
        stage.check()?;
        stage.set_fault(&act.version, &act.fault)?;
        screen.heading(&format!("{serving} -> {}   fault: {}", act.version, act.fault));
        let report = script::play(&act, &agent, &load, screen).await?;
        if report.stayed() {
            serving = act.version;
        }
        releases.push(report);
    }
    let ending = judge(&releases);
    let report = Report {
        valid: releases.iter().all(|release| release.invalid.is_none()),
        releases,
        rps: args.rps,
        watch_seconds: args.watch,
        seed: args.seed,
        haproxy: haproxy.version,
        baseline: Baseline::SEEDED,
    };
    let json = serde_json::to_string(&report).map_err(std::io::Error::from)?;
    if args.stay {
        screen.result(&json);
        stay(screen, &stage, &load).await;
    }
    drop((load, stage));
    screen.heading(match ending {
        Ending::AsExpected => {
            "as it should be; everything the demo started has ended (--stay leaves it running, to play with)"
        }
        _ => "not as it should be: see the lines marked !!",
    });
    screen.result(&json);
    Ok(ending)
}

fn judge(releases: &[report::ReleaseReport]) -> Ending {
    let fine = |release: &report::ReleaseReport| release.is_as_expected() && release.lost == 0;
    if releases.iter().all(fine) { Ending::AsExpected } else { Ending::Otherwise }
}

async fn begin_load(args: &DemoArgs, target: SocketAddr) -> Result<Load, DemoError> {
    let paths = ["/home", "/api/patients", "/"].map(str::to_owned).to_vec();
    // The first version serves; the edge's own checks may need a moment to see it.
    let serves = async {
        while load::ask_once(target, "/").await.ok() != Some(200) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), serves).await.map_err(|_| DemoError::Edge(target))?;
    let settings =
        LoadSettings { target, rps: args.rps, jitter: Some(args.seed), paths, one_shot_every: 10, give_up: GIVE_UP };
    Ok(load::start(settings)?)
}

/// Until Ctrl-C, which drops it.
async fn stay(screen: &Screen, stage: &Stage, load: &Load) -> ! {
    screen.heading("the demo stays until Ctrl-C; in another terminal:");
    for line in stage::suggestions(&stage.configuration).lines() {
        screen.line(Sign::More, "", line);
    }
    loop {
        let all = load.counts().all;
        screen.live("load", &format!("{} requests, {} bad, {} lost", all.requests, all.bad, all.lost));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// A hang piles up connections here and twice in HAProxy, which inherits the limit. Failing to raise it is no
/// failure yet: requests that cannot be sent for it mark the run invalid.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
