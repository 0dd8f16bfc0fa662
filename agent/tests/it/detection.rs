//! The benchmark `benches/detection`, played small, so that it still works when it is needed.

#[path = "../../../benches/detection/mod.rs"]
mod bench;

use std::path::PathBuf;
use std::time::Duration;

use teal_agent::proxy::haproxy::program::HaProxy;

use crate::site::TEAL;
use bench::Settings;
use bench::plan::Contestant;
use bench::play::Ending;

#[tokio::test]
async fn the_same_fault_against_teal_and_a_peer_is_measured_for_both() {
    let settings = Settings {
        program: PathBuf::from(TEAL),
        rps: 200,
        cells: vec!["100%".to_owned()],
        contestants: vec![Contestant::Teal, Contestant::Argo],
        runs: [1, 1],
        warm_up: Duration::from_millis(500),
        soak: Duration::ZERO,
    };
    let haproxy = HaProxy::find(Some(&teal_testkit::haproxy_path())).unwrap();
    let mut rows = Vec::new();
    settings.play(&haproxy, |row| rows.push(row)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.contestant).collect::<Vec<_>>(), ["teal", "argo"]);
    for row in &rows {
        println!("{}", serde_json::to_string(row).unwrap());
        assert_eq!((row.ending, row.cell, row.run), (Ending::Off, "100%", 1), "{row:?}");
        let figures = &row.figures;
        assert!(figures.bad > 0 && figures.bad == figures.reached && figures.returned > 0, "{row:?}");
    }
    assert_eq!(rows[0].cause.as_deref(), Some("errors of app"));
}
