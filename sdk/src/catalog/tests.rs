//! Documents come in, snapshots and what is told of them come out.

use super::*;
use crate::model::{
    Condition, Extra, Flag, Operator, Part, Percentage, Prerequisite, RampPoint, Required, Rule, Schedule, Unreadable,
};
use crate::model::{Segment as SaidSegment, Variant};
use crate::{Context, Evaluation, Reason};

/// A catalog with what a `Flags` keeps beside it.
struct World {
    catalog: Catalog,
    slots: Slots,
    sequence: u64,
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// A flag that is on for everybody.
fn on(name: &str) -> Flag {
    Flag::new(name)
}

fn off(name: &str) -> Flag {
    Flag { enabled: false, ..Flag::new(name) }
}

fn whole(revision: u64, flags: Vec<Flag>) -> Document {
    Document { instance: Some("a".to_owned()), revision, flags, ..Document::default() }
}

fn depends_on(flag: Flag, others: &[&str]) -> Flag {
    let prerequisite =
        |name: &&str| Prerequisite { flag: (*name).to_owned(), required: Required::On, extra: Extra::new() };
    Flag { prerequisites: others.iter().map(prerequisite).collect(), ..flag }
}

impl World {
    fn new() -> Self {
        Self { catalog: Catalog::new(Some("prod")), slots: Slots::default(), sequence: 0 }
    }

    fn apply_at(&mut self, layer: Layer, document: Document, now: Timestamp) -> Applied {
        self.sequence += 1;
        self.catalog.apply(layer, document, now, &mut self.slots, self.sequence).0
    }

    fn live(&mut self, document: Document) -> Applied {
        self.apply_at(Layer::Live, document, moment(0))
    }

    fn file(&mut self, flags: Vec<Flag>) -> Applied {
        self.apply_at(Layer::File, whole(0, flags), moment(0))
    }

    fn ask_at(&mut self, name: &str, now: Timestamp) -> Evaluation {
        self.catalog.snapshot(now).evaluate("user-7", name)
    }

    /// `on`, `off`, or the error.
    fn ask(&mut self, name: &str) -> &'static str {
        let Evaluation { enabled, error, .. } = self.ask_at(name, moment(0));
        match enabled {
            Some(true) => "on",
            Some(false) => "off",
            None => error.map_or("nothing", |error| error.as_str()),
        }
    }
}

#[test]
fn a_flag_that_is_missing_stays_known_until_it_is_deleted() {
    let mut world = World::new();
    assert_eq!(world.live(whole(1, vec![on("a"), on("b")])).changed, ["a", "b"]);
    let applied = world.live(whole(2, vec![off("a")]));
    assert_eq!((applied.outcome, applied.changed), (Outcome::Changed, vec!["a".to_owned()]));
    assert_eq!((world.ask("a"), world.ask("b")), ("off", "on"));
    let deleted = Document { deleted: vec!["b".to_owned(), "never".to_owned()], ..whole(3, vec![]) };
    assert_eq!(world.live(deleted).changed, ["b"]);
    assert_eq!((world.ask("a"), world.ask("b")), ("off", "FLAG_NOT_FOUND"));
    assert_eq!(world.catalog.document().flags, [off("a")]);
}

#[test]
fn an_emptied_or_restored_service_makes_nothing_unknown() {
    let mut world = World::new();
    world.live(whole(9, vec![on("a"), off("b")]));
    assert_eq!(world.live(whole(4, vec![off("a")])).outcome, Outcome::Older);
    assert_eq!(world.ask("a"), "on");
    let emptied = Document { instance: Some("b".to_owned()), ..whole(1, vec![]) };
    assert_eq!(world.live(emptied).outcome, Outcome::NewInstance);
    assert_eq!((world.ask("a"), world.ask("b")), ("on", "off"));
    assert_eq!(world.catalog.revision(), &Revision { instance: Some("b".to_owned()), revision: 1 });
    let restored = Document { instance: Some("c".to_owned()), ..whole(5, vec![off("a")]) };
    world.live(restored);
    assert_eq!(world.ask("a"), "off");
}

