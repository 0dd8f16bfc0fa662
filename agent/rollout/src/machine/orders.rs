//! A human's orders: taken or refused at once, with the reason and the way out.

use super::leading::Claim;
use super::{Machine, News, Order, Refusal};
use crate::colour::Share;
use crate::document::{Cause, Component, Outcome, Pause, Phase, Slot};
use crate::policy::{Epoch, Verdict};
use crate::settings::Mode;

impl Machine {
    pub(super) fn take_order(&mut self, order: Order) -> Result<(), Refusal> {
        if !self.started.is_done() {
            return Err(Refusal::Starting);
        }
        match order {
            Order::Pause { .. } | Order::Resume { .. } if !self.leads() => Err(Refusal::NotLeading),
            Order::Pause { by } => {
                self.doc.paused = Some(Pause { by: by.clone() });
                self.pausing = Some(self.doc.paused.clone());
                self.announce(News::Paused(by));
                self.persist_keeping();
                Ok(())
            }
            Order::Resume { by } => {
                if self.doc.paused.take().is_some() {
                    self.pausing = Some(None);
                    self.announce(News::Resumed(by));
                    self.persist_keeping();
                }
                Ok(())
            }
            Order::Deploy { .. } | Order::Rollback { .. } | Order::Promote { .. } | Order::Abort { .. }
                if !self.acts() =>
            {
                Err(Refusal::Mode(if self.settings.mode == Mode::Advise { "advise" } else { "observe" }))
            }
            Order::Deploy { .. } | Order::Promote { .. } | Order::Abort { .. } if !self.leads() => {
                Err(Refusal::NotLeading)
            }
            Order::Deploy { versions, by } => self.deploy(versions, by),
            Order::Rollback { by } => self.roll_back(by),
            Order::Promote { .. } => self.promote(),
            Order::Abort { by } => self.abort(by),
        }
    }

    /// A write beside the release's own course: what waits for the store goes on waiting.
    pub(super) fn persist_keeping(&mut self) {
        let held_back = std::mem::take(&mut self.held_back);
        self.persist_then(held_back);
    }

    fn deploy(&mut self, versions: Vec<(String, String)>, by: String) -> Result<(), Refusal> {
        if let Some(pause) = &self.doc.paused {
            return Err(Refusal::Paused { by: pause.by.clone() });
        }
        if self.doc.phase.is_busy() {
            let Epoch { release, .. } = self.doc.epoch;
            return Err(Refusal::Busy { release, by: self.doc.by.clone(), phase: self.doc.phase });
        }
        if self.doc.is_coming_back() {
            return Err(Refusal::ComingBack { release: self.doc.epoch.release });
        }
        if self.store_failing {
            return Err(Refusal::StoreFailing);
        }
        if let Some(edge) = self.facts.silent(self.last.time, |edge| self.settings.owns(edge)) {
            let edge = self.doc.edges.get(edge).cloned().unwrap_or_default();
            return Err(Refusal::EdgeUnreachable { edge });
        }
        if versions.is_empty() {
            return Err(Refusal::NothingToDeploy);
        }
        let mut wanted = vec![None; self.doc.components.len()];
        for (name, version) in versions {
            let id = self.settings.component(&name).ok_or_else(|| self.unknown_component(&name))?;
            if !is_version(&version) {
                return Err(Refusal::Version(version));
            }
            wanted[id] = Some(version);
        }
        for (component, version) in self.doc.components.iter().zip(&mut wanted) {
            if component.active().version.is_some() && component.active().version == *version {
                *version = None;
            }
        }
        if wanted.iter().all(Option::is_none) {
            return Err(Refusal::AlreadyRunning { release: self.doc.epoch.release });
        }
        self.begin(wanted, by);
        Ok(())
    }

    fn begin(&mut self, wanted: Vec<Option<String>>, by: String) {
        for (component, version) in self.doc.components.iter_mut().zip(wanted) {
            let stable = component.active().clone();
            let candidate = match version {
                Some(version) => Slot { colour: stable.colour.other(), version: Some(version) },
                None => stable.clone(),
            };
            *component = Component { stable, candidate, share: Share::NONE, name: std::mem::take(&mut component.name) };
        }
        if self.is_shared() {
            self.claim = Some(Claim { revision: self.doc.revision + 1, before: self.doc.epoch });
        }
        let doc = &mut self.doc;
        doc.epoch = Epoch { release: doc.epoch.release.saturating_add(1), verdict: Verdict::Open, step: 0 };
        doc.share = Share::NONE;
        doc.edges.clone_from(&self.settings.edges);
        doc.salt = self.settings.salt.clone();
        doc.by = by;
        doc.outcome = None;
        doc.cause = None;
        doc.emergency.clear();
        doc.emergency_spent = false;
        doc.kept = None;
        self.facts.resize_edges(doc.edges.len());
        for (id, component) in doc.components.iter().enumerate().filter(|(_, c)| c.takes_part()) {
            self.facts.expect(id, component.candidate.colour, doc.epoch.release);
        }
        self.no_way_back_told = false;
        self.evidence = super::evidence::Watch::default();
        self.enter(Phase::Deploying);
        let actions = self.start_candidates();
        self.persist_then(actions);
    }

