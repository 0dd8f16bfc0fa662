//! Of random flags and users: every way to ask gives one answer, and the counts say what was answered.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::context::OwnedAttribute;
use crate::model::{Flag, Otherwise, Percentage, Prerequisite, Rule, Schedule, Segment, Serve, Test, arbitrary};
use crate::{ErrorCode, Evaluation, OwnedContext};

static DECLARED: [Declared; 4] =
    [Declared::new("f0", false), Declared::new("f1", true), Declared::new("f2", false), Declared::new("f3", true)];

/// A percentage that divides few users often.
fn share() -> impl Strategy<Value = Percentage> {
    let some = (1..100_000_u32).prop_map(|thousandths| Percentage::from_thousandths(thousandths).unwrap());
    prop_oneof![Just(Percentage::NONE), Just(Percentage::ALL), some]
}

/// What makes a flag of any shape one that answers: its conditions name what the users here have, and its prerequisites are there.
fn answering(flag: Flag, at: usize, words: &[&str], shares: &[Percentage], on: bool, plain: bool) -> Flag {
    let mut words = words.iter().cycle();
    let mut shares = shares.iter().cycle().copied();
    let mut word = || words.next().copied().unwrap_or_default().to_owned();
    let rule = |mut rule: Rule| {
        for condition in &mut rule.conditions {
            match &mut condition.test {
                Test::Segment(name) => "s".clone_into(name),
                Test::Attribute { attribute, .. } => *attribute = word(),
            }
        }
        rule.percentage = shares.next().unwrap_or(Percentage::ALL);
        if plain {
            (rule.serve, rule.otherwise) = (Serve::Flag, Otherwise::Off);
            rule.stickiness.clear();
        }
        rule
    };
    let rules = flag.rules.into_iter().map(rule).collect();
    let below = |prerequisite: Prerequisite| Prerequisite { flag: format!("f{}", at - 1), ..prerequisite };
    let prerequisites = if at == 0 || plain { vec![] } else { flag.prerequisites.into_iter().map(below).collect() };
    let flag = Flag {
        name: format!("f{at}"),
        rules,
        prerequisites,
        environments: vec![],
        schedule: Schedule::default(),
        rollout_percentage: shares.next().unwrap_or(Percentage::ALL),
        enabled: on || flag.enabled,
        archived: false,
        ..flag
    };
    if plain { Flag { variants: vec![], off_variant: None, stickiness: vec![], ..flag } } else { flag }
}

/// On the heap: four of them are too much for a test's stack.
fn flag(at: usize) -> BoxedStrategy<Flag> {
    let words = vec(select(vec!["user_id", "clinic", "age", "session", "beta"]), 1..6);
    let flag = arbitrary::flag().boxed();
    (flag, words, vec(share(), 1..5), any::<[bool; 2]>())
        .prop_map(move |(flag, words, shares, [on, plain])| answering(flag, at, &words, &shares, on, plain))
        .boxed()
}

fn document() -> impl Strategy<Value = Document> {
    let segment = Segment { name: "s".into(), include: vec!["user-1".into(), "a".into()], ..Segment::default() };
    // The last is not always there.
    (flag(0), flag(1), flag(2), proptest::option::of(flag(3))).prop_map(move |(first, second, third, fourth)| {
        Document {
            revision: 1,
            flags: [first, second, third].into_iter().chain(fourth).collect(),
            segments: vec![segment.clone()],
            ..Document::default()
        }
    })
}

fn user() -> impl Strategy<Value = OwnedContext> {
    let id = prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        1 => Just(Some("a".to_owned())),
        9 => (0..10_000_u32).prop_map(|number| Some(format!("user-{number}"))),
    ];
    let value = prop_oneof![
        select(vec!["a", "", "7", "true", "axz", "10.1.2.3", "1.2.3"])
            .prop_map(|text| OwnedAttribute::Text(text.into())),
        (-5..30_i64).prop_map(OwnedAttribute::Integer),
        any::<bool>().prop_map(OwnedAttribute::Bool),
        Just(OwnedAttribute::Float(18.5)),
    ];
    let attributes = vec((select(vec!["clinic", "age", "session", "beta"]), value), 0..4);
    (id, attributes).prop_map(|(id, attributes)| OwnedContext {
        id,
        attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    })
}

