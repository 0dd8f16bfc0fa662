//! What is known of changes and of what was asked: the audit log, counts, and flags that can go.

use serde_json::json;
use teal_flags::model::Timestamp;

use super::{Kept, On, Running};
use crate::flags::*;

on_both! {
    the_audit_log_is_narrowed_and_paged_the_same_everywhere,
    a_report_that_comes_again_is_counted_once,
    environments_and_variants_without_end_are_counted_as_one,
    too_many_rows_are_forgotten_from_the_oldest_on,
    flags_that_can_go_are_found_from_what_was_asked,
}

async fn entries(running: &Running, wanted: Wanted) -> Vec<String> {
    let found = running.service.audit(&Wanted { limit: wanted.limit.max(1), ..wanted }).await.unwrap();
    found.iter().map(|one| format!("{} {}", one.action, one.flag_name.as_deref().unwrap_or("-"))).collect()
}

async fn the_audit_log_is_narrowed_and_paged_the_same_everywhere(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    running.create(json!({"name": "one"})).await.unwrap();
    running.patch("one", json!({"enabled": true})).await.unwrap();
    running.delete("one").await.unwrap();
    // Whole seconds and fractions are in the order of time, whatever their texts look like.
    for (id, at) in [(11, "2026-11-28T10:00:00Z"), (12, "2026-11-28T10:00:00.500Z"), (13, "2026-11-28T10:00:01Z")] {
        kept.by_hand(&format!("UPDATE feature_flag_audit_log SET at = '{at}', who = 'w{id}' WHERE id = {id}")).await;
    }
    let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let name = || Some(Reference::Name("one".into()));
    let wanted = |limit: u32| Wanted { limit, ..Wanted::default() };
    let check = async |wanted: Wanted, expected: &[&str]| {
        let said = format!("{wanted:?}");
        assert_eq!(entries(&running, wanted).await, expected, "{said}");
    };
    check(Wanted { flag: name(), ..wanted(10) }, &["delete one", "update one", "create one"]).await;
    check(Wanted { flag: Some(Reference::Id(11)), ..wanted(2) }, &["delete one", "update one"]).await;
    check(Wanted { before: Some(12), ..wanted(2) }, &["create one", "create ai_treatment_suggestions"]).await;
    check(Wanted { who: Some("w12".into()), ..wanted(9) }, &["update one"]).await;
    check(Wanted { action: Some("delete".into()), ..wanted(9) }, &["delete one"]).await;
    check(Wanted { flag: name(), since: at("2026-11-28T10:00:01Z"), ..wanted(9) }, &["delete one"]).await;
    check(
        Wanted { flag: name(), since: at("2026-11-28T10:00:00.9Z"), ..wanted(9) },
        &["delete one", "update one", "create one"],
    )
    .await;
    check(Wanted { flag: name(), until: at("2026-11-28T10:00:01Z"), ..wanted(9) }, &["update one", "create one"]).await;
    check(Wanted { flag: name(), until: at("2026-11-28T10:00:00Z"), ..wanted(9) }, &[]).await;
    check(Wanted { flag: name(), before: Some(0), ..wanted(9) }, &[]).await;
    check(Wanted { segment: Some("nobody".into()), ..wanted(9) }, &[]).await;
    let never = Wanted { flag: Some(Reference::Id(99)), before: Some(5), ..wanted(9) };
    assert!(matches!(running.service.audit(&never).await, Err(FlagsError::Unknown(_))), "on any page");
}

fn served(flag: &str, variant: Option<&str>, count: u64) -> Served {
    Served { flag: flag.into(), version: 1, variant: variant.map(Into::into), count }
}

async fn a_report_that_comes_again_is_counted_once(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let report = async |running: &Running, id: Option<&str>| {
        let counts = vec![served("telehealth", Some("off"), 1)];
        running.service.count(id.map(Into::into), "prod".into(), now(), counts).await.unwrap();
    };
    for id in [Some("a-1"), Some("a-1"), Some("a-2"), Some("a-2"), Some("a-1"), Some("b-1"), Some("once"), Some("once")]
    {
        report(&running, id).await;
    }
    report(&running, None).await;
    report(&running, None).await;
    running.end().await;
    let running = kept.open().await;
    for id in ["a-2", "a-3", "once", "b-1"] {
        report(&running, Some(id)).await;
    }
    let sum = || kept.by_hand("SELECT CAST(SUM(served) AS BIGINT) FROM feature_flag_exposures");
    assert_eq!(sum().await, "7", "a-1 a-2 b-1 once, twice nameless, a-3");
    assert_eq!(
        kept.by_hand("SELECT reporter, number FROM feature_flag_reporters ORDER BY reporter").await,
        "a|3\nb|1\nonce|0"
    );
    // Who was not heard for a week is forgotten, at the first report of a minute.
    kept.by_hand("UPDATE feature_flag_reporters SET at = '2026-01-01T00:00:00Z' WHERE reporter = 'b'").await;
    kept.by_hand("DELETE FROM feature_flag_exposures").await;
    report(&running, Some("a-4")).await;
    assert_eq!(kept.by_hand("SELECT COUNT(*) FROM feature_flag_reporters").await, "2");
}

