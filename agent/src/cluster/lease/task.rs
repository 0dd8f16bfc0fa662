//! The task: renews what it holds, takes what is free, and otherwise looks on.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::held::{self, Held};
use super::seen::{Seen, transitions};
use super::{Settings, Shared, Standing, Term, clock};
use crate::cluster::client::{brief, is_conflict, is_not_found};
use crate::cluster::watch::{self as objects, Scope, Watched};

/// How long the end of the agent may wait for the lease to be given back.
const FAREWELL: Duration = Duration::from_secs(2);
/// A write takes no longer, whatever client was given.
const ANSWER: Duration = Duration::from_secs(6);
/// Far away: nothing to wait for.
const LATER: Duration = Duration::from_secs(3_600);

pub(super) struct Task {
    api: Api<Lease>,
    settings: Settings,
    shared: Arc<Shared>,
    publish: watch::Sender<Standing>,
    watched: Watched<Lease>,
    hurry: watch::Receiver<bool>,
    held: Option<Held>,
    seen: Option<Seen>,
    /// Not before then is anything tried again.
    pause: Option<Instant>,
}

impl Task {
    pub(super) fn new(
        client: kube::Client,
        settings: Settings,
        shared: Arc<Shared>,
        publish: watch::Sender<Standing>,
        stop: &CancellationToken,
    ) -> Self {
        let api: Api<Lease> = Api::namespaced(client, &settings.namespace);
        let (watched, _) = objects::spawn(api.clone(), Scope::named(&settings.name), stop.child_token());
        let hurry = shared.hurry.subscribe();
        Self { api, settings, shared, publish, watched, hurry, held: None, seen: None, pause: None }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        // What is in flight when the agent ends is not waited for: giving back goes over its version or not at all.
        while stop.run_until_cancelled(self.turn()).await.is_some() {}
        self.give_back().await;
    }

    async fn turn(&mut self) {
        let next = self.next();
        tokio::select! {
            () = sleep_until(next) => {}
            true = self.watched.changed() => {}
            Ok(()) = self.hurry.changed() => self.renew_now(),
        }
        self.look();
        if self.pause.is_some_and(|pause| Instant::now() < pause) {
            return;
        }
        self.pause = None;
        if self.held.is_some() {
            if self.held.as_ref().is_some_and(|held| held.renew <= Instant::now()) {
                self.renew().await;
            }
        } else if self.is_free() {
            self.take().await;
        }
    }

    /// When there is something to do at the latest.
    fn next(&self) -> Instant {
        let now = Instant::now();
        match (self.pause, &self.held, &self.seen) {
            (Some(pause), ..) => pause,
            (None, Some(held), _) => held.renew,
            // Also what was lost a moment ago and nobody has: no sign of the watch may follow.
            (None, None, _) if self.is_free() => now,
            (None, None, Some(seen)) => now + seen.left(),
            (None, None, None) => now + LATER,
        }
    }

    /// Takes notice of what the watch shows and of the clock.
    fn look(&mut self) {
        let (found, is_complete, is_current) = self
            .watched
            .look_and_note(|view| (view.named(&self.settings.name).cloned(), view.is_complete(), view.is_current()));
        match (&mut self.seen, found) {
            (Some(seen), Some(object)) if !seen.is_other(&object) => seen.is_gone = false,
            (_, Some(object)) => self.seen = Some(Seen::new((*object).clone())),
            (Some(seen), None) if is_complete => seen.is_gone = true,
            (_, None) => {}
        }
        if let Some(seen) = &mut self.seen {
            seen.looked(Instant::now(), is_current);
        }
        if let Some(held) = &self.held {
            let another = self.seen.as_ref().filter(|seen| seen.holder() != Some(self.settings.identity.as_str()));
            // A sight of it from before it was ours has fewer changes of hands.
            if another.is_some_and(|seen| seen.transitions() > transitions(&held.object)) {
                self.lose("another took it over");
            } else if held.end <= clock::now() {
                self.lose("it could not be renewed in time");
            } else if self.seen.as_ref().is_some_and(|seen| seen.is_gone) {
                self.renew_now();
            }
        }
        self.tell();
    }

    fn is_free(&self) -> bool {
        match &self.seen {
            // Never seen, and certainly not there.
            None => self.watched.look(|view| view.is_complete() && view.is_current()),
            Some(seen) => match seen.holder() {
                None => true,
                Some(holder) => holder == self.settings.identity || seen.left().is_zero(),
            },
        }
    }

    fn term(&self) -> Term {
        if *self.hurry.borrow() { self.settings.brisk } else { self.settings.calm }
    }

    fn renew_now(&mut self) {
        if let Some(held) = &mut self.held {
            held.renew = Instant::now();
        }
    }

    async fn take(&mut self) {
        let (term, began) = (self.term(), clock::now());
        let before = self.seen.as_ref().filter(|seen| !seen.is_gone).map(|seen| &seen.object);
        let count = self.seen.as_ref().map_or(0, Seen::transitions) + 1;
        let object = held::taken(&self.settings, term, before, count);
        let written = match before {
            Some(_) => self.written(self.api.replace(&self.settings.name, &PostParams::default(), &object)).await,
            None => self.written(self.api.create(&PostParams::default(), &object)).await,
        };
        match written {
            Ok(object) => {
                tracing::info!(lease = self.settings.name, fence = count, "this agent leads");
                self.hold(object, term, began);
            }
            // Another was faster, or our own answer was lost: the watch shows which.
            Err(why) => self.wait(&why),
        }
    }

