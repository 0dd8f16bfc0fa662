use std::time::Duration;

use teal_rollout::criteria::Criteria;
use teal_rollout::machine::{Event, Now, Saved};
use teal_rollout::policy::Salt;
use teal_rollout::retention::Stage;
use teal_rollout::settings::{ComponentSettings, Mode, OnUnknown, Settings};
use teal_rollout::time::Time;
use tokio::sync::oneshot::error::TryRecvError;

use super::*;

const NOW: Now = Now { time: Time::ZERO, unix_millis: 0 };

/// A machine that has `v1` on blue and a store that says nothing of its own accord.
struct World {
    machine: Machine,
    promises: Promises,
}

impl World {
    fn new(own: Option<Vec<usize>>) -> Self {
        let component = ComponentSettings { name: "api".into(), criteria: Criteria::default() };
        let settings = Settings {
            mode: Mode::Act,
            components: vec![component],
            edges: vec!["edge".into()],
            own,
            salt: Salt::default(),
            steps: Vec::new(),
            watch_min: Duration::from_secs(10),
            watch_max: Duration::from_secs(30),
            on_unknown: OnUnknown::Keep,
            retain: vec![Stage::full(Duration::from_secs(60))],
            deploy_timeout: Duration::from_secs(20),
            switch_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(3),
            confirm: true,
        };
        let mut document = Document::new(["api".to_owned()], Salt::default(), vec!["edge".to_owned()]);
        document.components[0].stable.version = Some("v1".into());
        document.components[0].candidate.version = Some("v1".into());
        let mut machine = Machine::new(settings, Saved { document: Some(document), ..Saved::default() }, NOW);
        // No edge answers: it begins without.
        let started = Now { time: Time::ZERO + Duration::from_secs(4), ..NOW };
        machine.handle(started, Event::Tick);
        machine.handle(started, Event::Lead { until: Some(Time::ZERO + Duration::from_secs(60)) });
        let mut world = Self { machine, promises: Promises::default() };
        world.stored(world.machine.document().revision);
        world
    }

    fn order(&mut self, order: Order) -> oneshot::Receiver<Result<u64, Refusal>> {
        let (answer, answered) = oneshot::channel();
        let kind = Kind::of(&order);
        match self.machine.order(self.now(), order) {
            Ok(_) => self.promises.give(kind, &self.machine, answer),
            Err(refusal) => drop(answer.send(Err(refusal))),
        }
        answered
    }

    fn now(&self) -> Now {
        Now { time: Time::ZERO + Duration::from_secs(5), ..NOW }
    }

    fn take(&mut self, event: Event) {
        let actions = self.machine.handle(self.now(), event);
        self.promises.mind(&actions);
        self.promises.keep(&self.machine);
    }

    fn stored(&mut self, revision: u64) {
        self.take(Event::Stored { revision });
    }

    fn hear(&mut self, change: impl FnOnce(&mut Document)) {
        let mut theirs = self.machine.document().clone();
        change(&mut theirs);
        self.take(Event::Document(Box::new(theirs)));
    }
}

fn pause() -> Order {
    Order::Pause { by: "ops".into() }
}

#[test]
fn an_order_is_answered_when_the_store_has_it_and_not_before() {
    let mut world = World::new(None);
    let mut answered = world.order(pause());
    let revision = world.machine.document().revision;
    assert_eq!(answered.try_recv(), Err(TryRecvError::Empty));
    world.take(Event::Tick);
    world.stored(revision - 1);
    assert_eq!(answered.try_recv(), Err(TryRecvError::Empty));
    world.stored(revision);
    assert_eq!(answered.try_recv(), Ok(Ok(0)));
}

#[test]
fn a_refusal_waits_for_nobody() {
    let mut world = World::new(None);
    let mut answered = world.order(Order::Promote { by: "ops".into() });
    assert!(matches!(answered.try_recv(), Ok(Err(Refusal::WrongPhase { .. }))));
}

#[test]
fn a_rollback_is_answered_before_it_is_stored() {
    let mut world = World::new(None);
    let _unstored = world.order(pause());
    assert!(!world.machine.is_durable());
    let (answer, mut answered) = oneshot::channel();
    world.promises.give(Kind::Rollback, &world.machine, answer);
    assert_eq!(answered.try_recv(), Ok(Ok(0)));
}

#[test]
fn a_release_whose_number_another_took_is_refused() {
    let mut world = World::new(Some(vec![0]));
    let before = world.machine.document().clone();
    let (answer, mut answered) = oneshot::channel();
    // Deploys need an edge that answers; what counts here is what the machine says of a release that never was.
    world.promises.0.push(Promise { kind: Kind::Deploy, release: 1, revision: before.revision + 1, heard: 0, answer });
    let notice = teal_rollout::machine::Notice { release: 1, news: News::Ended(Outcome::Aborted, None) };
    world.promises.mind(&[Action::Announce(notice)]);
    assert_eq!(answered.try_recv(), Ok(Err(Refusal::Overtaken)));
}

#[test]
fn what_another_wrote_over_is_carried_out_only_if_it_shows() {
    let check = |kind, change: fn(&mut Document), expected: Result<u64, Refusal>| {
        let mut world = World::new(Some(vec![0]));
        let (answer, mut answered) = oneshot::channel();
        let revision = world.machine.document().revision + 1;
        world.promises.0.push(Promise { kind, release: 0, revision, heard: world.machine.heard(), answer });
        world.hear(|theirs| {
            theirs.revision += 1;
            change(theirs);
        });
        let stored = world.machine.document().revision;
        world.stored(stored);
        assert_eq!(answered.try_recv(), Ok(expected), "{kind:?}");
    };
    check(Kind::Promote, |theirs| theirs.phase = Phase::Watching, Err(Refusal::Overtaken));
    check(Kind::Promote, |theirs| theirs.phase = Phase::Idle, Ok(0));
    check(Kind::Abort, |theirs| theirs.phase = Phase::Idle, Err(Refusal::Overtaken));
    check(Kind::Abort, |theirs| theirs.outcome = Some(Outcome::Aborted), Ok(0));
    check(Kind::Deploy, |theirs| theirs.epoch.release += 1, Err(Refusal::Overtaken));
    check(Kind::Pause, |_| {}, Ok(0));
}
