//! The agent: the machine, what carries out its actions, and its deaths between any two of them.

use std::time::Duration;

use super::hearing::RELIST;
use super::platform::Scaling;
use super::scenario::Sabotage;
use super::world::{What, World};
use crate::document::{Cause, Outcome, Phase};
use crate::machine::{Action, Event, Machine, News, Notice, Now, Order, Refusal};
use crate::time::Time;

pub(super) struct Agent {
    pub(super) machine: Machine,
    pub(super) born: Time,
    /// The earliest wake-up that is scheduled.
    wake: Option<Time>,
}

impl World {
    pub(super) fn boot(&mut self, who: usize) {
        if self.seats[who].agent.is_some() {
            return;
        }
        self.lives += 1;
        let life = self.lives;
        let born = self.now;
        let settings = self.scenario.settings_of(who);
        let seat = &mut self.seats[who];
        seat.life = life;
        let asks = !self.is_shared() || !(self.seats[who].cut || self.store.down);
        let saved = self.store.load(&mut self.seats[who].desk, asks);
        let machine = Machine::new(settings, saved, self.agent_now(who, born));
        let seat = &mut self.seats[who];
        seat.agent = Some(Agent { machine, born, wake: None });
        seat.crash_after = None;
        seat.watched = super::lease::Watched::default();
        seat.forget_sleep();
        self.checks.new_life(who, self.now);
        for edge in self.edges_of(who) {
            self.edges[edge].attach();
            let first = self.random.millis(1, 30);
            self.after(first, What::Report { life, edge });
            let first = self.random.millis(30, 130);
            self.after(first, What::Poll { life, edge });
        }
        for component in 0..self.scenario.settings.components.len() {
            for colour in crate::colour::Colour::BOTH {
                self.tell_capacity_to(who, component, colour);
            }
        }
        self.after(Duration::from_secs(1), What::Save { life });
        if self.is_shared() {
            let first = self.random.millis(1, 1000);
            self.after(first, What::Renew { life });
            self.after(RELIST, What::Relist { life });
        }
        self.set_wake(who);
    }

    pub(super) fn die(&mut self, who: usize) {
        if self.seats[who].agent.take().is_none() {
            return;
        }
        self.note(format!("agent {who} dies"));
        self.tally.crashes += 1;
        let seat = &mut self.seats[who];
        seat.crash_after = None;
        seat.withheld.clear();
        seat.watched.until = None;
        let landed = self.store.crash(&mut seat.desk, seat.cut, &mut self.random);
        if let Some(document) = landed {
            self.spread(who, &document);
        }
        for edge in self.edges_of(who) {
            self.edges[edge].adapter = None;
        }
        let back = if self.random.chance(0.7) { self.random.millis(20, 500) } else { self.random.millis(500, 8000) };
        self.after(back, What::Boot { who });
    }

    pub(super) fn edges_of(&self, who: usize) -> Vec<usize> {
        (0..self.edges.len()).filter(|edge| self.owner(*edge) == who).collect()
    }

    /// The machine's clocks: a monotonic one since its start, and the wall.
    pub(super) fn agent_now(&self, who: usize, born: Time) -> Now {
        let since = u64::try_from(self.now.since(born).as_micros()).unwrap_or(u64::MAX);
        Now { time: Time::from_micros(since), unix_millis: self.unix_millis_of(who) }
    }

    pub(super) fn deliver(&mut self, who: usize, event: Event) {
        let Some(born) = self.seats[who].agent.as_ref().map(|a| a.born) else { return };
        let now = self.agent_now(who, born);
        let Some(agent) = &mut self.seats[who].agent else { return };
        self.checks.delivered(who, agent.machine.document(), &event);
        let told = matches!(event, Event::Document(_));
        let actions = agent.machine.handle(now, event);
        self.checks.follows = told;
        self.only_a_leader_moves(who, told, &actions);
        self.perform(who, actions);
        self.checks.follows = false;
    }

