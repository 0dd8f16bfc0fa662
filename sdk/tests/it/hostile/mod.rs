//! Whatever comes in: nothing panics, every way to ask agrees, every answer is counted once, and what is kept can be read again.
//!
//! `TEAL_ROUNDS` plays more of it, `TEAL_SEED` the same again.

mod mutate;

use serde_json::{Value, json};
use teal_flags::model::{Document, Timestamp};
use teal_flags::{ErrorCode, Evaluation, Flags, Layer, OwnedContext};

use crate::random::Random;
use mutate::Corpus;

/// Somebody of every kind.
fn users(random: &mut Random) -> Vec<OwnedContext> {
    let values = [
        json!(""),
        json!("hcm-3"),
        json!("7"),
        json!("-0.0"),
        json!("1.4.0-rc.1"),
        json!("::ffff:10.0.0.1"),
        json!("2026-11-28T09:00:00Z"),
        json!("İSTANBUL"),
        json!("a".repeat(4097)),
        json!("ab".repeat(60)),
        json!(7),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(-0.0),
        json!(0.5),
        json!(true),
        json!([]),
        json!(["", "7", "staff"]),
        json!([7, true, null]),
    ];
    let names = ["x", "clinic", "role", "country", "session", "email", "age", "app_version", "current_time", "user_id"];
    let mut users = vec![OwnedContext::default(), OwnedContext { id: Some(String::new()), ..OwnedContext::default() }];
    for _ in 0..4 {
        let attributes: Vec<(String, Value)> =
            names.iter().map(|name| ((*name).to_owned(), values[random.below(values.len())].clone())).collect();
        let id = random.user();
        users.push(OwnedContext::from_json(Some(&id), attributes.iter().map(|(name, value)| (name, value))));
    }
    users
}

/// A clock that goes on in leaps.
#[derive(Default)]
struct Clock(usize);

impl Clock {
    fn later(&mut self, random: &mut Random) -> Timestamp {
        let moments = [i64::MIN, 0, 50_001, 1_795_849_681_000, 1_796_000_000_000, i64::MAX];
        self.0 = (self.0 + random.below(3)).min(moments.len() - 1);
        Timestamp::from_millis(moments[self.0])
    }
}

/// Asks every flag in every way; how many of the answers must have been counted.
fn ask_all(flags: &Flags, names: &[String], users: &[OwnedContext]) -> u64 {
    let mut counted = 0;
    for name in names {
        let handle = flags.handle(name.as_str());
        for user in users {
            let Evaluation { enabled, error, value, .. } = flags.evaluate(user, name);
            for default in [false, true] {
                let expected = enabled.unwrap_or(default);
                assert_eq!(flags.is_enabled_or(user, name, default), expected, "{name} {user:?}");
                assert_eq!(handle.is_enabled_or(user, default), expected, "{name} {user:?}");
                assert_eq!(flags.pin().is_enabled_or(user, name, default), expected, "{name} {user:?}");
                assert_eq!(flags.snapshot().is_enabled_or(user, name, default), expected, "{name} {user:?}");
            }
            let json = flags.json(user, name, Value::Null);
            assert_eq!(json.value, value.map_or(Value::Null, |value| value.to_json()));
            let usable = !matches!(error, Some(ErrorCode::FlagNotFound | ErrorCode::ParseError));
            counted += if usable { 8 } else { 0 };
        }
    }
    counted
}

/// One round: a few documents one after the other, some good, most not.
fn round(corpus: &Corpus, random: &mut Random) {
    let environment = [None, Some("prod"), Some("")][random.below(3)];
    let flags = Flags::new(environment);
    let users = users(random);
    let (mut clean, mut clock) = (true, Clock::default());
    for _ in 0..=random.below(3) {
        let text = corpus.document(random).to_string();
        let bytes = if random.below(3) == 0 { mutate::bytes(text, random) } else { text.into_bytes() };
        let Ok(document) = Document::from_json(&bytes) else { continue };
        let again = Document::from_json(document.to_json()).unwrap();
        assert_eq!((&again.flags, &again.segments), (&document.flags, &document.segments));
        let mut names: Vec<String> = document.flags.iter().map(|flag| flag.name.clone()).collect();
        names.push("never-told".to_owned());
        let layer = if random.below(3) == 0 { Layer::File } else { Layer::Live };
        let applied = flags.apply(layer, document, clock.later(random));
        clean &= layer == Layer::Live && applied.problems.is_empty();
        let _ = flags.take_exposures();
        let mut counted = ask_all(&flags, &names, &users);
        flags.tick(clock.later(random));
        counted += ask_all(&flags, &names, &users);
        assert_eq!(flags.take_exposures().iter().map(|exposure| exposure.count).sum::<u64>(), counted);
    }
    let kept = flags.document();
    assert_eq!(Document::from_json(kept.to_json()).as_ref(), Ok(&kept), "what is kept on disk");
    if clean {
        same_after_a_restart(&flags, &Flags::new(environment), kept, &users);
    }
}

/// Who hears everything at once knows the same as who heard it bit by bit.
fn same_after_a_restart(flags: &Flags, restarted: &Flags, kept: Document, users: &[OwnedContext]) {
    let names: Vec<String> = kept.flags.iter().map(|flag| flag.name.clone()).collect();
    restarted.apply(Layer::Live, kept, flags.snapshot().now());
    let (was, is) = (flags.snapshot(), restarted.snapshot());
    for name in &names {
        for user in users {
            assert_eq!(was.evaluate(user, name), is.evaluate(user, name), "{name} {user:?}");
        }
    }
}

#[test]
fn whatever_comes_in_answers_agree_and_are_counted_once() {
    let corpus = Corpus::new();
    let rounds =
        std::env::var("TEAL_ROUNDS").ok().map_or(150, |rounds| rounds.parse().expect("TEAL_ROUNDS is a number"));
    let mut random = Random::new();
    for _ in 0..rounds {
        round(&corpus, &mut random);
    }
}

#[test]
fn bytes_that_are_no_document_are_refused() {
    const BYTES: &[u8] = b"{}[]\",:\\ 0e-tflagsn\xff\x00";
    let mut random = Random::new();
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| BYTES[random.below(BYTES.len())]).collect();
        let _ = Document::from_json(&bytes);
    }
}