/// Under which count an answer belongs: what it says, not how it is counted. `None`: it is not counted.
fn counted_as(name: &str, answer: &Evaluation) -> Option<(String, u64, Option<String>, bool)> {
    let defaulted = match answer.error {
        Some(ErrorCode::FlagNotFound | ErrorCode::ParseError) => return None,
        Some(_) => true,
        None => false,
    };
    Some((name.to_owned(), answer.version, answer.variant.as_deref().map(str::to_owned), defaulted))
}

proptest! {
    #[test]
    fn every_way_to_ask_agrees_and_is_counted_as_it_answered(
        document in document(), users in vec(user(), 1..12),
    ) {
        let flags = Flags::new(Some("prod"));
        flags.apply(Layer::Live, document, Timestamp::default());
        let handles = DECLARED.each_ref().map(|declared| flags.handle(declared.text()));
        let (pinned, snapshot) = (flags.pin(), flags.snapshot());
        let mut expected = BTreeMap::new();
        for user in &users {
            for (declared, handle) in DECLARED.iter().zip(&handles) {
                let name = declared.text();
                let answer = snapshot.evaluate(user, name);
                let mut asked = 0_u64;
                for default in [false, true] {
                    let on = answer.enabled.unwrap_or(default);
                    prop_assert_eq!(flags.is_enabled_or(user, name, default), on, "by name: {:?}", answer);
                    prop_assert_eq!(flags.is_enabled_or(user, declared, default), on, "declared: {:?}", answer);
                    prop_assert_eq!(handle.is_enabled_or(user, default), on, "by handle: {:?}", answer);
                    prop_assert_eq!(pinned.is_enabled_or(user, name, default), on, "pinned: {:?}", answer);
                    prop_assert_eq!(snapshot.is_enabled_or(user, name, default), on, "snapshot: {:?}", answer);
                    asked += 4;
                }
                prop_assert_eq!(flags.is_enabled(user, declared), answer.enabled.unwrap_or(declared.default()));
                prop_assert_eq!(&flags.evaluate(user, name), &answer);
                prop_assert_eq!(&pinned.evaluate(user, declared), &answer);
                asked += 3;
                if let Some(kind) = counted_as(name, &answer) {
                    *expected.entry(kind).or_default() += asked;
                }
            }
        }
        let counted: BTreeMap<_, u64> = flags
            .take_exposures()
            .into_iter()
            .map(|Exposure { flag, version, variant, defaulted, count }| {
                ((flag.to_string(), version, variant.as_deref().map(str::to_owned), defaulted), count)
            })
            .collect();
        prop_assert_eq!(counted, expected);
    }
}

/// The generators are worth their name: all kinds of answers come up.
#[test]
fn the_flags_of_this_property_answer_in_every_way() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..200 {
        let document = document().new_tree(&mut runner).unwrap().current();
        let flags = Flags::new(Some("prod"));
        flags.apply(Layer::Live, document, Timestamp::default());
        let user = user().new_tree(&mut runner).unwrap().current();
        for declared in &DECLARED {
            let answer = flags.evaluate(&user, declared);
            *seen.entry(format!("{:?} {} {:?}", answer.enabled, answer.reason, answer.error)).or_default() += 1;
        }
    }
    let often = |what: &str| seen.iter().filter(|(key, _)| key.contains(what)).map(|(_, count)| count).sum::<u32>();
    for what in ["Some(true)", "Some(false)", "None", "SPLIT", "STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED"] {
        assert!(often(what) >= 10, "{what}: {seen:?}");
    }
    assert!(often("TargetingKeyMissing") >= 5 && often("ParseError") <= 400, "{seen:?}");
}
