//! The vectors in `tests/vectors/` hold: they are the contract with the edge and with ports to other languages.

use serde_json::Value;
use teal_flags::bucket;

#[test]
fn every_bucket_is_what_it_was_when_the_vectors_were_written() {
    let file: Value = serde_json::from_str(include_str!("vectors/buckets.json")).unwrap();
    let vectors = file["buckets"].as_array().unwrap();
    assert!(vectors.len() >= 1_000, "{} vectors", vectors.len());
    for vector in vectors {
        let (salt, value) = (vector["salt"].as_str().unwrap(), vector["value"].as_str().unwrap());
        assert_eq!(u64::from(bucket(salt, value)), vector["bucket"].as_u64().unwrap(), "{vector}");
    }
}
