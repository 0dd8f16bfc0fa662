//! Writes the test vectors of the bucket function, for this SDK and for ports to other languages.
//!
//! `cargo run -p teal-flags --example bucket_vectors > sdk/tests/vectors/buckets.json`

use std::collections::BTreeSet;

use teal_flags::bucket;

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
        let letters: Vec<char> = ALPHABETS[round % ALPHABETS.len()].chars().collect();
        let length = 1 + below(&mut state, 60);
        let value: String = (0..length).map(|_| letters[below(&mut state, letters.len())]).collect();
        vectors.insert((SALTS[round % SALTS.len()], value));
    }
    println!("{{\"bucketing\": 1, \"buckets\": [");
    for (index, (salt, value)) in vectors.iter().enumerate() {
        let comma = if index + 1 < vectors.len() { "," } else { "" };
        let (salt, value, bucket) = (json(salt), json(value), bucket(salt, value));
        println!("  {{\"salt\": {salt}, \"value\": {value}, \"bucket\": {bucket}}}{comma}");
    }
    println!("]}}");
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

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
