//! The agent: the machine, what carries out its actions, and its deaths between any two of them.

use std::time::Duration;

use super::edge::{Left, RETRY as EDGE_RETRY};
use super::scenario::Sabotage;
use super::store::RETRY as STORE_RETRY;
use super::world::{What, World};
use crate::document::{Cause, Outcome, Phase};
use crate::machine::{Action, Direction, Event, Machine, News, Notice, Now, Order, Refusal};
use crate::policy::Policy;
use crate::time::Time;

pub(super) struct Agent {
    pub(super) machine: Machine,
    pub(super) born: Time,
    /// The earliest wake-up that is scheduled.
    wake: Option<Time>,
}

impl World {
    pub(super) fn boot(&mut self) {
        if self.agent.is_some() {
            return;
        }
        self.life += 1;
        let life = self.life;
        let born = self.now;
        let machine = Machine::new(self.scenario.settings.clone(), self.store.load(), self.agent_now(born));
        self.agent = Some(Agent { machine, born, wake: None });
        self.crash_after = None;
        self.checks.new_life(self.now);
        for edge in 0..self.edges.len() {
            self.edges[edge].attach();
            let first = self.random.millis(1, 30);
            self.after(first, What::Report { life, edge });
            let first = self.random.millis(30, 130);
            self.after(first, What::Poll { life, edge });
        }
        for component in 0..self.scenario.settings.components.len() {
            for colour in crate::colour::Colour::BOTH {
                self.tell_capacity(component, colour);
            }
        }
        self.after(Duration::from_secs(1), What::Save { life });
        self.set_wake();
    }

    pub(super) fn die(&mut self) {
        if self.agent.take().is_none() {
            return;
        }
        self.note("the agent dies");
        self.tally.crashes += 1;
        self.crash_after = None;
        self.withheld.clear();
        self.store.crash(&mut self.random);
        for edge in &mut self.edges {
            edge.adapter = None;
        }
        let back = if self.random.chance(0.7) { self.random.millis(20, 500) } else { self.random.millis(500, 8000) };
        self.after(back, What::Boot);
    }

    /// The machine's clocks: a monotonic one since its start, and the wall.
    fn agent_now(&self, born: Time) -> Now {
        let since = u64::try_from(self.now.since(born).as_micros()).unwrap_or(u64::MAX);
        let wall = u64::try_from(self.now.since(Time::ZERO).as_millis()).unwrap_or(0);
        Now { time: Time::from_micros(since), unix_millis: self.unix_millis + wall }
    }

    pub(super) fn deliver(&mut self, event: Event) {
        let Some(born) = self.agent.as_ref().map(|a| a.born) else { return };
        let now = self.agent_now(born);
        let Some(agent) = &mut self.agent else { return };
        self.checks.delivered(agent.machine.document(), &event);
        let actions = agent.machine.handle(now, event);
        self.perform(actions);
    }

    pub(super) fn order(&mut self, order: Order) -> Option<Result<(), Refusal>> {
        let born = self.agent.as_ref()?.born;
        let now = self.agent_now(born);
        if self.recording() {
            self.note(format!("{order:?}"));
        }
        self.checks.hand = matches!(order, Order::Promote { .. });
        let result = self.agent.as_mut()?.machine.order(now, order);
        let answer = match result {
            Ok(actions) => {
                self.perform(actions);
                Ok(())
            }
            Err(refusal) => {
                self.note(format!("refused: {refusal}"));
                self.tally.refused += 1;
                Err(refusal)
            }
        };
        self.checks.hand = false;
        Some(answer)
    }

    pub(super) fn wake(&mut self) {
        if let Some(agent) = &mut self.agent {
            agent.wake = None;
        }
        self.deliver(Event::Tick);
    }

    fn set_wake(&mut self) {
        let life = self.life;
        let Some(agent) = &mut self.agent else { return };
        let Some(deadline) = agent.machine.deadline() else { return };
        let at = agent.born + deadline.since(Time::ZERO);
        if agent.wake.is_none_or(|wake| at < wake) {
            agent.wake = Some(at);
            let delay = at.since(self.now);
            self.after(delay, What::Wake { life });
        }
    }

    pub(super) fn save(&mut self) {
        let life = self.life;
        if let Some(agent) = &self.agent {
            self.store.save(agent.machine.checkpoint(), agent.machine.baselines());
        }
        self.after(Duration::from_secs(1), What::Save { life });
    }

    fn perform(&mut self, actions: Vec<Action>) {
        self.watch_document();
        let actions = self.tamper(actions);
        let mut early = Vec::new();
        for action in actions {
            if let Some(left) = self.crash_after.take() {
                if left == 0 {
                    return self.die();
                }
                self.crash_after = Some(left - 1);
            }
            if let (Action::Persist(doc), Some(Sabotage::ActsBeforePersist)) = (&action, self.scenario.sabotage) {
                early.push(doc.revision);
            }
            self.act(action);
        }
        self.set_wake();
        for revision in early {
            self.deliver(Event::Stored { revision });
        }
    }

