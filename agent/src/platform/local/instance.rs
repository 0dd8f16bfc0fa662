//! One instance as its keeper sees it: its shim kept alive, its state and its readiness reported at every change.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::files::{ColourDir, InstanceDir};
use super::protocol::{Link, Phase, State};
use super::ready::Readiness;
use super::shims;
use super::spec::Spec;

/// The wait after a shim could not be started, and between visits to one that does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// How an instance is, as far as capacity goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) ready: bool,
    pub(super) crash_looping: bool,
    /// Why it is not ready.
    pub(super) failure: Option<String>,
}

/// What one instance needs to be kept.
pub(super) struct Instance {
    pub(super) teal: PathBuf,
    pub(super) colour_dir: ColourDir,
    pub(super) dir: InstanceDir,
    /// What is to run; its `instance` is filled in at each launch.
    pub(super) spec: Spec,
    /// Index in the colour.
    pub(super) index: usize,
    pub(super) reports: mpsc::Sender<(usize, Health)>,
    /// Cancelled when the instance is to be ended: the keeper then lets go, and whoever cancelled ends it.
    pub(super) release: CancellationToken,
}

impl Instance {
    /// Adopts the shim that is there, or starts one, again and again until released.
    pub(super) async fn keep(self) {
        let release = self.release.clone();
        while !release.is_cancelled() {
            match Link::open(&self.dir).await {
                Ok(link) if self.is_ours(&link) => {
                    let followed = self.follow(link);
                    if release.run_until_cancelled(followed).await.is_some() {
                        tracing::warn!(instance = self.spec.label(), "its shim has ended; starting another");
                    }
                }
                Ok(_) => {
                    tracing::warn!(instance = self.spec.label(), "another version runs in its place; ending that");
                    if let Err(error) = shims::stop(&self.dir, None).await {
                        self.fail(&error).await;
                    }
                }
                // Hung or starved. It may well serve, so it is not replaced, only asked again.
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    tracing::warn!(instance = self.spec.label(), "its shim does not answer");
                    let _released = release.run_until_cancelled(self.follow_unseen()).await;
                }
                Err(_) => self.launch().await,
            }
        }
    }

    /// The proof: it says the id that stands in the folder's spec, and that spec is what is to run.
    fn is_ours(&self, link: &Link) -> bool {
        let recorded = self.dir.spec().ok().flatten();
        link.hello.version == self.spec.version && recorded.is_some_and(|spec| spec.instance == link.hello.instance)
    }

    /// Not cancelled half-way, lest a shim be started that nobody knows of.
    async fn launch(&self) {
        if matches!(self.colour_dir.desired(), Ok(None)) {
            // Stopped from outside the agent: the colour's task will notice.
            self.report(Health::default()).await;
            return self.release.cancelled().await;
        }
        let spec = Spec { instance: uuid::Uuid::new_v4().to_string(), ..self.spec.clone() };
        if let Err(error) = shims::launch(&self.teal, &self.dir, &spec).await {
            self.fail(&error).await;
        }
    }

    async fn fail(&self, error: &shims::ShimError) {
        tracing::warn!(instance = self.spec.label(), %error, "cannot be started");
        self.report(Health { failure: Some(error.to_string()), ..Health::default() }).await;
        let _released = self.release.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
    }

    async fn report(&self, health: Health) {
        let _nobody_listens = self.reports.send((self.index, health)).await;
    }

    fn readiness(&self) -> Readiness {
        Readiness::new(self.spec.port, &self.spec.ready, self.spec.ready_interval)
    }

    /// Returns when the shim has gone.
    async fn follow(&self, mut link: Link) {
        let mut readiness = self.readiness();
        let Some(mut state) = link.next().await else { return };
        // Nothing is said of an adopted process before it has been asked: silence is better than a false alarm.
        let mut known = false;
        loop {
            let running = state.phase == Phase::Running;
            known |= !running || readiness.was_asked();
            if known {
                self.report(health(&state, &readiness)).await;
            }
            tokio::select! {
                biased;
                next = link.next() => {
                    let Some(next) = next else { break };
                    if next.phase != Phase::Running || next.child != state.child {
                        readiness.reset();
                    }
                    state = next;
                }
                () = ask_on(&mut readiness), if running => {}
            }
        }
        self.report(Health::default()).await;
    }

    /// The fall-back while a shim does not answer: the process it has left on disk, and its port.
    async fn follow_unseen(&self) {
        let mut readiness = self.readiness();
        loop {
            let child = self.dir.process().and_then(|trace| trace.child);
            if child.is_some_and(|child| child.is_alive()) {
                readiness.ask().await;
            } else {
                readiness.reset();
            }
            let failure = Some("its shim does not answer".to_owned()).filter(|_| !readiness.is_ready());
            self.report(Health { ready: readiness.is_ready(), crash_looping: false, failure }).await;
            tokio::time::sleep(AGAIN).await;
            if !matches!(Link::open(&self.dir).await, Err(error) if error.kind() == io::ErrorKind::TimedOut) {
                return;
            }
        }
    }
}

/// The next question, at once when none has been asked yet.
async fn ask_on(readiness: &mut Readiness) {
    if readiness.was_asked() {
        tokio::time::sleep(readiness.wait()).await;
    }
    readiness.ask().await;
}

fn health(state: &State, readiness: &Readiness) -> Health {
    let ready = state.phase == Phase::Running && readiness.is_ready();
    let failure = state.failure.clone().or_else(|| readiness.reason().map(str::to_owned)).filter(|_| !ready);
    Health { ready, crash_looping: state.crash_looping, failure }
}