    fn roll_back(&mut self, by: String) -> Result<(), Refusal> {
        match self.doc.phase {
            Phase::Idle => return Err(Refusal::NothingToRollBack),
            Phase::RollingBack => return Ok(()),
            Phase::Deploying | Phase::Smoke => {}
            Phase::Retaining if self.must_scale_up() => return self.scale_up_first(by),
            Phase::Switching | Phase::Watching | Phase::Held | Phase::Retaining => {
                let unready = self.participants().find(|(id, c)| !self.facts.is_ready(*id, c.stable.colour));
                if let Some((_, c)) = unready {
                    if !self.is_oriented() {
                        return Err(Refusal::Starting);
                    }
                    let version = c.stable.version.clone().unwrap_or_else(|| "none: this is the first release".into());
                    return Err(Refusal::NoWayBack { component: c.name.clone(), version });
                }
            }
        }
        self.call_bad(Cause::Order { by });
        Ok(())
    }

    /// Takes an order to go back to an old colour that has fewer instances than it had.
    fn scale_up_first(&mut self, by: String) -> Result<(), Refusal> {
        if let Some((_, c)) = self.participants().find(|(_, c)| c.stable.version.is_none()) {
            let version = "none: this is the first release".into();
            return Err(Refusal::NoWayBack { component: c.name.clone(), version });
        }
        if self.doc.is_coming_back() {
            return Ok(());
        }
        if self.store_failing {
            return Err(Refusal::CannotScaleUp);
        }
        self.asked_back = Some((self.doc.epoch.release, Cause::Order { by: by.clone() }));
        self.come_back(Cause::Order { by });
        Ok(())
    }

    fn promote(&mut self) -> Result<(), Refusal> {
        if let Some(pause) = &self.doc.paused {
            return Err(Refusal::Paused { by: pause.by.clone() });
        }
        let wrong = |phase, instead| Err(Refusal::WrongPhase { order: "promote", phase, instead });
        match self.doc.phase {
            Phase::Watching | Phase::Held => {
                let outcome = if self.is_known(self.last.time) { Outcome::Completed } else { Outcome::Kept };
                self.go_on(outcome);
                Ok(())
            }
            phase @ (Phase::Deploying | Phase::Smoke | Phase::Switching) => wrong(phase, "wait until it is watched"),
            phase @ (Phase::Idle | Phase::Retaining) => wrong(phase, "there is nothing to promote"),
            phase @ Phase::RollingBack => wrong(phase, "a bad release stays bad; deploy again"),
        }
    }

    fn abort(&mut self, by: String) -> Result<(), Refusal> {
        let wrong = |phase, instead| Err(Refusal::WrongPhase { order: "abort", phase, instead });
        match self.doc.phase {
            Phase::Deploying | Phase::Smoke => {
                self.call_bad(Cause::Order { by });
                Ok(())
            }
            Phase::RollingBack => Ok(()),
            phase @ Phase::Idle => wrong(phase, "there is nothing to abort"),
            phase @ (Phase::Switching | Phase::Watching | Phase::Held | Phase::Retaining) => {
                wrong(phase, "traffic has moved: use `rollback`")
            }
        }
    }

    fn unknown_component(&self, name: &str) -> Refusal {
        let known: Vec<&str> = self.settings.components.iter().map(|c| c.name.as_str()).collect();
        Refusal::UnknownComponent { name: name.to_owned(), known: known.join(", ") }
    }
}

/// Whether this can be a version. It becomes part of a path and of a command line, so it may not start like an option
/// or climb; an image's digest is one.
#[must_use]
pub fn is_version(version: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    version.len() <= 128
        && version.bytes().next().is_some_and(plain)
        && version.bytes().all(|b| plain(b) || matches!(b, b'.' | b'+' | b'-' | b':' | b'@'))
        && !version.contains("..")
}