#[test]
fn a_delta_fits_or_all_is_asked_for() {
    let mut world = World::new();
    world.live(whole(5, vec![on("a"), on("b")]));
    let delta = |since, revision, flags| Document { since: Some(since), ..whole(revision, flags) };
    assert_eq!(world.live(delta(5, 6, vec![off("b")])).outcome, Outcome::Changed);
    assert_eq!(world.live(delta(5, 6, vec![off("b")])).outcome, Outcome::Unchanged, "told twice");
    assert_eq!(world.live(delta(7, 8, vec![off("a")])).outcome, Outcome::Gap);
    assert_eq!((world.ask("a"), world.ask("b")), ("on", "off"));
}

#[test]
fn what_the_service_tells_goes_before_a_file_flag_by_flag() {
    let mut world = World::new();
    world.file(vec![on("a"), on("b")]);
    world.live(whole(1, vec![off("a")]));
    assert_eq!((world.ask("a"), world.ask("b")), ("off", "on"));
    world.live(Document { deleted: vec!["a".to_owned()], ..whole(2, vec![]) });
    assert_eq!(world.ask("a"), "on", "the file's again");
    assert_eq!(world.file(vec![off("a")]).changed, ["a", "b"]);
    assert_eq!((world.ask("a"), world.ask("b")), ("off", "FLAG_NOT_FOUND"), "a file is all there is");
    assert_eq!(world.catalog.document().flags, [], "a file's flags are not the service's");
}

#[test]
fn a_flag_that_cannot_be_used_keeps_its_last_usable_version() {
    let mut world = World::new();
    world.live(whole(1, vec![on("a")]));
    let broken = |name| Flag { rules: vec![Rule::new(vec![Condition::segment("nobody")])], ..off(name) };
    let applied = world.live(whole(2, vec![broken("a"), broken("b"), off("c")]));
    let told: Vec<_> = applied.problems.iter().map(ToString::to_string).collect();
    let problem = "rules[0].conditions[0].segment: there is no segment `nobody`";
    let expected = [
        format!("flag `a`: {problem}; its last usable version is served on"),
        format!("flag `b`: {problem}; callers get their defaults"),
    ];
    assert_eq!(told, expected);
    assert_eq!((world.ask("a"), world.ask("b"), world.ask("c")), ("on", "PARSE_ERROR", "off"));
    // The segment arrives.
    let segments = vec![SaidSegment { name: "nobody".to_owned(), ..SaidSegment::default() }];
    let applied = world.live(Document { segments, ..whole(3, vec![]) });
    assert_eq!((applied.changed, applied.problems), (vec!["a".to_owned(), "b".to_owned()], vec![]));
    assert_eq!((world.ask("a"), world.ask("b")), ("off", "off"));
}

#[test]
fn a_flag_that_cannot_be_read_stays_as_it_was_and_is_told() {
    let mut world = World::new();
    world.file(vec![on("a")]);
    let unreadable = Unreadable {
        name: Some("a".to_owned()),
        error: ModelError::new("flags[0].name", "is odd"),
        part: Part::Flag,
        json: serde_json::Value::Null,
    };
    let document = Document { unreadable: vec![unreadable], ..Document::default() };
    let applied = world.apply_at(Layer::File, document, moment(0));
    assert_eq!(
        applied.problems[0].to_string(),
        "flag `a`: flags[0].name: is odd; its last usable version is served on"
    );
    assert_eq!(world.ask("a"), "on");
}

