//! The vectors in `tests/vectors/` hold: they are the contract with the edge and with ports to other languages.

use serde_json::Value;
use teal_flags::bucket;
use teal_flags::bucketing::{Bucketing, General, Hash};
use teal_flags::model::Percentage;

/// The list under this name, of at least so many.
fn vectors(file: &str, list: &str, least: usize) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    let Value::Array(vectors) = file[list].take() else { panic!("no list {list}") };
    assert!(vectors.len() >= least, "{} vectors", vectors.len());
    vectors
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} of {vector}"))
}

fn number(vector: &Value, field: &str) -> u32 {
    vector[field].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_else(|| panic!("{field} of {vector}"))
}

fn thousandths(share: u32) -> Percentage {
    Percentage::from_thousandths(share).unwrap()
}

/// This is the smallest share, in thousandths of a percent, in which the value is.
fn check_first_share(bucketing: &Bucketing, vector: &Value, share: u32) {
    let includes = |share| bucketing.includes(text(vector, "salt"), text(vector, "value"), thousandths(share));
    assert!(includes(share) && !includes(share - 1), "{vector}");
}

fn draw(bucketing: &Bucketing, vector: &Value) -> u32 {
    bucketing.draw(text(vector, "salt"), text(vector, "value"), Percentage::ALL, 1000)
}

#[test]
fn every_bucket_is_what_it_was_when_the_vectors_were_written() {
    for vector in vectors(include_str!("../vectors/buckets.json"), "buckets", 1_000) {
        let found = bucket(text(&vector, "salt"), text(&vector, "value"));
        assert_eq!(found, number(&vector, "bucket"), "{vector}");
        check_first_share(&Bucketing::Teal1, &vector, found + 1);
    }
}

/// A bucketing as flags have it in JSON.
fn bucketing(json: &Value) -> Bucketing {
    if json == "teal1" {
        return Bucketing::Teal1;
    }
    let hash = Hash::ALL.iter().find(|(_, name)| json["hash"] == *name).map(|(hash, _)| *hash).unwrap();
    Bucketing::General(General { hash, input: text(json, "input").to_owned(), modulo: number(json, "modulo") })
}

#[test]
fn every_deal_is_what_it_was_when_the_vectors_were_written() {
    let mut seen = std::collections::HashMap::new();
    for vector in vectors(include_str!("../vectors/deals.json"), "deals", 700) {
        let bucketing = bucketing(&vector["bucketing"]);
        check_first_share(&bucketing, &vector, number(&vector, "first_share"));
        assert_eq!(draw(&bucketing, &vector), number(&vector, "draw_of_1000"), "{vector}");
        *seen.entry(vector["bucketing"]["hash"].to_string()).or_insert(0) += 1;
    }
    assert!(seen.len() == 7 && seen.values().all(|count| *count >= 100), "{seen:?}");
}

#[test]
fn unleash_deals_the_same_users() {
    for vector in vectors(include_str!("../vectors/unleash.json"), "vectors", 200) {
        check_first_share(&Bucketing::Unleash, &vector, (number(&vector, "strategy") - 1) * 1000 + 1);
        assert_eq!(draw(&Bucketing::Unleash, &vector) + 1, number(&vector, "variant_of_1000"), "{vector}");
    }
}

#[test]
fn flagd_deals_the_same_users() {
    for vector in vectors(include_str!("../vectors/flagd.json"), "vectors", 200) {
        assert_eq!(draw(&Bucketing::Flagd, &vector), number(&vector, "place_of_1000"), "{vector}");
        let share = thousandths(number(&vector, "share"));
        let is_on = Bucketing::Flagd.includes(text(&vector, "salt"), text(&vector, "value"), share);
        assert_eq!(is_on, vector["on"].as_bool().unwrap(), "{vector}");
    }
}
