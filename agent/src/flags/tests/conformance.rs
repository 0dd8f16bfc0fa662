//! What a service does, whatever its database is.

use serde_json::json;
use teal_flags::OwnedContext;
use tokio_util::sync::CancellationToken;

use super::{Kept, On, Running, document};
use crate::flags::*;

on_both! {
    a_new_database_has_the_ten_default_flags_under_their_ids,
    a_change_is_a_flag_an_audit_row_and_a_revision_and_all_of_it_is_there_after_a_restart,
    what_cannot_be_taken_is_named_and_changes_nothing,
    null_puts_a_field_back_and_objects_are_merged,
    a_delta_tells_what_changed_since_and_no_more,
    a_restored_database_is_another_instance_by_the_file_beside_it_or_by_who_knows_more,
    a_table_that_was_emptied_by_hand_is_another_instance_and_can_be_filled_again,
    a_question_is_answered_for_its_environment_and_follows_changes,
    an_id_is_not_given_twice_whatever_is_written_by_hand,
    texts_that_a_database_cannot_keep_are_kept_as_what_they_can,
    counts_are_added_and_old_ones_forgotten,
    a_schema_that_may_not_be_changed_or_is_newer_is_refused,
}

async fn a_new_database_has_the_ten_default_flags_under_their_ids(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let state = running.service.state();
    let told: Vec<String> = state
        .flags()
        .map(|flag| format!("{} {} {} {}", flag.id, flag.name, flag.enabled, flag.environments.join(",")))
        .collect();
    assert_eq!(
        told,
        [
            "1 bhyt_insurance_validation true ",
            "2 outcome_measures_tracking true ",
            "3 billing_integration true ",
            "4 clinical_protocols true ",
            "5 discharge_planning true ",
            "6 vietnamese_medical_terms true ",
            "7 advanced_reporting false ",
            "8 telehealth false ",
            "9 mobile_app_sync false dev",
            "10 ai_treatment_suggestions false dev",
        ]
    );
    assert_eq!(running.service.audit(&Wanted::of(Reference::Id(8), None, 10)).await.unwrap().len(), 1);
    assert_eq!(kept.mode_of_seen(), 0o600);
}

async fn a_change_is_a_flag_an_audit_row_and_a_revision_and_all_of_it_is_there_after_a_restart(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let before = running.position();
    assert_eq!(running.patch("8", json!({"enabled": true, "rollout_percentage": 25})).await.unwrap(), 2);
    assert_eq!(running.patch("telehealth", json!({"enabled": true})).await.unwrap(), 2, "nothing is different");
    assert_eq!(running.create(json!({"name": "new"})).await.unwrap(), 11);
    assert_eq!(running.delete("new").await.unwrap(), 4);
    assert_eq!(running.create(json!({"name": "newer"})).await.unwrap(), 12, "an id is not given twice");
    running.end().await;

    let running = kept.open().await;
    assert_eq!(running.position(), Position { revision: 5, ..before });
    let flag = running.service.state().flag(&Reference::Name("telehealth".into())).unwrap().clone();
    assert_eq!((flag.version, flag.enabled, flag.rollout_percentage.to_string().as_str()), (2, true, "25"));
    let audit = running.service.audit(&Wanted::of(Reference::Id(8), None, 10)).await.unwrap();
    let newest = &audit[0];
    assert_eq!((newest.action.as_str(), newest.revision, newest.who.as_str()), ("update", 2, "ops@box"));
    assert_eq!(newest.before.as_ref().unwrap()["enabled"], false);
    assert_eq!(newest.after, Some(flag.to_value()));
    assert_eq!(running.service.audit(&Wanted::of(Reference::Id(8), Some(newest.id), 10)).await.unwrap(), audit[1..]);
    let actions: Vec<String> = running
        .service
        .audit(&Wanted::of(Reference::Name("new".into()), None, 10))
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["delete", "create"], "also of a flag that is gone");
    assert!(running.service.audit(&Wanted::of(Reference::Id(99), None, 10)).await.is_err());
}

async fn what_cannot_be_taken_is_named_and_changes_nothing(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let at = running.position();
    let check = |error: FlagsError, expected: &str| assert!(error.to_string().starts_with(expected), "{error}");
    for (fields, expected) in [
        (json!({"rollout_percentage": 101}), "rollout_percentage: "),
        (json!({"rollout_percentage": 12.3456}), "rollout_percentage: "),
        (json!({"enabled": "yes"}), "enabled: "),
        (json!({"rolout_percentage": 5}), "rolout_percentage: is no field"),
        (json!({"version": 7}), "version: is kept by the service"),
        (json!({"name": "other"}), "name: cannot be changed"),
        (json!({"rules": [{"percentage": -1}]}), "rules[0].percentage: "),
        (json!({"prerequisites": [{"flag": "telehealth"}]}), "prerequisites"),
        (json!({"rules": [{"conditions": [{"segment": "nobody"}]}]}), "rules[0]"),
        (json!([1]), "a change is"),
    ] {
        check(running.patch("telehealth", fields).await.unwrap_err(), expected);
    }
    for (fields, expected) in [
        (json!({"enabled": true}), "name: "),
        (json!({"name": "Upper"}), "name: "),
        (json!({"name": "stream"}), "name: "),
        (json!({"name": "x", "id": 5}), "id: is given by the service"),
        (json!({"name": "telehealth"}), "there is a flag `telehealth` already"),
    ] {
        check(running.create(fields).await.unwrap_err(), expected);
    }
    check(running.patch("99", json!({})).await.unwrap_err(), "there is no flag `99`");
    check(running.delete("gone").await.unwrap_err(), "there is no flag `gone`");
    assert_eq!(running.position(), at);

    // A circle is found through the flag that closes it.
    running.patch("telehealth", json!({"prerequisites": [{"flag": "billing_integration"}]})).await.unwrap();
    let circle = json!({"prerequisites": [{"flag": "telehealth"}]});
    check(running.patch("billing_integration", circle).await.unwrap_err(), "prerequisites");
}