#[test]
fn prerequisites_hold_for_the_same_user_and_a_circle_is_cut() {
    let mut world = World::new();
    world.live(whole(1, vec![on("a"), depends_on(on("b"), &["a"]), depends_on(on("c"), &["missing"])]));
    assert_eq!((world.ask("b"), world.ask("c")), ("on", "off"));
    world.live(whole(2, vec![off("a"), on("missing")]));
    assert_eq!((world.ask("b"), world.ask("c")), ("off", "on"));
    let applied = world.live(whole(3, vec![depends_on(on("a"), &["b"])]));
    let told: Vec<_> = applied.problems.iter().filter_map(|problem| problem.flag.as_deref()).collect();
    assert_eq!((told, applied.changed.as_slice()), (vec!["a", "b"], &["a".to_owned(), "b".to_owned()][..]));
    assert!(applied.problems[0].to_string().contains("depends on itself"), "{:?}", applied.problems);
    assert_eq!((world.ask("a"), world.ask("b"), world.ask("c")), ("PARSE_ERROR", "PARSE_ERROR", "on"));
    world.live(whole(4, vec![on("a")]));
    assert_eq!((world.ask("a"), world.ask("b")), ("on", "on"), "both are usable again");
}

#[test]
fn a_version_that_is_served_on_cannot_close_a_circle_either() {
    let mut world = World::new();
    world.live(whole(1, vec![depends_on(on("a"), &["b"]), on("b")]));
    let broken = Flag { rules: vec![Rule::new(vec![Condition::segment("nobody")])], ..on("a") };
    world.live(whole(2, vec![broken, depends_on(on("b"), &["a"])]));
    assert_eq!((world.ask("a"), world.ask("b")), ("PARSE_ERROR", "PARSE_ERROR"));
}

#[test]
fn time_dependent_flags_change_when_their_moment_comes() {
    let mut world = World::new();
    let percent = |percent| Percentage::from_whole(percent).unwrap();
    let ramp = vec![RampPoint::new(moment(100), percent(0)), RampPoint::new(moment(200), percent(100))];
    let timed = Flag {
        schedule: Schedule { from: Some(moment(10)), until: Some(moment(20)), ..Schedule::default() },
        ..on("timed")
    };
    let ramped = Flag { schedule: Schedule { ramp, ..Schedule::default() }, ..on("ramped") };
    let after = Condition::new("current_time", Operator::After, [50_000]);
    let clocked = Flag { rules: vec![Rule::new(vec![after])], rollout_percentage: Percentage::NONE, ..on("clocked") };
    world.live(whole(1, vec![timed, ramped, on("always")]));
    assert_eq!(world.catalog.next_tick(moment(0)), Some(moment(10)));
    let mut states = Vec::new();
    for seconds in [0, 9, 10, 19, 20, 150, 200, 300] {
        let World { catalog, slots, .. } = &mut world;
        catalog.tick(moment(seconds), slots, 2);
        let is_on = |world: &mut World, name| world.ask_at(name, moment(seconds)).enabled == Some(true);
        states.push((
            seconds,
            is_on(&mut world, "timed"),
            is_on(&mut world, "ramped"),
            world.catalog.next_tick(moment(seconds)),
        ));
    }
    // The ramp replaces 100 % from its first point on; user-7 is in the second half.
    let at = |seconds| Some(moment(seconds));
    let expected = [
        (0, false, true, at(10)),
        (9, false, true, at(10)),
        (10, true, true, at(20)),
        (19, true, true, at(20)),
        (20, false, true, at(100)),
        (150, false, crate::bucket("ramped", "user-7") < 50_000, at(151)),
        (200, false, true, None),
        (300, false, true, None),
    ];
    assert_eq!(states, expected);
    world.live(whole(2, vec![clocked]));
    assert_eq!(world.catalog.next_tick(moment(300)), Some(moment(301)));
    assert_eq!(world.ask_at("clocked", moment(49)).enabled, Some(false));
    assert_eq!(world.ask_at("clocked", moment(50)).enabled, Some(true));
    let attributes = [("current_time", 1.into())];
    let said = world.catalog.snapshot(moment(50)).evaluate(Context::new("user-7", &attributes), "clocked");
    assert_eq!(said.enabled, Some(false), "the caller's own time goes before");
}

