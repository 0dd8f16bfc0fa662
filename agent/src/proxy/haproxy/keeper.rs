//! Keeps the running HAProxy at the ordered policy: writes it, looks whether it stays, mends what restarts undo.
//!
//! ```text
//!            +--> order? -- write, read back --+
//!  new order |                                 v
//!  or time --+                       look: process, value, counters
//!            ^                                 |
//!            |   same value                    | fine
//!            |   another value, same process   | manual: a person's hand, left alone until the next order
//!            +-- anything else                 | drift: written again at once
//! ```

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::machine::event::Backend;
use teal_rollout::policy::Policy;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::hangs::{Before, Hangs};
use super::memory::Memory;
use super::runtime::{Look, Process, Runtime, RuntimeError};
use super::saver::Target;
use super::status::Counters;
use crate::crash::{self, Place, Way};

/// What the running proxy shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Running {
    /// Whether it was looked at yet, successfully or not.
    pub(super) known: bool,
    /// The process that serves new requests.
    pub(super) process: Option<Process>,
    /// What it routes by.
    pub(super) policy: Option<Policy>,
    /// Somebody changed that by hand.
    pub(super) manual: bool,
    /// The generation of the last target that it acknowledged.
    pub(super) acknowledged: Option<u64>,
    /// Servers and requests.
    pub(super) backends: Vec<Backend>,
    /// Why it cannot be asked or does not do as told.
    pub(super) error: Option<RuntimeError>,
}

/// How often to look while a candidate has requests in flight, so that a hang shows within 25 ms of its limit.
const BUSY: Duration = Duration::from_millis(25);
/// How often while it has none at the moment.
const WATCHED: Duration = Duration::from_millis(50);
/// How often to look otherwise.
const QUIET: Duration = Duration::from_millis(100);
/// So long after an order a candidate is taken to be watched closely. After that each wait is twice as long: a watch that
/// goes on still sees a hang within 50 ms, and a retention of a day costs less than a hundredth of a core.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How soon to look again while HAProxy cannot be reached: it may be back at any moment, without our policy.
const UNREACHABLE: Duration = Duration::from_millis(50);
/// How soon to ask again when a process answered that a reload is just replacing.
const REPLACED: Duration = Duration::from_millis(10);
/// See the module.
pub(super) struct Keeper {
    pub(super) runtime: Runtime,
    pub(super) components: usize,
    pub(super) running: watch::Sender<Running>,
    /// Those it serves: whether they are open tells an HAProxy without its socket from none.
    pub(super) ports: Arc<[u16]>,
    /// Processes that a reload replaced.
    pub(super) replaced: mpsc::UnboundedSender<Process>,
    pub(super) counters: Arc<Counters>,
    pub(super) hangs: Hangs,
    /// What is known of the process behind [`Running::process`].
    pub(super) memory: Memory,
    /// When a failed write is due again.
    pub(super) backoff: Backoff,
    /// When to look next.
    pub(super) look_at: Instant,
    /// When the last order came, or the adapter began.
    pub(super) ordered_at: Instant,
}

impl Keeper {
    /// Runs until the sender of targets is gone. `nudge` asks for a look at once.
    ///
    /// A new target cuts every wait short: nothing is worth finishing that an order has overtaken, least of all
    /// an exchange with a HAProxy that hangs.
    pub(super) async fn run(mut self, mut targets: watch::Receiver<Option<Target>>, nudge: Arc<Notify>) {
        loop {
            let target = targets.borrow_and_update().clone();
            tokio::select! {
                biased;
                changed = targets.changed() => match changed {
                    Ok(()) => {
                        self.backoff = Backoff::new();
                        self.ordered_at = Instant::now();
                    }
                    Err(_) => return,
                },
                () = self.turn(target.as_ref(), &nudge) => {}
            }
        }
    }

    /// Writes what is due, waits, looks. May be dropped at any await: what is kept changes only between them.
    async fn turn(&mut self, target: Option<&Target>, nudge: &Notify) {
        if let Some(target) = target.filter(|target| self.is_due(target) && self.backoff.at() <= Instant::now()) {
            self.write(target).await;
        }
        let retry_at = target.filter(|target| self.is_due(target)).map_or(self.look_at, |_| self.backoff.at());
        tokio::select! {
            () = nudge.notified() => {}
            () = sleep_until(self.look_at.min(retry_at)) => {
                if retry_at < self.look_at {
                    return;
                }
            }
        }
        // Taken before the look: a request that ends in between must not be missing in one and not the other.
        let before = self.hangs.before();
        let look = self.runtime.look().await;
        let was_away = self.running.borrow().error.as_ref().is_some_and(RuntimeError::is_unreachable);
        self.look_at = Instant::now() + self.looked(look, target, &before);
        if was_away && self.running.borrow().error.is_none() {
            self.backoff = Backoff::new();
        }
    }

    async fn write(&mut self, target: &Target) {
        let text = target.policy.to_string();
        self.memory.remember(&text);
        let asked = Instant::now();
        crash::at(Place::Asking, Way::from(&target.policy));
        match self.runtime.set(&text).await {
            Ok(process) if !self.memory.is_over(&process) => {
                crash::at(Place::ReadBack, Way::from(&target.policy));
                self.backoff = Backoff::new();
                self.acknowledged(target, process, asked.elapsed());
            }
            Ok(_) | Err(RuntimeError::Leaving { .. }) => self.backoff.delay(REPLACED),
            Err(error) => {
                self.backoff.failed();
                self.failed(error, false);
            }
        }
    }

    fn is_due(&self, target: &Target) -> bool {
        self.memory.mend || self.running.borrow().acknowledged != Some(target.generation)
    }

