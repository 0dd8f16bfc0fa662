//! Who leads: a Lease in the cluster, held by one agent at a time and judged by this machine's clock alone.
//!
//! ```text
//!   the holder:  renew -- 2/3 of the lease --> its lead ends by itself | others: a renewal seen -- a lease without
//!                  '-- renew again after 1/3 --^                       |         another one --> take over (CAS)
//! ```
//! No time that another machine wrote is ever read. A lead is a deadline, compared with the clock by whoever asks at the moment
//! of asking: a process that was stopped and wakes does not lead, whatever it believed before.

mod clock;
mod held;
mod seen;
mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::Patience;

/// How long a lease lasts, and how often it is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// After so long without a renewal others take over; whole seconds.
    pub lease: Duration,
    /// Between two renewals: at most a third of it.
    pub renew: Duration,
}

impl Term {
    /// Renewed each third of `lease` (whole seconds, at least one).
    #[must_use]
    pub fn of(lease: Duration) -> Self {
        let lease = Duration::from_secs(lease.as_secs().max(1));
        Self { lease, renew: lease / 3 }
    }

    /// So long after a renewal the lead ends by itself: a third of the lease before anybody else may begin theirs.
    fn lead(self) -> Duration {
        self.lease * 2 / 3
    }
}

/// Which lease, and how it is held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub namespace: String,
    /// `teal-APP`.
    pub name: String,
    /// Who holds it: the agent's name and an id kept in its state folder. A process that finds this name there takes the
    /// lease up at once, so it must be sure that no other process has it: the lock of the state folder sees to that.
    pub identity: String,
    /// At rest.
    pub calm: Term,
    /// While [`Lease::hurry`] is on: a release is under way.
    pub brisk: Term,
    /// Between two tries.
    pub patience: Patience,
}

impl Settings {
    /// With the usual terms: 45 s at rest (4 requests a minute), 15 s during a release.
    #[must_use]
    pub fn new(namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.to_owned(),
            calm: Term::of(Duration::from_secs(45)),
            brisk: Term::of(Duration::from_secs(15)),
            patience: Patience::default(),
        }
    }

    /// Where nobody else is meant to be: 5 min at rest (6 requests in ten minutes).
    #[must_use]
    pub fn alone(self) -> Self {
        Self { calm: Term::of(Duration::from_secs(300)), ..self }
    }
}

/// How this agent stands; told anew at each renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Until when it leads; `None`: it does not. To be compared with the clock at each use.
    pub until: Option<Instant>,
    /// How often the lease changed hands: greater than that of everybody who led before.
    pub fence: u64,
    /// Who holds it, as far as was seen.
    pub holder: Option<String>,
}

/// The lease as this agent has it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    standing: watch::Receiver<Standing>,
}

#[derive(Debug)]
struct Shared {
    /// When the lead ends, in ns of [`clock::now`]; 0: it does not lead.
    ends: AtomicU64,
    hurry: watch::Sender<bool>,
}

impl Shared {
    fn set_end(&self, end: Option<Duration>) {
        let nanos = end.map_or(0, |end| u64::try_from(end.as_nanos()).unwrap_or(u64::MAX));
        self.ends.store(nanos, Ordering::Release);
    }

    fn left(&self) -> Option<Duration> {
        let end = Duration::from_nanos(self.ends.load(Ordering::Acquire));
        end.checked_sub(clock::now()).filter(|left| !left.is_zero())
    }
}

impl Lease {
    /// Whether this agent leads now, by the clock of this moment, which went on while the process or the machine slept.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.shared.left().is_some()
    }

    /// One that leads or does not, as the test says.
    #[cfg(test)]
    pub(crate) fn fixed(leads: bool) -> (Self, watch::Sender<Standing>) {
        let (publish, standing) = watch::channel(Standing::default());
        let shared = Arc::new(Shared { ends: AtomicU64::new(0), hurry: watch::Sender::new(false) });
        let lease = Self { shared, standing };
        lease.fix(leads);
        (lease, publish)
    }

    /// Changes one of [`Self::fixed`].
    #[cfg(test)]
    pub(crate) fn fix(&self, leads: bool) {
        self.shared.set_end(leads.then_some(Duration::MAX));
    }

    /// How it stands, told anew at each change and renewal.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Whether others should take over sooner than at rest: while a release is under way.
    pub fn hurry(&self, on: bool) {
        self.shared.hurry.send_if_modified(|hurry| std::mem::replace(hurry, on) != on);
    }
}

/// Takes part in the lease until `stop`; then it is given back, and the task ends.
#[must_use]
pub fn spawn(client: kube::Client, settings: Settings, stop: CancellationToken) -> (Lease, JoinHandle<()>) {
    let (publish, standing) = watch::channel(Standing::default());
    let shared = Arc::new(Shared { ends: AtomicU64::new(0), hurry: watch::Sender::new(false) });
    let lease = Lease { shared: shared.clone(), standing };
    let task = task::Task::new(client, settings, shared, publish, &stop);
    (lease, tokio::spawn(task.run(stop)))
}

#[cfg(test)]
mod tests;