    fn act(&mut self, action: Action) {
        if self.recording() && !matches!(action, Action::Route { .. }) {
            match &action {
                Action::Persist(d) => self.note(format!("-> persist {} {} {:?}", d.revision, d.epoch, d.phase)),
                action => self.note(format!("-> {action:?}")),
            }
        }
        let life = self.life;
        let soon = self.random.millis(0, 2);
        match action {
            Action::Persist(document) => {
                if self.store.push(*document) {
                    let latency = self.store.latency(&mut self.random);
                    self.after(latency, What::Store { life });
                }
            }
            Action::Route { edge, policy, direction } => {
                self.after(soon, What::Order { life, edge, policy, direction });
            }
            Action::Start { component, colour, version, .. } => {
                self.check_start(component, colour, &version);
                self.after(soon, What::Start { life, component, colour, version });
            }
            Action::Select { .. } => {}
            Action::Stop { component, colour, .. } => {
                self.check_stop(component, colour);
                self.after(soon, What::Stop { life, component, colour });
            }
            Action::Smoke { release, targets } => {
                let takes = self.random.millis(100, 1500);
                self.after(takes, What::Smoke { life, release, targets });
            }
            Action::Probe(probe) => {
                self.after(soon, What::Probe { life, probe });
            }
            Action::Sample { round, component, colour, release } => {
                self.after(soon, What::Sample { life, round, component, colour, release });
            }
            Action::Announce(notice) => self.announced(&notice),
        }
    }

    fn announced(&mut self, notice: &Notice) {
        match &notice.news {
            News::Entered(Phase::Deploying) => self.tally.releases += 1,
            News::Entered(Phase::Held) => self.tally.held += 1,
            News::Ended(Outcome::Completed, _) => self.tally.completed += 1,
            News::Ended(Outcome::Kept, _) => self.tally.kept += 1,
            News::Ended(Outcome::RolledBack, _) => self.tally.rolled_back += 1,
            News::Ended(Outcome::Aborted, _) => self.tally.aborted += 1,
            News::Bad(Cause::Errors { .. }) => self.tally.by_errors += 1,
            News::Bad(Cause::Gone { .. } | Cause::CrashLoop { .. }) => self.tally.by_facts += 1,
            News::Bad(Cause::Learned) => self.tally.learned += 1,
            News::Emergency { .. } => self.tally.emergencies += 1,
            News::SharedOutage { .. } => self.tally.shared += 1,
            News::OutageSuspected { .. } => self.tally.suspected += 1,
            News::ManualAdopted => self.tally.adopted += 1,
            News::ManualPutBack => self.tally.put_back += 1,
            _ => {}
        }
        self.check_news(notice);
    }

    // --- the adapters -------------------------------------------------------------------------------

    pub(super) fn write_store(&mut self) {
        let life = self.life;
        match self.store.write() {
            Some(Ok(revision)) => {
                self.release_withheld();
                self.deliver(Event::Stored { revision });
                if self.store.is_busy() {
                    let latency = self.store.latency(&mut self.random);
                    self.after(latency, What::Store { life });
                }
            }
            Some(Err(revision)) => {
                self.after(STORE_RETRY, What::Store { life });
                self.deliver(Event::StoreFailed { revision });
            }
            None => {}
        }
    }

    pub(super) fn order_edge(&mut self, edge: usize, policy: Policy, direction: Direction) {
        let accepted = self.edges[edge].adapter.as_ref().is_some_and(|a| policy.epoch >= a.greatest);
        if accepted {
            self.check_accepted(edge, &policy);
        }
        let left = self.edges[edge].take(policy, direction);
        self.go_on_at(edge, left);
    }

    pub(super) fn write_file(&mut self, edge: usize, order: u64) {
        if self.is_current(edge, order) {
            let left = self.edges[edge].write_file();
            self.go_on_at(edge, left);
        }
    }

    pub(super) fn write_running(&mut self, edge: usize, order: u64) {
        if self.is_current(edge, order) {
            let left = self.edges[edge].write_running(self.now);
            self.go_on_at(edge, left);
        }
    }

    fn is_current(&self, edge: usize, order: u64) -> bool {
        self.edges[edge].adapter.as_ref().is_some_and(|a| a.order == order)
    }

    pub(super) fn go_on_at(&mut self, edge: usize, left: Left) {
        let life = self.life;
        let Some(order) = self.edges[edge].adapter.as_ref().map(|a| a.order) else { return };
        let soon = self.random.millis(0, 2);
        let file = What::WriteFile { life, edge, order };
        let running = What::WriteRunning { life, edge, order };
        match left {
            Left::Nothing => {}
            Left::File => self.after(soon, file),
            Left::Running => self.after(soon, running),
            Left::Both => {
                self.after(soon, running);
                let later = soon + self.random.millis(0, 2);
                self.after(later, file);
            }
            Left::RetryFile => {
                self.after(EDGE_RETRY, file);
                self.report(edge);
            }
            Left::RetryRunning => self.after(EDGE_RETRY, running),
            Left::Report => self.report(edge),
        }
    }

    pub(super) fn report(&mut self, edge: usize) {
        let backends = self.backends(edge);
        if let Some(mut report) = self.edges[edge].report(edge, backends) {
            if self.scenario.sabotage == Some(Sabotage::PromotesOnSilence) {
                report.feed = crate::machine::event::Feed::Live;
            }
            let life = self.life;
            let soon = self.random.millis(0, 2);
            self.after(soon, What::Event { life, event: Event::Edge(report) });
        }
    }
}
