use teal_rollout::colour::{Colour, Share};
use teal_rollout::criteria::Criteria;
use teal_rollout::machine::event::{Block, EdgeReport, Feed, Observation};
use teal_rollout::machine::{Action, Event, Saved};
use teal_rollout::policy::{Policy, Salt};
use teal_rollout::retention::Stage;
use teal_rollout::settings::{ComponentSettings, Mode, OnUnknown, Settings};
use teal_rollout::statistics::History;

use super::*;
use crate::api::Point;

fn settings() -> Settings {
    let minute = Duration::from_secs(60);
    let criteria = Criteria { groups: vec!["patients".into()], ..Criteria::default() };
    Settings {
        mode: Mode::Observe,
        components: vec![ComponentSettings { name: "api".into(), criteria }],
        edges: vec!["edge".into()],
        own: None,
        salt: Salt::try_from("demo".to_owned()).unwrap(),
        steps: Vec::new(),
        watch_min: minute,
        watch_max: minute,
        on_unknown: OnUnknown::Keep,
        retain: vec![Stage::full(minute)],
        deploy_timeout: minute,
        switch_timeout: minute,
        drain_timeout: minute,
        confirm: true,
    }
}

/// An environment that is only observed: somebody moves traffic, and the timeline is taken down as the controller does.
struct Lab {
    machine: Machine,
    timelines: Timelines,
    writes: tokio::sync::mpsc::UnboundedReceiver<Write>,
    names: Names,
    micros: u64,
    block: u64,
}

impl Lab {
    fn new(kept: Option<TimelineRow>) -> Self {
        let saved = Saved { baselines: vec![History::seeded(30_000, 60, 0)], ..Saved::default() };
        let (writer, writes) = Writer::into_channel();
        let names = Names::new(&settings());
        let machine = Machine::new(settings(), saved, Self::now_at(0));
        Self { machine, timelines: Timelines::new(kept, writer), writes, names, micros: 0, block: 0 }
    }

    fn now_at(micros: u64) -> Now {
        Now { time: Time::from_micros(micros), unix_millis: 1_767_323_045_000 + micros / 1_000 }
    }

    fn now(&self) -> Now {
        Self::now_at(self.micros)
    }

    fn handle(&mut self, event: Event) -> Vec<Action> {
        self.micros += 1_000;
        let actions = self.machine.handle(self.now(), event);
        self.timelines.look(self.now(), &self.machine, &self.names);
        actions
    }

    fn edge(&mut self, policy: Policy) {
        let report = EdgeReport {
            edge: 0,
            running: Some(policy.clone()),
            saved: Some(policy),
            manual: false,
            feed: Feed::Live,
            backends: Vec::new(),
        };
        self.handle(Event::Edge(report));
    }

    /// Traffic moves to green, and the release is watched.
    fn moved(&mut self) {
        let mut policy = self.machine.document().policy();
        self.edge(policy.clone());
        policy.routes[0] = teal_rollout::policy::Route::settled(Colour::Green);
        policy.epoch.release += 1;
        self.edge(policy);
        assert_eq!(self.machine.document().phase, Phase::Watching);
    }

    fn requests(&mut self, number: u32, bad: bool) -> Vec<Action> {
        self.block += 1;
        let release = self.machine.document().epoch.release;
        let requests = vec![Observation::new(0, Colour::Green, release, bad); number as usize];
        self.handle(Event::Requests(Block { observer: 0, sequence: self.block, requests }))
    }

    fn release(&self) -> u64 {
        self.machine.document().epoch.release
    }

    fn written(&mut self) -> Vec<Timeline> {
        let writes = std::iter::from_fn(|| self.writes.try_recv().ok());
        let timelines = writes.filter_map(|write| match write {
            Write::Timeline(row) => Some(serde_json::from_str(&row.json).unwrap()),
            _ => None,
        });
        timelines.collect()
    }
}

fn question(round: u64, arm: Arm) -> Probe {
    let (component, colour, groups) = (0, Colour::Blue, vec![1, 0]);
    Probe { round, arm, component, colour, groups, requests: 3, enough: 2, sampled: false, within: None }
}

#[test]
fn nothing_is_taken_down_before_traffic_has_moved() {
    let mut lab = Lab::new(None);
    lab.requests(10, false);
    assert_eq!(lab.timelines.of(lab.release()), None);
    lab.moved();
    let timeline = lab.timelines.of(lab.release()).unwrap();
    assert_eq!((timeline.lines[0].points.len(), timeline.lines[0].points[0].t), (1, 0.0));
    assert!(timeline.since.starts_with("2026-01-02T03:04:05.0"), "{}", timeline.since);
}