    /// HAProxy took the target.
    fn acknowledged(&mut self, target: &Target, process: Process, took: Duration) {
        self.meet(&process);
        if self.memory.mend {
            self.counters.reassertions.add(1);
        }
        self.memory.confirm(&target.policy.to_string());
        // A hang is dated from the first look after a switch: one planned at the idle pace would come too late.
        self.look_at = self.look_at.min(Instant::now() + BUSY);
        self.counters.ack_micros.set(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
        self.running.send_modify(|running| {
            running.known = true;
            running.process = Some(process);
            running.policy = Some(target.policy.clone());
            running.manual = false;
            running.acknowledged = Some(target.generation);
            running.error = None;
        });
    }

    /// A write or, with `blind`, a look failed.
    fn failed(&self, error: RuntimeError, blind: bool) {
        self.running.send_if_modified(|running| {
            let news = running.error.as_ref() != Some(&error);
            if news {
                // In the words of `status`.
                let error = error.clone().seen_from_outside(&self.ports);
                tracing::warn!(%error, "HAProxy's socket cannot be reached, or refuses");
            }
            let changed = news || !running.known || (blind && running.policy.is_some());
            running.known = true;
            if blind {
                running.policy = None;
                running.backends.clear();
            }
            running.error = Some(error);
            changed
        });
    }

    /// Takes in a look and says after how long to look again.
    fn looked(&mut self, look: Result<Look, RuntimeError>, target: Option<&Target>, before: &Before) -> Duration {
        let look = match look {
            Ok(look) if self.memory.is_over(&look.process) => return REPLACED,
            Ok(look) => look,
            Err(error) => {
                let unreachable = error.is_unreachable();
                self.failed(error, true);
                return if unreachable { UNREACHABLE } else { QUIET };
            }
        };
        self.meet(&look.process);
        let parsed = look.value.as_deref().and_then(|value| value.parse::<Policy>().ok());
        let policy = parsed.filter(|policy| policy.routes.len() == self.components);
        let release = policy.as_ref().map_or(0, |policy| policy.epoch.release);
        self.hangs.count(&look.backends, release, before);
        let candidate = policy.as_ref().is_some_and(is_watched);
        let in_flight = look.backends.iter().any(|row| row.in_flight > 0);
        let period = period(candidate, in_flight, self.ordered_at.elapsed() < FRESH);
        let manual = target.is_some_and(|target| self.compare(target, look.value.as_deref(), policy.is_some()));
        let seen = target.filter(|target| policy.as_ref() == Some(&target.policy)).map(|target| target.generation);
        let backends = look.backends.iter().map(|row| Backend {
            component: row.component,
            colour: row.colour,
            up: row.up,
            in_flight: row.in_flight,
        });
        let backends = backends.collect();
        self.running.send_if_modified(|running| {
            let acknowledged = seen.or(running.acknowledged);
            let had_error = running.error.is_some();
            // A write that HAProxy refuses is not mended by a look that it allows.
            let refused = target.is_some_and(|target| acknowledged != Some(target.generation));
            let error = running.error.take().filter(|error| refused && !error.is_unreachable());
            let now =
                Running { known: true, process: Some(look.process), policy, manual, acknowledged, backends, error };
            let changed = *running != now || had_error;
            *running = now;
            changed
        });
        period
    }

    /// Judges the value found against the one ordered; gives whether it is a person's move.
    fn compare(&mut self, target: &Target, value: Option<&str>, valid: bool) -> bool {
        let running = self.running.borrow();
        let text = target.policy.to_string();
        if value == Some(text.as_str()) {
            self.memory.confirm(&text);
            return false;
        }
        if running.acknowledged != Some(target.generation) {
            // Not written yet; that is no drift.
            return running.manual;
        }
        if let Some(value) = value.filter(|value| valid && self.memory.is_by_hand(value)) {
            if self.memory.by_hand.as_deref() != Some(value) {
                tracing::warn!(value, "the policy was changed by hand");
                self.memory.by_hand = Some(value.to_owned());
            }
            return true;
        }
        if !self.memory.mend {
            tracing::warn!(found = value, ordered = %text, "HAProxy lost the ordered policy, writing it again");
            self.counters.drift.add(1);
        }
        self.memory.mend = true;
        false
    }

    /// Notices that another process answers than before.
    fn meet(&mut self, process: &Process) {
        let before = self.running.borrow().process.clone();
        if before.as_ref().is_some_and(|before| before.is(process)) {
            return;
        }
        if let Some(before) = &before {
            tracing::info!(before = before.pid, now = process.pid, "another HAProxy process serves");
            // Nobody is left to hear it only while the adapter stops.
            let _ = self.replaced.send(before.clone());
        }
        self.memory.turn_over(before);
        self.hangs.reset(process.pid);
        self.running.send_modify(|running| {
            running.process = Some(process.clone());
            running.manual = false;
        });
    }
}

/// Whether a candidate has traffic.
fn is_watched(policy: &Policy) -> bool {
    policy.routes.iter().any(|route| route.stable != route.candidate && route.share > Share::NONE)
}

/// How long to wait for the next look.
const fn period(candidate: bool, in_flight: bool, fresh: bool) -> Duration {
    match (candidate, in_flight, fresh) {
        (true, true, true) => BUSY,
        (true, true, false) | (true, false, true) => WATCHED,
        (true, false, false) | (false, ..) => QUIET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_looked_at_closely_while_it_is_new_and_a_restart_is_always_seen_in_time() {
        let check = |candidate, in_flight, fresh, millis| {
            assert_eq!(period(candidate, in_flight, fresh), Duration::from_millis(millis));
        };
        check(true, true, true, 25);
        check(true, false, true, 50);
        check(true, true, false, 50);
        check(true, false, false, 100);
        check(false, true, true, 100);
        check(false, false, false, 100);
    }
}
