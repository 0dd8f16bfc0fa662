//! The service on a real file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use teal_flags::OwnedContext;
use teal_flags::model::Document;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

/// A service, and how it ends.
struct Running {
    service: Service,
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    async fn at(path: &Path) -> Self {
        let stop = CancellationToken::new();
        let (service, task) = Service::open(path, stop.clone()).await.unwrap();
        Self { service, task, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.service.close().await;
    }

    async fn patch(&self, flag: &str, fields: Value) -> Result<u64, FlagsError> {
        self.patch_if(flag, fields, None).await
    }

    async fn patch_if(&self, flag: &str, fields: Value, only_if: Option<String>) -> Result<u64, FlagsError> {
        let edit = Edit::Patch { flag: flag.parse().unwrap(), fields, only_if };
        self.service.edit(edit, author()).await.map(|(_, revision)| revision)
    }

    async fn create(&self, fields: Value) -> Result<i64, FlagsError> {
        self.service.edit(Edit::Create(fields), author()).await.map(|(flag, _)| flag.id)
    }

    async fn delete(&self, flag: &str) -> Result<u64, FlagsError> {
        let edit = Edit::Delete { flag: flag.parse().unwrap(), only_if: None };
        self.service.edit(edit, author()).await.map(|(_, revision)| revision)
    }

    fn position(&self) -> Position {
        self.service.state().position().clone()
    }
}

fn author() -> Author {
    Author { who: "ops@box".into(), ip: "127.0.0.1".into(), reason: "a test".into() }
}

async fn fresh() -> (tempfile::TempDir, PathBuf, Running) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.db");
    let running = Running::at(&path).await;
    (folder, path, running)
}

fn document(json: &str) -> Document {
    Document::from_json(json).unwrap()
}