    async fn renew(&mut self) {
        let (term, began) = (self.term(), clock::now());
        let Some(held) = &mut self.held else { return };
        if term.lead() < held.term.lead() {
            // From now on others may go by the shorter one, whether we hear of that or not.
            held.end = held.end.min(began + term.lead());
            self.shared.set_end(Some(held.end));
        }
        let count = transitions(&held.object);
        let object = held::taken(&self.settings, term, Some(&held.object), count);
        let written = self.written(self.api.replace(&self.settings.name, &PostParams::default(), &object)).await;
        match written {
            Ok(object) => self.hold(object, term, began),
            Err(Failure { is_final: true, why }) => {
                let read = self.written(self.api.get(&self.settings.name)).await;
                match read {
                    // It was our own write whose answer was lost, or somebody put a label on it.
                    Ok(object) if self.is_mine(&object, count) => {
                        if let Some(held) = &mut self.held {
                            held.object = object;
                        }
                        self.wait(&Failure { is_final: true, why });
                    }
                    Ok(_) => self.lose(&why),
                    Err(failure) if failure.is_final => self.lose(&failure.why),
                    Err(failure) => self.wait(&failure),
                }
            }
            Err(failure) => self.wait(&failure),
        }
    }

    fn is_mine(&self, object: &Lease, count: u64) -> bool {
        let holder = object.spec.as_ref().and_then(|spec| spec.holder_identity.as_ref());
        holder == Some(&self.settings.identity) && transitions(object) == count
    }

    fn hold(&mut self, object: Lease, term: Term, began: Duration) {
        // Counted from before the request: others cannot have seen it earlier.
        let end = began + term.lead();
        self.held = Some(Held { object, end, renew: Instant::now() + term.renew, term });
        self.shared.set_end(Some(end));
        self.tell();
    }

    fn lose(&mut self, why: &str) {
        self.shared.set_end(None);
        if self.held.take().is_some() {
            tracing::warn!(lease = self.settings.name, why, "this agent leads no more");
        }
        self.tell();
    }

    fn wait(&mut self, failure: &Failure) {
        tracing::debug!(lease = self.settings.name, failure.why, "the lease was not written");
        self.pause = Some(Instant::now() + self.settings.patience.pause());
    }

    /// Publishes how it stands, if that is news.
    fn tell(&self) {
        let left = self.held.as_ref().and_then(|held| held.end.checked_sub(clock::now()));
        let holder = match (&self.held, &self.seen) {
            (Some(_), _) => Some(self.settings.identity.clone()),
            (None, seen) => seen.as_ref().and_then(Seen::holder).map(str::to_owned),
        };
        let fence = self.held.as_ref().map(|held| transitions(&held.object));
        let fence = fence.unwrap_or_else(|| self.seen.as_ref().map_or(0, Seen::transitions));
        let until = left.map(|left| Instant::now() + left);
        self.publish.send_if_modified(|known| {
            // The same moment, computed again, differs by what passed between two clocks.
            let same = |(a, b): (Instant, Instant)| a.max(b) - a.min(b) < Duration::from_millis(5);
            let is_same = known.until.zip(until).map_or(known.until == until, same);
            if is_same && known.fence == fence && known.holder == holder {
                return false;
            }
            *known = Standing { until, fence, holder };
            true
        });
    }

    async fn give_back(mut self) {
        let Some(held) = self.held.take() else { return };
        // First it leads no more, then others may.
        self.shared.set_end(None);
        self.tell();
        let giving = async {
            let given = self.give(&held.object).await;
            // A renewal may have been under way.
            let again = given.as_ref().is_err_and(is_conflict);
            let found = if again { self.api.get(&self.settings.name).await.ok() } else { None };
            match found.filter(|found| self.is_mine(found, transitions(&held.object))) {
                Some(found) => self.give(&found).await.is_ok(),
                None => given.is_ok(),
            }
        };
        if !timeout(FAREWELL, giving).await.unwrap_or(false) {
            tracing::info!(lease = self.settings.name, "the lease was not given back; others wait until it is over");
        }
    }

    async fn give(&self, held: &Lease) -> kube::Result<Lease> {
        self.api.replace(&self.settings.name, &PostParams::default(), &held::given_back(held)).await
    }

    async fn written(&self, write: impl Future<Output = kube::Result<Lease>>) -> Result<Lease, Failure> {
        let late = || Failure { is_final: false, why: "the API server does not answer".to_owned() };
        timeout(ANSWER, write)
            .await
            .map_err(|_| late())?
            .map_err(|error| Failure { is_final: is_conflict(&error) || is_not_found(&error), why: brief(&error) })
    }
}

/// Why a request did not do what was asked.
struct Failure {
    /// The lease is not as it was believed to be.
    is_final: bool,
    why: String,
}
