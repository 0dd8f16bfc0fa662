//! An application's own tables are carried over.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::Agent;

const TABLES: &str = "
    CREATE SCHEMA clinic;
    CREATE TABLE clinic.feature_flags (
        id SERIAL, name VARCHAR(100), description TEXT, enabled BOOLEAN, rollout_percentage NUMERIC, environments TEXT[], metadata JSONB,
        created_at TIMESTAMP, updated_at TIMESTAMP);
    CREATE TABLE clinic.feature_flag_audit_log (
        id SERIAL, flag_id INT, action TEXT, old_value JSONB, new_value JSONB, changed_by TEXT, created_at TIMESTAMPTZ);
    INSERT INTO clinic.feature_flags VALUES
        (8, 'telehealth', 'Video', true, 12.5, '{prod}', '{\"team\": \"x\"}', '2024-03-01 08:00:00', '2024-03-02 08:00:00'),
        (31, 'their_own', NULL, true, 100, NULL, NULL, NULL, NULL), (32, 'Their Other', NULL, true, 100, NULL, NULL, NULL, NULL);
    INSERT INTO clinic.feature_flag_audit_log VALUES
        (1, 8, 'UPDATE', '{\"enabled\": false}', '{\"enabled\": true}', 'anna', '2024-03-02 08:00:00+00');";

#[tokio::test(flavor = "multi_thread")]
async fn an_applications_tables_are_carried_over_once_and_nothing_is_overwritten() {
    let database = teal_testkit::postgres().database();
    database.sql(TABLES);
    let agent = Agent::started().await;
    let dsn = agent.path("old.dsn");
    std::fs::write(&dsn, database.address()).unwrap();
    let import = |more: &[&str]| agent.flags(&[&["import", "--from-postgres", dsn.to_str().unwrap()], more].concat());
    std::fs::set_permissions(&dsn, std::fs::Permissions::from_mode(0o644)).unwrap();
    import(&["--yes"]).expect(2, &["old.dsn", "may be read or changed by others"]);
    std::fs::set_permissions(&dsn, std::fs::Permissions::from_mode(0o600)).unwrap();
    import(&["--yes", "--schema", "gone"]).expect(2, &["there is no table gone.feature_flags"]);
    let found = "clinic.feature_flags: 2 flags, 1 lines of history";
    import(&["--dry-run"])
        .expect(0, &[found, "flag `Their Other` (id 32): name", "metadata has no place here", "nothing was changed"]);
    assert_eq!(agent.get("/8").await["version"], 1);
    assert_eq!(agent.get("/8").await["enabled"], false);

    import(&["--yes"])
        .expect(0, &["ok  1 new, 1 in the place of default flags, 0 there already; 1 new lines of history"]);
    let flag = agent.get("/8").await;
    assert_eq!(
        (&flag["enabled"], &flag["rollout_percentage"], &flag["environments"], &flag["created_at"]),
        (&json!(true), &json!(12.5), &json!(["prod"]), &json!("2024-03-01T08:00:00Z"))
    );
    let entries = agent.get("/8/audit-log").await["entries"].clone();
    assert_eq!((&entries[1]["who"], &entries[1]["after"]), (&json!("anna"), &json!({"enabled": true})));
    assert_eq!(entries[0]["reason"], "carried over from clinic.feature_flags");
    import(&["--yes"])
        .expect(0, &["ok  0 new, 0 in the place of default flags, 2 there already; 0 new lines of history"]);

    agent.patch("their_own", json!({"enabled": false})).await;
    import(&["--yes"]).expect(4, &["`their_own` is there with other content: enabled"]);
    assert_eq!(agent.get("/31").await["enabled"], false);
    std::fs::write(&dsn, "postgres://teal:s3cret@127.0.0.1:1/gone").unwrap();
    let said = import(&["--yes"]);
    said.expect(5, &["the database: "]);
    assert!(!said.text.contains("s3cret"), "{}", said.text);
}
