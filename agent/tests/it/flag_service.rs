//! The benchmark `benches/flag-service`, played small, so that it still works when it is needed.

#[path = "../../../benches/flag-service/mod.rs"]
mod bench;

use std::path::PathBuf;
use std::time::Duration;

use crate::site::TEAL;
use bench::Settings;

#[test]
fn changes_and_answers_are_measured() {
    let settings = Settings {
        program: PathBuf::from(TEAL),
        streams: 12,
        sdks: 2,
        changes: 5,
        pause: Duration::from_millis(5),
        flags: 1,
        connections: 2,
        rate: 500.0,
        length: Duration::from_millis(100),
        rounds: 1,
        only: ["floor", "sqlite-relay", "postgres", "reads"].map(str::to_owned).to_vec(),
    };
    let mut rows = Vec::new();
    settings.play(|row| rows.push(row)).unwrap();
    let names: Vec<String> = rows.iter().map(|row| row["series"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names[..3], ["floor", "sqlite-relay", "postgres"]);
    for row in &rows[..3] {
        let last = &row["last_after_request_ms"];
        assert!(last["p50"].as_f64() > Some(0.0) && last["worst"].as_f64() >= last["p99"].as_f64(), "{row}");
        assert_eq!((&row["changes"], &row["streams"]), (&5.into(), &12.into()), "{row}");
    }
    assert_eq!(names[3..5], ["plain", "check"]);
    for row in &rows[3..] {
        assert!(
            row["fastest"]["per_second"].as_f64() > Some(0.0) && row["steady"]["p99_us"].as_u64() > Some(0),
            "{row}"
        );
    }
}