    pub(super) fn order(&mut self, who: usize, order: Order) -> Option<Result<(), Refusal>> {
        if !self.seats[who].is_awake() {
            return None;
        }
        let born = self.seats[who].agent.as_ref()?.born;
        let now = self.agent_now(who, born);
        if self.recording() {
            self.note(format!("to agent {who}: {order:?}"));
        }
        self.checks.hand = matches!(order, Order::Promote { .. });
        let result = self.seats[who].agent.as_mut()?.machine.order(now, order);
        let answer = match result {
            Ok(actions) => {
                self.only_a_leader_moves(who, false, &actions);
                self.perform(who, actions);
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

    pub(super) fn wake(&mut self, who: usize) {
        if let Some(agent) = &mut self.seats[who].agent {
            // An earlier one came between, and has asked for the next.
            if agent.wake.is_some_and(|next| next > self.now) {
                return;
            }
            agent.wake = None;
        }
        self.deliver(who, Event::Tick);
    }

    fn set_wake(&mut self, who: usize) {
        let life = self.seats[who].life;
        let Some(agent) = &mut self.seats[who].agent else { return };
        let Some(deadline) = agent.machine.deadline() else { return };
        let at = agent.born + deadline.since(Time::ZERO);
        if agent.wake.is_none_or(|wake| at < wake) {
            agent.wake = Some(at);
            let delay = at.since(self.now);
            self.after(delay, What::Wake { life });
        }
    }

    pub(super) fn save(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        let life = seat.life;
        // A single agent's disk is its store.
        let writes = self.scenario.agents > 0 || !self.store.down;
        if let Some(agent) = seat.agent.as_ref().filter(|_| writes) {
            seat.desk.save(agent.machine.checkpoint(), agent.machine.baselines());
        }
        self.after(Duration::from_secs(1), What::Save { life });
    }

    fn perform(&mut self, who: usize, actions: Vec<Action>) {
        self.watch_document(who);
        let actions = self.tamper(who, actions);
        let mut early = Vec::new();
        for action in actions {
            if let Some(left) = self.seats[who].crash_after.take() {
                if left == 0 {
                    return self.die(who);
                }
                self.seats[who].crash_after = Some(left - 1);
            }
            if let (Action::Persist(doc), Some(Sabotage::ActsBeforePersist)) = (&action, self.scenario.sabotage) {
                early.push(doc.revision);
            }
            self.act(who, action);
        }
        self.set_wake(who);
        for revision in early {
            self.deliver(who, Event::Stored { revision });
        }
    }

    fn act(&mut self, who: usize, action: Action) {
        if self.recording() && !matches!(action, Action::Route { .. }) {
            match &action {
                Action::Persist(d) => self.note(format!("-> persist {} {} {:?}", d.revision, d.epoch, d.phase)),
                action => self.note(format!("-> {action:?}")),
            }
        }
        let life = self.seats[who].life;
        let soon = if matches!(action, Action::Select { .. }) { Duration::ZERO } else { self.random.millis(0, 2) };
        match action {
            Action::Persist(document) => {
                let heard = self.seats[who].agent.as_ref().map_or(0, |agent| agent.machine.heard());
                if self.seats[who].desk.push(*document, heard) {
                    let latency = self.store.latency(&mut self.random);
                    self.after(latency, What::Store { life });
                }
            }
            Action::Route { edge, policy, direction } => {
                self.after(soon, What::Order { life, edge, policy, direction });
            }
            Action::Start { component, colour, version, release } => {
                self.check_start(component, colour, &version);
                let takes = self.platform_takes(who, component, colour, soon);
                self.after(takes, What::Start { life, component, colour, version, release });
            }
            Action::Scale { component, colour, version, replicas, release, order, .. } => {
                self.check_scale(who, component, colour, (replicas, order));
                let takes = self.platform_takes(who, component, colour, soon);
                let scaling = Scaling { version, replicas, release, order };
                self.after(takes, What::Scale { life, component, colour, scaling });
            }
            // Its time is not drawn: a world without this order goes on as it did.
            Action::Select { component, colour, release } => {
                self.check_select(who, component, colour);
                self.after(Duration::from_millis(1), What::Select { life, component, colour, release });
            }
            Action::Stop { component, colour, release } => {
                self.check_stop(who, component, colour);
                let takes = self.platform_takes(who, component, colour, soon);
                self.after(takes, What::Stop { life, component, colour, release });
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
            Action::Announce(notice) => self.announced(who, &notice),
        }
    }

    fn announced(&mut self, who: usize, notice: &Notice) {
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
            News::Kept(_) => self.tally.reduced += 1,
            News::ScalingUp(_) => self.tally.scaled_up += 1,
            News::NotScaledUp(_) => self.tally.not_scaled_up += 1,
            News::ManualAdopted => self.tally.adopted += 1,
            News::ManualPutBack => self.tally.put_back += 1,
            _ => {}
        }
        self.check_news(who, notice);
    }
}