async fn null_puts_a_field_back_and_objects_are_merged(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let schedule = json!({"from": "2026-12-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"});
    running.patch("8", json!({"environments": ["prod"], "schedule": schedule})).await.unwrap();
    running.patch("8", json!({"environments": null, "schedule": {"until": null}})).await.unwrap();
    let flag = running.service.state().flag(&Reference::Id(8)).unwrap().to_value();
    assert_eq!((flag.get("environments"), &flag["schedule"]), (None, &json!({"from": "2026-12-01T00:00:00Z"})));
}

async fn a_delta_tells_what_changed_since_and_no_more(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    running.create(json!({"name": "short_lived"})).await.unwrap();
    running.patch("telehealth", json!({"enabled": true})).await.unwrap();
    running.delete("short_lived").await.unwrap();
    let state = running.service.state();
    let told = |json: &[u8]| {
        let document = document(json);
        let names: Vec<String> = document.flags.into_iter().map(|flag| flag.name).collect();
        (document.since, document.revision, names, document.deleted)
    };
    let telehealth = vec!["telehealth".to_owned()];
    let gone = vec!["short_lived".to_owned()];
    assert_eq!(told(&state.delta(1)), (Some(1), 4, telehealth, gone.clone()));
    assert_eq!(told(&state.delta(3)), (Some(3), 4, vec![], gone.clone()));
    let (since, _, names, deleted) = told(&state.whole());
    assert_eq!((since, names.len(), deleted), (None, 10, gone), "who missed the deletion hears of it");
    // Made anew, it is not deleted.
    running.create(json!({"name": "short_lived"})).await.unwrap();
    assert!(document(&running.service.state().whole()).deleted.is_empty());
}

async fn a_restored_database_is_another_instance_by_the_file_beside_it_or_by_who_knows_more(on: On) {
    for beside_is_lost in [false, true] {
        let kept = Kept::new(on);
        let running = kept.open().await;
        running.end().await;
        let backup = kept.back_up();
        let running = kept.open().await;
        running.patch("8", json!({"enabled": true})).await.unwrap();
        let known = running.position();
        running.end().await;
        kept.restore(&backup);
        if beside_is_lost {
            kept.lose_seen();
        }
        let running = kept.open().await;
        assert_eq!(running.position().instance == known.instance, beside_is_lost);
        running.service.heard(known.clone()).await;
        let renewed = running.position();
        assert_ne!(renewed.instance, known.instance);
        running.service.heard(known).await;
        assert_eq!(running.position(), renewed, "once is enough");
        running.end().await;
        assert_eq!(kept.open().await.position(), renewed);
    }
}

async fn a_table_that_was_emptied_by_hand_is_another_instance_and_can_be_filled_again(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let known = running.position();
    // While it runs: noticed by the next change that misses its flag, at the latest.
    kept.by_hand("DELETE FROM feature_flags WHERE id = 8").await;
    assert!(matches!(running.patch("8", json!({"enabled": true})).await, Err(FlagsError::Unknown(_))));
    let second = running.position();
    assert_ne!(second.instance, known.instance);
    assert_eq!(running.service.state().flags().len(), 9);
    running.end().await;
    // While it does not.
    kept.by_hand("DELETE FROM feature_flags").await;
    let running = kept.open().await;
    assert_ne!(running.position().instance, second.instance);
    assert_eq!(running.create(json!({"name": "telehealth"})).await.unwrap(), 11);
}

async fn a_question_is_answered_for_its_environment_and_follows_changes(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let user = OwnedContext { id: Some("user-7".into()), ..OwnedContext::default() };
    let check = |environment: Option<&str>, expected: bool| {
        let answer = running.service.reads().evaluate(environment, "mobile_app_sync", &user);
        assert_eq!(answer.enabled, Some(expected), "{environment:?}");
    };
    check(Some("dev"), false);
    running.patch("mobile_app_sync", json!({"enabled": true})).await.unwrap();
    check(Some("dev"), true);
    check(Some("prod"), false);
    check(None, false);
    for number in 0..100 {
        check(Some(&format!("made-up-{number}")), false);
    }
    running.delete("mobile_app_sync").await.unwrap();
    assert_eq!(running.service.reads().evaluate(Some("dev"), "mobile_app_sync", &user).enabled, None);
}