async fn environments_and_variants_without_end_are_counted_as_one(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    for number in 0..120 {
        let counts = vec![served("telehealth", Some(&format!("made-up-{number}")), 1)];
        running.service.count(None, format!("environment-{number}"), now(), counts).await.unwrap();
    }
    // One that is known stays known.
    running
        .service
        .count(None, "environment-7".into(), now(), vec![served("telehealth", Some("on"), 1)])
        .await
        .unwrap();
    assert_eq!(kept.by_hand("SELECT COUNT(DISTINCT environment) FROM feature_flag_asked").await, "101");
    assert_eq!(kept.by_hand("SELECT COUNT(DISTINCT variant) FROM feature_flag_asked").await, "2");
    assert_eq!(kept.by_hand("SELECT environment FROM feature_flag_asked WHERE variant = 'on'").await, "environment-7");
    assert_eq!(
        kept.by_hand("SELECT CAST(SUM(served) AS BIGINT) FROM feature_flag_exposures WHERE environment = '(other)'")
            .await,
        "20"
    );
}

async fn too_many_rows_are_forgotten_from_the_oldest_on(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    // 1,001 rows, two a second but for the oldest.
    let minute = if on == On::Postgres {
        "to_char(now() AT TIME ZONE 'UTC' - (n / 2 + 3600) * interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    } else {
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || (n / 2 + 3600) || ' seconds')"
    };
    kept.by_hand(&format!(
        "WITH RECURSIVE rows(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM rows WHERE n < 1000)
         INSERT INTO feature_flag_exposures SELECT 'telehealth', n % 2, 'off', 'prod', {minute}, 1 FROM rows"
    ))
    .await;
    let at: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    running.service.count(None, "prod".into(), at, vec![served("billing_integration", Some("on"), 1)]).await.unwrap();
    // The row of the oldest second is gone, and one has come.
    let left: u64 = kept.by_hand("SELECT COUNT(*) FROM feature_flag_exposures").await.parse().unwrap();
    assert_eq!(left, 1_001);
}

async fn flags_that_can_go_are_found_from_what_was_asked(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let silent = running.service.stale(30).await.unwrap();
    assert_eq!((silent.remembered_since, silent.flags.len()), (None, 0), "nobody told anything yet");
    for (flag, variant) in [("telehealth", "off"), ("billing_integration", "on"), ("telehealth", "off")] {
        running.service.count(None, "prod".into(), now(), vec![served(flag, Some(variant), 1)]).await.unwrap();
    }
    assert!(running.service.stale(30).await.unwrap().flags.is_empty(), "all flags are new");
    // Two months later.
    let today = now().to_string();
    let day = today.split('T').next().unwrap();
    kept.by_hand(&format!("UPDATE feature_flags SET flag = replace(flag, '{day}T', '2026-01-05T')")).await;
    kept.by_hand("UPDATE feature_flag_asked SET first_asked = '2026-01-05T00:00:00Z'").await;
    running.end().await;
    let running = kept.open().await;
    let found = running.service.stale(30).await.unwrap();
    assert_eq!(found.remembered_since.unwrap().to_string(), "2026-01-05T00:00:00Z");
    let said: Vec<String> =
        found.flags.iter().map(|one| format!("{} {:?} {}", one.name, one.finding, one.sure)).collect();
    assert_eq!(said.len(), 10, "{said:?}");
    assert!(said.contains(&"telehealth Constant true".to_owned()), "{said:?}");
    assert!(said.contains(&"billing_integration Constant true".to_owned()), "{said:?}");
    assert!(said.contains(&"advanced_reporting NotAsked true".to_owned()), "{said:?}");
    // A change makes it young again.
    running.patch("telehealth", json!({"enabled": true})).await.unwrap();
    let found = running.service.stale(30).await.unwrap();
    assert!(found.flags.iter().all(|one| one.name != "telehealth"));
}