#[tokio::test]
async fn a_new_database_has_the_ten_default_flags_under_their_ids() {
    let (_folder, path, running) = fresh().await;
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
    assert_eq!(running.service.audit(&Reference::Id(8), None, 10).await.unwrap().len(), 1);
    use std::os::unix::fs::PermissionsExt;
    for file in [&path, &seen::beside(&path)] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_change_is_a_flag_an_audit_row_and_a_revision_and_all_of_it_is_there_after_a_restart() {
    let (_folder, path, running) = fresh().await;
    let before = running.position();
    assert_eq!(running.patch("8", json!({"enabled": true, "rollout_percentage": 25})).await.unwrap(), 2);
    assert_eq!(running.patch("telehealth", json!({"enabled": true})).await.unwrap(), 2, "nothing is different");
    assert_eq!(running.create(json!({"name": "new"})).await.unwrap(), 11);
    assert_eq!(running.delete("new").await.unwrap(), 4);
    assert_eq!(running.create(json!({"name": "newer"})).await.unwrap(), 12, "an id is not given twice");
    running.end().await;

    let running = Running::at(&path).await;
    assert_eq!(running.position(), Position { revision: 5, ..before });
    let flag = running.service.state().flag(&Reference::Name("telehealth".into())).unwrap().clone();
    assert_eq!((flag.version, flag.enabled, flag.rollout_percentage.to_string().as_str()), (2, true, "25"));
    let audit = running.service.audit(&Reference::Id(8), None, 10).await.unwrap();
    let newest = &audit[0];
    assert_eq!((newest.action.as_str(), newest.revision, newest.who.as_str()), ("update", 2, "ops@box"));
    assert_eq!(newest.before.as_ref().unwrap()["enabled"], false);
    assert_eq!(newest.after, Some(flag.to_value()));
    assert_eq!(running.service.audit(&Reference::Id(8), Some(newest.id), 10).await.unwrap(), audit[1..]);
    let actions: Vec<String> = running
        .service
        .audit(&Reference::Name("new".into()), None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["delete", "create"], "also of a flag that is gone");
    assert!(running.service.audit(&Reference::Id(99), None, 10).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_changes_nothing() {
    let (_folder, _path, running) = fresh().await;
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

#[tokio::test]
async fn null_puts_a_field_back_and_objects_are_merged() {
    let (_folder, _path, running) = fresh().await;
    let schedule = json!({"from": "2026-12-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"});
    running.patch("8", json!({"environments": ["prod"], "schedule": schedule})).await.unwrap();
    running.patch("8", json!({"environments": null, "schedule": {"until": null}})).await.unwrap();
    let flag = running.service.state().flag(&Reference::Id(8)).unwrap().to_value();
    assert_eq!((flag.get("environments"), &flag["schedule"]), (None, &json!({"from": "2026-12-01T00:00:00Z"})));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_with_if_match_none_loses_an_update() {
    let (_folder, _path, running) = fresh().await;
    let running = Arc::new(running);
    let writers = (1..=20).map(|number: u32| {
        let running = running.clone();
        tokio::spawn(async move {
            let mut refused = 0;
            loop {
                let flag = running.service.state().flag(&Reference::Id(8)).unwrap().clone();
                let description = format!("{} {number}", flag.description);
                match running.patch_if("8", json!({"description": description}), Some(tag(&flag))).await {
                    Ok(_) => return refused,
                    Err(FlagsError::Stale { version, .. }) => {
                        assert!(version > flag.version);
                        refused += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let flag = running.service.state().flag(&Reference::Id(8)).unwrap().clone();
    let mut written: Vec<u32> = flag.description.split(' ').filter_map(|word| word.parse().ok()).collect();
    written.sort_unstable();
    assert_eq!(written, (1..=20).collect::<Vec<_>>());
    let audit = running.service.audit(&Reference::Id(8), None, 100).await.unwrap();
    let revisions: Vec<u64> = audit.iter().rev().map(|entry| entry.revision).collect();
    assert_eq!(revisions, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_delta_tells_what_changed_since_and_no_more() {
    let (_folder, _path, running) = fresh().await;
    running.create(json!({"name": "short_lived"})).await.unwrap();
    running.patch("telehealth", json!({"enabled": true})).await.unwrap();
    running.delete("short_lived").await.unwrap();
    let state = running.service.state();
    let told = |json: &str| {
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

fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let file = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        let _ = std::fs::remove_file(file(to));
        if file(from).exists() {
            std::fs::copy(file(from), file(to)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_restored_database_is_another_instance_by_the_file_beside_it_or_by_who_knows_more() {
    for beside_is_lost in [false, true] {
        let (folder, path, running) = fresh().await;
        running.end().await;
        let backup = folder.path().join("backup.db");
        copy(&path, &backup);
        let running = Running::at(&path).await;
        running.patch("8", json!({"enabled": true})).await.unwrap();
        let known = running.position();
        running.end().await;
        copy(&backup, &path);
        if beside_is_lost {
            std::fs::remove_file(seen::beside(&path)).unwrap();
        }
        let running = Running::at(&path).await;
        assert_eq!(running.position().instance == known.instance, beside_is_lost);
        running.service.heard(known.clone()).await;
        let renewed = running.position();
        assert_ne!(renewed.instance, known.instance);
        running.service.heard(known).await;
        assert_eq!(running.position(), renewed, "once is enough");
        running.end().await;
        assert_eq!(Running::at(&path).await.position(), renewed);
    }
}

#[tokio::test]
async fn a_table_that_was_emptied_by_hand_is_another_instance_and_can_be_filled_again() {
    let (_folder, path, running) = fresh().await;
    let known = running.position();
    let by_hand = async |sql: &'static str| {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
        pool.close().await;
    };
    // While it runs: noticed by the next change that misses its flag.
    by_hand("DELETE FROM feature_flags WHERE id = 8").await;
    assert!(matches!(running.patch("8", json!({"enabled": true})).await, Err(FlagsError::Unknown(_))));
    let second = running.position();
    assert_ne!(second.instance, known.instance);
    assert_eq!(running.service.state().flags().len(), 9);
    running.end().await;
    // While it does not.
    by_hand("DELETE FROM feature_flags").await;
    let running = Running::at(&path).await;
    assert_ne!(running.position().instance, second.instance);
    assert_eq!(running.create(json!({"name": "telehealth"})).await.unwrap(), 11);
}

#[tokio::test]
async fn a_question_is_answered_for_its_environment_and_follows_changes() {
    let (_folder, _path, running) = fresh().await;
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
