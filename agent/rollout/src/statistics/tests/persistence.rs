//! What is saved and read back goes on exactly as if nothing had happened, or is refused.

use std::time::Duration;

use super::request;
use super::{MINUTES_5, Rng, at_1000_rps};
use crate::criteria::Criteria;
use crate::statistics::{Baseline, DAY, Evidence, History, SetAside, Source};

const NOW: u64 = 1_700_000_000_000;

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn evidence() -> Evidence {
    Evidence::new(&History::seeded(200_000, 1_000, NOW), &Criteria::default(), false, MINUTES_5)
}

#[test]
fn evidence_resumed_at_any_moment_comes_to_the_same_verdict_at_the_same_request() {
    for seed in 0..50 {
        let mut rng = Rng(seed);
        let (mut one, mut other) = (evidence(), evidence());
        for i in 0.. {
            let bad = rng.bad(0.05);
            if i == 60 {
                one.restart(at_1000_rps(i));
                other.restart(at_1000_rps(i));
            }
            one.observe(at_1000_rps(i), &request(bad));
            other.observe(at_1000_rps(i), &request(bad));
            if rng.bad(0.1) {
                other = reread(&other);
            }
            assert_eq!(one.is_bad(), other.is_bad());
            assert!((one.log_m() - other.log_m()).abs() < 1e-9);
            if one.is_bad() {
                break;
            }
        }
        assert_eq!((one.requests(), one.bad(), one.excused()), (other.requests(), other.bad(), other.excused()));
        assert!(reread(&other).is_bad(), "a verdict survives");
    }
}

#[test]
fn evidence_accounts_for_every_request() {
    let mut evidence = evidence();
    assert_eq!(evidence.tolerated().source, Source::Measured);
    (0..100).for_each(|i| evidence.observe(at_1000_rps(i), &request(i % 50 == 0)));
    assert_eq!((evidence.requests(), evidence.bad()), (100, 2));
    evidence.set_aside(true);
    evidence.restart(at_1000_rps(200));
    assert_eq!((evidence.requests(), evidence.bad()), (0, 0));
    assert_eq!(evidence.excused(), SetAside { requests: 101, bad: 3 });
    assert_eq!(evidence.excludable(), None);
}

#[test]
fn a_first_release_goes_by_the_policy() {
    let evidence = Evidence::new(
        &History::default(),
        &Criteria { acceptable_error_rate: 0.01, ..Criteria::default() },
        false,
        MINUTES_5,
    );
    assert_eq!((evidence.tolerated().p0, evidence.tolerated().source), (0.01, Source::Policy));
}

#[test]
fn a_baseline_is_saved_compactly_and_read_back_whole() {
    let mut rng = Rng(12);
    let mut baseline = Baseline::new(DAY);
    (0..90_000).for_each(|i| baseline.observe(NOW + i * 1_000, rng.bad(0.01)));
    let text = serde_json::to_string(&baseline).unwrap();
    assert!(text.len() < 60_000, "{} bytes", text.len());
    let read: Baseline = serde_json::from_str(&text).unwrap();
    assert_eq!(read.counts(), baseline.counts());
    assert!((read.dispersion() - baseline.dispersion()).abs() < 1e-9);
    assert_eq!(reread(&read), read);
}

#[test]
fn saved_state_that_cannot_be_true_is_refused_with_its_place() {
    let error = |text: &str| serde_json::from_str::<Baseline>(text).unwrap_err().to_string();
    for row in ["[1,2,3,4,4,4]", "[1,0,0,0,0,0]", "[1,300000,0,0,0,0]", "[1,10,5,101,1,1]"] {
        let text = format!(r#"{{"reach_minutes":1440,"buckets":[[5,1,0,1,0,0],{row}]}}"#);
        assert!(error(&text).contains("row 1"), "{row}: {}", error(&text));
    }
    let good = serde_json::to_value(evidence()).unwrap();
    for (field, value) in [("p0", 0.0), ("p0", 0.7), ("dispersion", -1.0), ("waiting", 1.5), ("began_with", 2.0)] {
        let mut broken = good.clone();
        let process = &mut broken["errors"]["process"];
        let part = if matches!(field, "waiting" | "began_with") { &mut process["mixture"] } else { process };
        part[field] = value.into();
        let error = serde_json::from_value::<Evidence>(broken).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn time_that_stands_still_or_runs_backwards_spends_no_mass_twice() {
    let mut evidence = evidence();
    for i in 0..1_000_u64 {
        evidence.observe(Duration::from_secs(if i % 2 == 0 { 200 } else { 10 }), &request(false));
        assert!(evidence.log_m() <= 0.0);
    }
}
