//! Writes the test vectors of the bucketings, for this SDK and for ports to other languages.
//!
//! ```text
//! cargo run -p teal-flags --example bucket_vectors            > sdk/tests/vectors/buckets.json
//! cargo run -p teal-flags --example bucket_vectors -- deals   > sdk/tests/vectors/deals.json
//! ```
//!
//! Those of Unleash and flagd (`unleash.json`, `flagd.json`) are theirs and not written by this.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teal_flags::bucket;
use teal_flags::bucketing::{Bucketing, General, Hash};
use teal_flags::model::Percentage;

const SALTS: [&str; 6] = [
    "r-1",
    "r-43",
    "telehealth",
    "new_editor.v2",
    "A",
    "0123456789.abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ-",
];

const ALPHABETS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-",
    "abc,;= @:/+?&%#\"'\\()[]{}<>|^`!*$0123456789",
    "ăâđêôơưàảãáạ日本語кириллица",
    "0123456789abcdef-",
];

fn main() {
    if std::env::args().nth(1).is_some_and(|argument| argument == "deals") { deals() } else { buckets() }
}

/// Teal's own buckets: 0..100 000 of `salt:value`.
fn buckets() {
    let mut vectors = BTreeSet::new();
    for salt in SALTS {
        for id in 0..40 {
            vectors.insert((salt, id.to_string()));
        }
    }
    for value in ["", " ", "a", "user@example.com", "550e8400-e29b-41d4-a716-446655440000", "Nguyễn Văn A", "👩‍⚕️"]
    {
        vectors.insert(("telehealth", value.to_owned()));
    }
    // The lengths at which the hash changes its way of working (16, 128, 240), and the SDK its buffer (256).
    for length in (1..=32).chain(120..=136).chain(230..=262).chain([300, 511, 512, 513, 1024, 2048]) {
        vectors.insert(("r-43", "x".repeat(length)));
    }
    let mut state = 43;
    for round in 0..900 {
        vectors.insert((SALTS[round % SALTS.len()], word(&mut state, round)));
    }
    println!("{{\"bucketing\": 1, \"buckets\": [");
    list(vectors.iter(), |(salt, value)| {
        let (salt, value, bucket) = (Value::from(*salt), Value::from(value.as_str()), bucket(salt, value));
        format!("{{\"salt\": {salt}, \"value\": {value}, \"bucket\": {bucket}}}")
    });
    println!("]}}");
}

/// Shares and draws of Teal's own bucketing and of general ones.
fn deals() {
    let mut cases = Vec::new();
    let mut state = 44;
    let inputs = ["{name}:{user}", "{user}", "{user}.{name}", "é{{name}}{user}{"];
    let modulos = [100, 1, 1000, 100_000, 1_000_003, 1_000_000_000];
    for round in 0..120 {
        let (salt, value) = (SALTS[round % SALTS.len()], word(&mut state, round));
        cases.push((Bucketing::Teal1, salt, value.clone()));
        for (hash, _) in Hash::ALL {
            let (input, modulo) = (inputs[round % inputs.len()].to_owned(), modulos[round / 7 % modulos.len()]);
            cases.push((Bucketing::General(General { hash, input, modulo }), salt, value.clone()));
        }
    }
    println!("{{\"about\": [");
    println!("    \"first_share: the smallest share, in thousandths of a percent, in which the value is.\",");
    println!("    \"draw_of_1000: the draw among variants whose weights add up to 1000, 0..1000.\",");
    println!(
        "    \"Written by examples/bucket_vectors.rs, and all computed once more in Python (zlib, hashlib, PyPI mmh3 5.3.1 and\","
    );
    println!("    \"xxhash 4.1.0) with the same results.\"");
    println!("  ],");
    println!("\"deals\": [");
    list(cases.iter(), |(bucketing, salt, value)| {
        let share = first_share(bucketing, salt, value);
        let draw = bucketing.draw(salt, value, Percentage::ALL, 1000);
        let (bucketing, salt, value) = (name(bucketing), Value::from(*salt), Value::from(value.as_str()));
        format!(
            "{{\"bucketing\": {bucketing}, \"salt\": {salt}, \"value\": {value}, \"first_share\": {share}, \"draw_of_1000\": {draw}}}"
        )
    });
    println!("]}}");
}

/// One a line.
fn list<T>(items: impl ExactSizeIterator<Item = T>, line: impl Fn(T) -> String) {
    let count = items.len();
    for (index, item) in items.enumerate() {
        let comma = if index + 1 < count { "," } else { "" };
        println!("  {}{comma}", line(item));
    }
}

fn first_share(bucketing: &Bucketing, salt: &str, value: &str) -> u32 {
    let (mut outside, mut inside) = (0, 100_000);
    while outside + 1 < inside {
        let middle = u32::midpoint(outside, inside);
        let share = Percentage::from_thousandths(middle).unwrap_or(Percentage::ALL);
        if bucketing.includes(salt, value, share) { inside = middle } else { outside = middle }
    }
    inside
}

/// As flags have it in JSON.
fn name(bucketing: &Bucketing) -> Value {
    match bucketing {
        Bucketing::Teal1 => "teal1".into(),
        Bucketing::Unleash => "unleash".into(),
        Bucketing::Flagd => "flagd".into(),
        Bucketing::General(general) => {
            let hash = Hash::ALL.iter().find(|(hash, _)| *hash == general.hash).map(|(_, name)| *name);
            json!({"hash": hash, "input": general.input, "modulo": general.modulo})
        }
    }
}

/// A text of 1 to 60 characters of one alphabet.
fn word(state: &mut u64, round: usize) -> String {
    let letters: Vec<char> = ALPHABETS[round % ALPHABETS.len()].chars().collect();
    let length = 1 + below(state, 60);
    (0..length).map(|_| letters[below(state, letters.len())]).collect()
}

/// A repeatable sequence (splitmix64): the file must come out the same on every machine.
#[expect(clippy::cast_possible_truncation, reason = "less than `bound`")]
fn below(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) % bound as u64) as usize
}
