//! What runs on this machine, and its end, read from the state folder: neither needs an agent.

use std::path::Path;
use std::time::Duration;

use teal_rollout::colour::Colour;
use tokio::task::JoinSet;

use super::files::{ColourDir, FileError, InstanceDir};
use super::protocol::{Link, Phase, State};
use super::shims::{self, Ended, ShimError};

/// One instance that runs, or is being kept from ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Of which environment.
    pub environment: String,
    /// Of which component.
    pub component: String,
    /// On which colour.
    pub colour: Colour,
    /// 1 ..= replicas.
    pub slot: u16,
    /// What.
    pub version: String,
    /// For which release.
    pub release: u64,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// The process that looks after it.
    pub shim: i32,
    /// The application's process, while there is one.
    pub pid: Option<i32>,
    /// What the shim does just now.
    pub phase: Phase,
    /// Starts after the first.
    pub restarts: u32,
    /// Whether it restarts over and over.
    pub crash_looping: bool,
    /// Why it last ended or could not be started.
    pub failure: Option<String>,
}

/// What runs, of one environment or of all, in the order of their names. A shim that does not answer is listed from
/// what it has left on disk.
///
/// # Errors
/// The state folder cannot be read.
pub async fn list(state_dir: &Path, environment: Option<&str>) -> Result<Vec<Running>, FileError> {
    let mut looks = JoinSet::new();
    for dir in instances(state_dir, environment)? {
        looks.spawn(async move { look(&dir).await });
    }
    let mut all: Vec<Running> = looks.join_all().await.into_iter().flatten().collect();
    all.sort_by(|a, b| {
        let key = |r: &Running| (r.environment.clone(), r.component.clone(), r.colour, r.slot);
        key(a).cmp(&key(b))
    });
    Ok(all)
}

fn instances(state_dir: &Path, environment: Option<&str>) -> Result<Vec<InstanceDir>, FileError> {
    let colours = ColourDir::all(state_dir, environment)?;
    let instances: Result<Vec<_>, _> = colours.iter().map(ColourDir::instances).collect();
    Ok(instances?.into_iter().flatten().collect())
}

async fn look(dir: &InstanceDir) -> Option<Running> {
    if let Ok(mut link) = Link::open(dir).await {
        let state = tokio::time::timeout(Duration::from_secs(1), link.next()).await.ok().flatten().unwrap_or_default();
        let hello = link.hello;
        return Some(Running {
            environment: hello.environment,
            component: hello.component,
            colour: hello.colour,
            slot: hello.slot,
            version: hello.version,
            release: hello.release,
            port: hello.port,
            shim: hello.shim.pid,
            pid: state.child.map(|child| child.pid),
            phase: state.phase,
            restarts: state.restarts,
            crash_looping: state.crash_looping,
            failure: state.failure,
        });
    }
    let (trace, spec) = (dir.process()?, dir.spec().ok().flatten()?);
    let child = trace.child.filter(super::process::Process::is_alive);
    if child.is_none() && !trace.shim.is_alive() {
        return None;
    }
    Some(Running {
        environment: spec.environment,
        component: spec.component,
        colour: spec.colour,
        slot: spec.slot,
        version: spec.version,
        release: spec.release,
        port: spec.port,
        shim: trace.shim.pid,
        pid: child.map(|child| child.pid),
        phase: State::default().phase,
        restarts: 0,
        crash_looping: false,
        failure: Some("its shim does not answer".to_owned()),
    })
}

/// Ends everything the local platform runs, of one environment or of all, and sees to it that an agent, running or
/// started later, does not bring it back. Returns how many instances ran. `grace` replaces each instance's own.
///
/// # Errors
/// The state folder cannot be read or written, or an instance does not end; the others are ended all the same.
pub async fn stop_all(
    state_dir: &Path,
    environment: Option<&str>,
    grace: Option<Duration>,
) -> Result<usize, ShimError> {
    for colour in ColourDir::all(state_dir, environment)? {
        colour.set_desired(None)?;
    }
    let mut ends = JoinSet::new();
    for dir in instances(state_dir, environment)? {
        ends.spawn(async move { shims::stop(&dir, grace).await });
    }
    let ends: Result<Vec<Ended>, ShimError> = ends.join_all().await.into_iter().collect();
    Ok(ends?.into_iter().filter(|&end| end != Ended::WasNot).count())
}
