//! What is saved and read back goes on exactly as if nothing had happened, or is refused.

use super::*;

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

#[test]
fn a_history_is_saved_compactly_and_read_back_whole() {
    let mut rng = Rng(34);
    let history = history(400_000, 5, || ((rng.next() % 33) as u8, MEDIAN_40.wait(&mut rng)));
    let text = serde_json::to_string(&history).unwrap();
    println!("{} bytes for 33 groups", text.len());
    assert!(text.len() < 80_000, "{} bytes", text.len());
    let read = reread(&history);
    assert_eq!(reread(&read), read);
    assert_eq!((0..33).map(|g| read.waits(g)).sum::<u64>(), 400_000);
    let limits = |history| process(history).limits().collect::<Vec<_>>();
    assert_eq!(limits(&read), limits(&history));
}

#[test]
fn a_process_resumed_at_any_moment_comes_to_the_same_verdict_at_the_same_request() {
    let start = process(&log_normal_history(30_000, MEDIAN_40));
    for seed in 0..20 {
        let mut rng = Rng(seed);
        let (mut one, mut other) = (start.clone(), start.clone());
        for i in 0.. {
            let wait = MEDIAN_40.slower(2.0).wait(&mut rng);
            if i == 2_040 {
                one.restart(at_1000_rps(i));
                other.restart(at_1000_rps(i));
            }
            one.observe(at_1000_rps(i), 0, wait);
            other.observe(at_1000_rps(i), 0, wait);
            if rng.bad(0.02) {
                other = reread(&other);
            }
            assert_eq!(one.is_bad(), other.is_bad());
            assert!((one.m() / other.m() - 1.0).abs() < 1e-9);
            if one.is_bad() {
                break;
            }
        }
        assert!(reread(&other).is_bad(), "a verdict survives");
    }
}

#[test]
fn a_saved_history_that_cannot_be_true_is_refused_with_its_place() {
    let good = serde_json::to_value(log_normal_history(3_000, MEDIAN_40)).unwrap();
    let check = |pointer: &str, value: serde_json::Value, place: &str| {
        let mut broken = good.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        let error = serde_json::from_value::<LatencyHistory>(broken).unwrap_err().to_string();
        assert!(error.contains(place), "{pointer}: {error}");
    };
    check("/groups/0/current", [1].into(), "group 0 of `groups`");
    check("/groups/0/current", [411, 1].into(), "group 0 of `groups`");
    check("/groups/0/current", [410, 1, 0, 1].into(), "group 0 of `groups`");
    check("/groups/0/previous", [5, 100_001].into(), "group 0 of `groups`");
    check("/groups/0/current", [u32::MAX, 1, u32::MAX, 1].into(), "group 0 of `groups`");
    check("/groups", vec![good["groups"][0].clone(); 34].into(), "group 33 of `groups`");
    check("/blocks/current/usual/0", [1, 100, 101, 0, 0, 0, 0].into(), "`blocks`");
    check("/blocks/previous/incidents/1", [1, 500_000, 0, 0, 0, 0, 0].into(), "`blocks`");
    check("/blocks/current/usual/1", [1, 100, 1, 0, 0, 0, u64::MAX].into(), "`blocks`");
}

#[test]
fn a_saved_process_that_cannot_be_true_is_refused_by_name() {
    let good = serde_json::to_value(process(&log_normal_history(30_000, MEDIAN_40))).unwrap();
    let check = |pointer: &str, value: serde_json::Value, name: &str| {
        let mut broken = good.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        let error = serde_json::from_value::<LatencyProcess>(broken).unwrap_err().to_string();
        assert!(error.contains(name), "{pointer}: {error}");
    };
    check("/parts", Vec::<u8>::new().into(), "parts");
    check("/parts/1/quantile", "p90".into(), "parts");
    check("/parts/0/slow/p0", 0.2.into(), "p0");
    check("/parts/0/limits", [120_000].into(), "limits");
    check("/parts/0/limits", vec![100; 34].into(), "limits");
    check("/latch_at", 0.5.into(), "latch_at");
    check("/warm", 2_001.into(), "warm");
}
