//! What the machine announces: into the journal, into the list of releases, and to people.

use teal_rollout::document::{Cause, Outcome, Phase};
use teal_rollout::machine::{News, Notice, View};
use teal_rollout::settings::Mode;

use super::journal::Judged;
use super::{Controller, Journal, snapshot};
use crate::api::{Happening, Known, Release, ReleaseId, why};
use crate::notifier::{Kind, Message};
use crate::proxy::hand::Hand;

impl Controller {
    pub(super) fn announce(&mut self, notice: Notice) {
        let view = self.machine.view();
        let news_kind = Kind::of(&notice.news);
        if matches!(notice.news, News::Ended(..)) {
            // The report that ends a rollback may be the one that shows it done: cause before effect in the history.
            self.time_rollback(&view);
        }
        if matches!(notice.news, News::Entered(_)) {
            self.since = Journal::now();
        }
        if is_verdict(&notice.news) {
            self.environment.timelines.verdict(self.clock.now(), &self.machine, &self.names);
        }
        let hand = self.hand_behind(&notice.news, &view);
        self.list(&notice, &view, hand.as_ref());
        let mut happening = Happening::from(notice.news);
        match &mut happening {
            Happening::Bad { cause, evidence } | Happening::WouldRollBack { cause, evidence } => {
                *evidence = snapshot::sentence(&view, &self.names, cause);
            }
            Happening::Switched { took_us, .. } => *took_us = self.routed.take().map(|(at, _)| micros(at)),
            _ => {}
        }
        self.record(notice.release, &happening);
        if let Some(Hand { by, reason, .. }) = hand {
            self.record(notice.release, &Happening::ByHand { by, reason });
        }
        if let Some(kind) = news_kind.filter(|_| view.mode != Mode::Observe) {
            self.ports.notifier.send(self.message(notice.release, kind, &view));
        }
    }

    /// Who is behind news of a move by hand, where that was `edge force`.
    fn hand_behind(&self, news: &News, view: &View) -> Option<Hand> {
        let is_by_hand =
            matches!(news, News::Observed | News::ManualPutBack | News::Bad(Cause::Manual | Cause::Learned));
        let hands = self.environment.hands.as_ref().filter(|_| is_by_hand)?;
        let policies = view.edges.iter().flatten().flat_map(|edge| [&edge.running, &edge.saved]);
        policies.flatten().find_map(|policy| hands.behind(policy))
    }

    fn message(&self, release: u64, kind: Kind, view: &View) -> Message {
        let judged = snapshot::judgements(view, &self.names);
        let sum = |count: fn(&crate::api::Judgement) -> u64| judged.iter().map(count).sum();
        Message {
            app: self.environment.app.clone(),
            environment: self.environment.name.clone(),
            release: ReleaseId(release).to_string(),
            kind,
            colour: view.document.components.iter().map(|c| c.active().colour).next(),
            counts: (!judged.is_empty()).then(|| (sum(|j| j.requests), sum(|j| j.bad))),
            link: self.environment.url.clone(),
        }
    }

    fn record(&self, release: u64, happening: &Happening) {
        let record = self.environment.journal.add(release, happening);
        self.environment.timelines.noted(self.clock.now(), release, record.seq);
        tracing::info!(environment = self.environment.name, release, kind = record.kind, "{}", record.text);
    }

    /// Keeps the list of releases: a row at the start, its judgements with each decision, closed at the end.
    fn list(&self, notice: &Notice, view: &View, hand: Option<&Hand>) {
        let journal = &self.environment.journal;
        let document = &view.document;
        match &notice.news {
            News::Entered(Phase::Deploying) | News::Observed => {
                let taking_part = || document.components.iter().filter(|c| c.takes_part());
                let versions = |version: fn(&teal_rollout::document::Component) -> &Option<String>| {
                    taking_part().filter_map(|c| Some((c.name.clone(), version(c).clone()?))).collect()
                };
                let release = Release {
                    id: ReleaseId(notice.release),
                    environment: self.environment.name.clone(),
                    from: versions(|c| &c.stable.version),
                    to: versions(|c| &c.candidate.version),
                    by: hand.map_or_else(|| document.by.clone(), |hand| hand.by.clone()),
                    started: Journal::now(),
                    ..Release::default()
                };
                journal.put_release(Judged { release, judgements: Vec::new() });
            }
            News::Ended(..) | News::Bad(_) | News::WouldRollBack(_) | News::NoWayBack(_) => {
                let Some(mut judged) = journal.release(notice.release) else {
                    return;
                };
                if matches!(notice.news, News::Bad(_)) || judged.release.cause.is_none() {
                    judged.judgements = snapshot::judgements(view, &self.names);
                }
                let typed = |hand: &Hand| format!("moved by {}: {}", hand.by, hand.reason);
                match (&notice.news, hand) {
                    // Who and why say more than that somebody did.
                    (News::Bad(_), Some(hand)) => judged.release.cause = Some(typed(hand)),
                    (News::Ended(..), _) if is_by_hand(document.cause.as_ref()) && judged.release.cause.is_some() => {}
                    _ => judged.release.cause = document.cause.as_ref().map(why),
                }
                match &notice.news {
                    News::Ended(outcome, _) => {
                        judged.release.outcome = Some(Known::Known(*outcome));
                        judged.release.ended = Some(Journal::now());
                    }
                    // Somebody else's release: what becomes of it is not Teal's to say, but its watch is over.
                    News::WouldRollBack(_) => judged.release.ended = Some(Journal::now()),
                    _ => {}
                }
                journal.put_release(judged);
            }
            News::Entered(_)
            | News::Switched(_)
            | News::SharedOutage { .. }
            | News::SharedOutageOver
            | News::OutageSuspected { .. }
            | News::Emergency { .. }
            | News::EmergencyOver { .. }
            | News::Kept(_)
            | News::ScalingUp(_)
            | News::NotScaledUp(_)
            | News::ManualAdopted
            | News::ManualPutBack
            | News::SelectorDrift { .. }
            | News::Paused(_)
            | News::Resumed(_)
            | News::Extended => {}
        }
    }

    /// Writes down how long the way back took, from the order until every edge routes by it.
    pub(super) fn time_rollback(&mut self, view: &View) {
        let Some((at, true)) = self.routed else {
            return;
        };
        let document = &view.document;
        let policy = document.policy();
        let there = view.edges.iter().all(|e| e.as_ref().is_some_and(|e| e.running.as_ref() == Some(&policy)));
        if there && document.is_bad() {
            self.routed = None;
            self.record(document.epoch.release, &Happening::Back { took_us: Some(micros(at)) });
        }
    }
}

/// Whether somebody's move of the edge's map called the release bad.
const fn is_by_hand(cause: Option<&Cause>) -> bool {
    matches!(cause, Some(Cause::Manual | Cause::Learned))
}

/// Whether a verdict falls with these news, for better or worse.
const fn is_verdict(news: &News) -> bool {
    matches!(
        news,
        News::Bad(_) | News::WouldRollBack(_) | News::NoWayBack(_) | News::Ended(Outcome::Completed | Outcome::Kept, _)
    )
}

fn micros(since: tokio::time::Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