#[test]
fn a_failure_a_question_and_a_verdict_stand_on_one_axis_and_are_written_with_the_verdict() {
    let mut lab = Lab::new(None);
    lab.moved();
    lab.requests(5, false);
    lab.requests(20, true);
    lab.timelines.asks(lab.now(), &lab.machine, &lab.names, &question(1, Arm::Old));
    lab.micros += 4_000;
    lab.timelines.answered(lab.now(), 1, Arm::Old, 3);
    lab.timelines.noted(lab.now(), lab.release(), 77);
    lab.timelines.verdict(lab.now(), &lab.machine, &lab.names);
    lab.timelines.keep_verdict();
    lab.timelines.keep_verdict();
    let written = lab.written();
    assert_eq!(written.len(), 1, "once");
    let Timeline { lines, asked, moments, .. } = &written[0];
    let marks: Vec<String> = lines[0].points.iter().filter_map(|p| Some(p.mark.as_ref()?.to_string())).collect();
    assert!(marks.ends_with(&["over the threshold".to_owned(), "verdict".to_owned()]), "{marks:?}");
    let [.., crossed, verdict] = lines[0].points.as_slice() else { panic!("{lines:?}") };
    assert_eq!(crossed.share, Share::ALL);
    let asked = &asked[0];
    assert_eq!((asked.t, asked.until, asked.passed), (crossed.t, Some(verdict.t), Some(3)));
    assert_eq!(asked.routes, ["patients", ""]);
    assert_eq!(moments, &[Moment { seq: 77, t: verdict.t }]);
    assert_eq!(lab.timelines.of(lab.release()).as_ref(), written.first());
}

#[test]
fn a_long_outage_is_two_entries_and_not_a_hundred() {
    let mut lab = Lab::new(None);
    lab.moved();
    let passed = |round: u64| if round <= 100 { 0 } else { 3 };
    for round in 1..=120 {
        lab.micros += 50_000;
        lab.timelines.asks(lab.now(), &lab.machine, &lab.names, &question(round, Arm::Old));
        lab.timelines.answered(lab.now(), round, Arm::Old, passed(round));
        // An answer that comes twice, or to nothing, is none.
        lab.timelines.answered(lab.now(), round, Arm::Old, 1);
        lab.timelines.answered(lab.now(), round, Arm::New, 1);
    }
    lab.timelines.asks(lab.now(), &lab.machine, &lab.names, &question(121, Arm::New));
    let asked = lab.timelines.of(lab.release()).unwrap().asked;
    let short: Vec<_> = asked.iter().map(|p| (p.rounds, p.passed)).collect();
    assert_eq!(short, [(100, Some(0)), (20, Some(3)), (1, None)]);
    assert!(asked[0].until < Some(asked[1].t));
}

#[test]
fn entries_are_bounded_and_the_first_and_the_last_stay() {
    let mut lab = Lab::new(None);
    lab.moved();
    for round in 0..1_000_u64 {
        lab.timelines.asks(lab.now(), &lab.machine, &lab.names, &question(round, Arm::Old));
        lab.timelines.answered(lab.now(), round, Arm::Old, u8::try_from(round % 2).unwrap());
        lab.timelines.noted(lab.now(), lab.release(), round);
    }
    let timeline = lab.timelines.of(lab.release()).unwrap();
    assert_eq!((timeline.asked.len(), timeline.moments.len()), (MOST_ASKED, MOST_MOMENTS));
    assert_eq!((timeline.moments[0].seq, timeline.moments[MOST_MOMENTS - 1].seq), (0, 999));
}

#[test]
fn an_agent_that_comes_back_goes_on_with_the_same_line_after_a_gap() {
    let mut lab = Lab::new(None);
    lab.moved();
    lab.requests(5, false);
    lab.timelines.keep();
    let Ok(Write::Timeline(row)) = lab.writes.try_recv() else { panic!("nothing was written") };
    let before = lab.timelines.of(lab.release()).unwrap();

    // Ten seconds later, with another monotonic clock.
    lab.timelines = Timelines::new(Some(row), Writer::nowhere());
    lab.micros += 10_000_000;
    lab.requests(5, false);
    let after = lab.timelines.of(lab.release()).unwrap();
    let point = |timeline: &Timeline| -> Point { timeline.lines[0].points.last().unwrap().clone() };
    assert_eq!(after.since, before.since);
    assert_eq!(point(&after).mark, Some(Mark::Resumed.into()));
    let gap = point(&after).t - point(&before).t;
    assert!((10.0..10.1).contains(&gap), "{gap}");
}

#[test]
fn what_cannot_be_read_back_is_begun_anew() {
    let row = |json: &str| Some(TimelineRow { release: 0, json: json.to_owned() });
    assert_eq!(Lab::new(row("[1,2")).timelines.of(0), None);
    assert_eq!(Lab::new(row("{}")).timelines.of(0), Some(Timeline::default()));
}

#[test]
fn a_new_release_has_a_line_of_its_own() {
    let mut lab = Lab::new(None);
    lab.moved();
    lab.requests(5, false);
    let first = lab.release();
    let mut policy = lab.machine.document().policy();
    policy.routes[0] = teal_rollout::policy::Route::settled(Colour::Blue);
    policy.epoch.release += 1;
    lab.edge(policy);
    lab.requests(5, false);
    if lab.release() != first && lab.machine.document().phase == Phase::Watching {
        assert_eq!(lab.timelines.of(first), None);
        assert_eq!(lab.timelines.of(lab.release()).unwrap().lines[0].points[0].t, 0.0);
    }
}