#[test]
fn a_segment_that_asks_for_the_time_lets_its_flags_be_looked_at_again() {
    let mut world = World::new();
    let after = Condition::new("current_time", Operator::After, [50_000]);
    let segments = vec![SaidSegment { name: "late".to_owned(), any: vec![vec![after]], ..SaidSegment::default() }];
    let rules = vec![Rule::new(vec![Condition::segment("late")])];
    let flag = Flag { rules, rollout_percentage: Percentage::NONE, ..on("a") };
    world.live(Document { segments, ..whole(1, vec![flag]) });
    assert_eq!(world.catalog.next_tick(moment(0)), Some(moment(1)));
    assert_eq!(world.ask_at("a", moment(49)).enabled, Some(false));
    assert_eq!(world.ask_at("a", moment(50)).enabled, Some(true));
}

#[test]
fn environments_archiving_and_the_main_switch_turn_a_flag_off() {
    let mut world = World::new();
    let only = |name, environments: &[&str]| Flag {
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
        ..on(name)
    };
    let archived = Flag { archived: true, ..on("archived") };
    world.live(whole(1, vec![only("here", &["dev", "prod"]), only("elsewhere", &["dev"]), archived, off("off")]));
    for (name, expected) in [("here", "on"), ("elsewhere", "off"), ("archived", "off"), ("off", "off")] {
        assert_eq!(world.ask(name), expected, "{name}");
    }
    let reason = world.ask_at("elsewhere", moment(0)).reason;
    assert_eq!(reason, Reason::Disabled);
}

#[test]
fn a_variant_that_is_not_there_is_said_with_its_place() {
    let mut world = World::new();
    let variant = Variant { name: "a".to_owned(), value: 1.into(), weight: 1, extra: Default::default() };
    let flag = Flag { variants: vec![variant], off_variant: Some("b".to_owned()), ..on("x") };
    let problems = world.live(whole(1, vec![flag])).problems;
    assert_eq!(problems[0].error.to_string(), "off_variant: `b` is no variant of this flag");
}

/// A flag that serves two variants to all whom its rule matches: everybody.
fn with_variants(values: [serde_json::Value; 2], rule: Rule) -> Flag {
    let variant = |(name, value): (&str, _)| Variant { name: name.to_owned(), value, weight: 1, extra: Extra::new() };
    let variants = ["a", "b"].into_iter().zip(values).map(variant).collect();
    Flag { variants, rules: vec![rule], ..Flag::new("x") }
}

#[test]
fn a_rule_with_a_salt_of_its_own_serves_the_flag_s_variants_as_everybody_gets_them() {
    use crate::bucketing::Bucketing;
    let variants = |rule: Rule| {
        let mut world = World::new();
        let flag = with_variants([1.into(), 2.into()], rule);
        world.file(vec![flag]);
        let snapshot = world.catalog.snapshot(moment(0));
        (0..200_u32).map(|user| snapshot.evaluate(user, "x").variant.unwrap().to_string()).collect::<Vec<_>>()
    };
    let plain = variants(Rule::new(vec![]));
    assert!(plain.contains(&"a".to_owned()) && plain.contains(&"b".to_owned()));
    assert_eq!(variants(Rule { salt: Some("other".to_owned()), ..Rule::new(vec![]) }), plain);
    assert_eq!(variants(Rule { bucketing: Some(Bucketing::Flagd), ..Rule::new(vec![]) }), plain);
    let split = crate::model::Serve::Split(vec![("a".to_owned(), 1), ("b".to_owned(), 1)]);
    assert_ne!(variants(Rule { salt: Some("other".to_owned()), serve: split, ..Rule::new(vec![]) }), plain);
}

#[test]
fn a_flag_is_on_for_somebody_unknown_although_no_variant_can_be_drawn() {
    let check = |values: [serde_json::Value; 2], enabled: Option<bool>| {
        let mut world = World::new();
        world.file(vec![with_variants(values, Rule::new(vec![]))]);
        let answer = world.catalog.snapshot(moment(0)).evaluate((), "x");
        let expected = Evaluation { enabled, ..Evaluation::error(crate::ErrorCode::TargetingKeyMissing, 1) };
        assert_eq!(answer, expected);
        assert_eq!(world.catalog.snapshot(moment(0)).is_enabled_or((), "x", false), enabled == Some(true));
    };
    check(["a".into(), "b".into()], Some(true));
    check([true.into(), false.into()], None);
}