async fn an_id_is_not_given_twice_whatever_is_written_by_hand(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    assert_eq!(running.create(json!({"name": "one"})).await.unwrap(), 11);
    for refused in [json!({"name": "one"}), json!({"name": "Two"}), json!({"name": "two", "rollout_percentage": 101})] {
        running.create(refused).await.unwrap_err();
    }
    assert_eq!(running.create(json!({"name": "two"})).await.unwrap(), 12, "what was refused takes no id");
    running.delete("two").await.unwrap();
    let row = r#"{"id": 500, "name": "by_hand", "enabled": true, "version": 1}"#;
    kept.by_hand(&format!(
        "INSERT INTO feature_flags (id, name, version, revision, flag) VALUES (500, 'by_hand', 1, 1, '{row}')"
    ))
    .await;
    assert_eq!(running.create(json!({"name": "three"})).await.unwrap(), 501);
    running.patch("by_hand", json!({"enabled": false})).await.unwrap();
    running.delete("three").await.unwrap();
    running.end().await;
    assert_eq!(kept.open().await.create(json!({"name": "four"})).await.unwrap(), 502);
}

async fn texts_that_a_database_cannot_keep_are_kept_as_what_they_can(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let nul = "a\0b";
    let author = Author {
        who: nul.into(),
        ip: "::1".into(),
        reason: "'; DROP TABLE feature_flags; -- \u{1f600} \u{1ea1}".into(),
        ..Author::default()
    };
    let fields = json!({"description": nul, "rules": [{"conditions": [{"attribute": "x", "operator": "in", "values": [nul]}], "percentage": 5}]});
    let edit = Edit::Patch { flag: Reference::Id(8), fields, only_if: None };
    let (flag, _) = running.service.edit(edit, author.clone()).await.unwrap();
    assert_eq!(flag.description, nul, "in JSON it is an escape");
    let newest = running.service.audit(&Wanted::of(Reference::Id(8), None, 1)).await.unwrap().remove(0);
    assert_eq!((newest.who.as_str(), newest.reason), ("a\u{fffd}b", author.reason));
    assert_eq!(newest.after, Some(flag.to_value()));
    assert!(matches!(running.delete(nul).await, Err(FlagsError::Unknown(_))));
    assert!(running.service.audit(&Wanted::of(Reference::Name(nul.into()), None, 1)).await.is_err());
    assert!(matches!(running.delete(&i64::MIN.to_string()).await, Err(FlagsError::Unknown(_))));
    let served = Served { flag: "telehealth".into(), version: 1, variant: Some(nul.into()), count: 1 };
    running.service.count(None, nul.into(), now(), vec![served]).await.unwrap();
    running.end().await;
    assert_eq!(kept.open().await.service.state().flag(&Reference::Id(8)).unwrap().description, nul);
}

async fn counts_are_added_and_old_ones_forgotten(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let served = |flag: &str, count: u64| Served { flag: flag.into(), version: 1, variant: None, count };
    let at = teal_flags::model::Timestamp::from_millis(now().millis() - 24 * 3_600_000);
    kept.by_hand("INSERT INTO feature_flag_exposures VALUES ('telehealth', 1, '', '', '2020-01-01T00:00:00Z', 5)")
        .await;
    for count in [2, u64::MAX, u64::MAX] {
        let counts = vec![served("telehealth", count), served("unknown", 1), served("billing_integration", 1)];
        running.service.count(None, "prod".into(), at, counts).await.unwrap();
    }
    let rows = kept.by_hand("SELECT flag, environment, served FROM feature_flag_exposures ORDER BY flag").await;
    assert_eq!(rows, format!("billing_integration|prod|3\ntelehealth|prod|{}", 2 + (1_i64 << 51)));
}

async fn a_schema_that_may_not_be_changed_or_is_newer_is_refused(on: On) {
    let kept = Kept::new(on);
    let refused = |settings: Settings| async {
        let error = Service::open(settings, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, FlagsError::Schema { .. }), "{error}");
        error.to_string()
    };
    let as_it_is = || Settings { may_migrate: false, ..kept.settings() };
    let said = refused(as_it_is()).await;
    assert!(
        said.contains("the schema has steps up to 0") && said.contains("start one agent with `migrate = true`"),
        "{said}"
    );
    kept.open().await.end().await;
    Running::with(as_it_is()).await.end().await;

    let tracking = kept.tracking();
    kept.by_hand(&format!("UPDATE {tracking} SET checksum = 'x' WHERE version = 28")).await;
    let said = refused(kept.settings()).await;
    assert!(said.contains("step 28 was another one when it was done"), "{said}");
    kept.by_hand(&format!("UPDATE {tracking} SET version = 9999 WHERE version = 28")).await;
    let said = refused(kept.settings()).await;
    assert!(said.contains("the schema has step 9999") && said.contains("use the newer one"), "{said}");
}
