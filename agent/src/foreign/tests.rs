//! Tables as applications have them, on a real PostgreSQL.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use teal_testkit::PostgresDatabase;

use super::*;

fn database(sql: &str) -> (PostgresDatabase, tempfile::NamedTempFile) {
    let database = teal_testkit::postgres().database();
    database.sql(sql);
    let dsn = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(dsn.path(), database.address()).unwrap();
    std::fs::set_permissions(dsn.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    (database, dsn)
}

/// As PhysioFlow has them.
const PHYSIOFLOW: &str = "
    CREATE TABLE feature_flags (
        id SERIAL PRIMARY KEY, name VARCHAR(100) UNIQUE NOT NULL, description TEXT, enabled BOOLEAN NOT NULL DEFAULT false,
        rollout_percentage NUMERIC(6,3) DEFAULT 100, environments TEXT[], metadata JSONB,
        created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
    CREATE TABLE feature_flag_audit_log (
        id BIGSERIAL PRIMARY KEY, flag_id INTEGER, action VARCHAR(50), old_value JSONB, new_value JSONB, changed_by UUID,
        ip_address INET, reason TEXT, created_at TIMESTAMPTZ);
    INSERT INTO feature_flags VALUES
        (8, 'telehealth', 'Video', true, 12.5, '{}', '{\"owner\": \"a team\"}', '2024-03-01 08:00:00.123456+07', '2024-03-02 08:00:00+07'),
        (9, 'mobile_app_sync', NULL, false, NULL, '{dev,staging}', NULL, NULL, NULL),
        (10, 'Not A Name', NULL, false, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO feature_flag_audit_log VALUES
        (2, 8, 'toggled', '{\"enabled\": false}', '{\"enabled\": true}', '6f1c1b1e-0000-4000-8000-000000000001', '10.0.0.7/32', NULL, '2024-03-02 01:00:00Z'),
        (1, 8, 'created', NULL, '{\"enabled\": false}', NULL, NULL, 'first', '2024-03-01 01:00:00Z'),
        (3, 99, 'deleted', NULL, NULL, NULL, NULL, NULL, NULL);";

#[tokio::test]
async fn physioflows_tables_are_read_as_they_are() {
    let (_database, dsn) = database(PHYSIOFLOW);
    let found = read(dsn.path(), None).await.unwrap();
    assert_eq!(found.table, "public.feature_flags");
    let telehealth = json!({
        "id": 8, "name": "telehealth", "description": "Video", "enabled": true, "rollout_percentage": 12.5, "version": 1,
        "created_at": "2024-03-01T01:00:00.123Z", "updated_at": "2024-03-02T01:00:00Z",
    });
    let subset = |whole: &Value, part: &Value| {
        for (name, value) in part.as_object().unwrap() {
            assert_eq!(whole.get(name), Some(value), "{name}");
        }
    };
    assert_eq!(found.flags.len(), 2);
    let mut expected = telehealth;
    expected.as_object_mut().unwrap().remove("version");
    subset(&found.flags[0], &expected);
    subset(
        &found.flags[1],
        &json!({"id": 9, "enabled": false, "rollout_percentage": 100, "environments": ["dev", "staging"]}),
    );
    assert_eq!(found.history.len(), 2);
    subset(
        &found.history[0],
        &json!({"flag_id": 8, "flag_name": "telehealth", "action": "create", "reason": "first", "before": null}),
    );
    subset(
        &found.history[1],
        &json!({
            "action": "update", "reason": "toggled", "who": "6f1c1b1e-0000-4000-8000-000000000001", "ip": "10.0.0.7",
            "at": "2024-03-02T01:00:00Z", "before": {"enabled": false}, "after": {"enabled": true},
        }),
    );
    let left_out = found.left_out.join("\n");
    for words in [
        "flag `Not A Name` (id 10): name",
        "feature_flags.metadata has no place here (1 rows",
        "line 3 of the history: has no time",
    ] {
        assert!(left_out.contains(words), "{left_out}");
    }
    assert_eq!(found.left_out.len(), 3, "{left_out}");
}

#[tokio::test]
async fn columns_may_have_other_types_and_names() {
    let check = async |columns: &str, values: &str, expected: Result<Value, &str>| {
        let (_database, dsn) = database(&format!(
            "CREATE SCHEMA app; CREATE TABLE app.feature_flags ({columns}); INSERT INTO app.feature_flags VALUES ({values})"
        ));
        let found = read(dsn.path(), None).await.unwrap();
        match expected {
            Ok(expected) => {
                let flag = found.flags.first().unwrap_or_else(|| panic!("{:?}", found.left_out));
                let environments = flag.get("environments").cloned().unwrap_or(json!([]));
                assert_eq!(json!([flag["enabled"], flag["rollout_percentage"], environments]), expected, "{columns}");
            }
            Err(words) => assert!(found.left_out[0].contains(words), "{:?}", found.left_out),
        }
    };
    let named = "id INT, name TEXT, enabled BOOLEAN, rollout_percentage INT";
    check(&format!("{named}, environments JSONB"), "1, 'a', true, 5, '[\"prod\"]'", Ok(json!([true, 5, ["prod"]])))
        .await;
    let chosen = "1, 'a', true, 5, '{\"prod\": true, \"dev\": false}'";
    check(&format!("{named}, environments JSONB"), chosen, Ok(json!([true, 5, ["prod"]]))).await;
    check(
        &format!("{named}, enabled_environments TEXT"),
        "1, 'a', true, 5, 'dev, prod'",
        Ok(json!([true, 5, ["dev", "prod"]])),
    )
    .await;
    check(
        &format!("{named}, environment TEXT"),
        "1, 'a', true, 5, '{dev,\"prod\"}'",
        Ok(json!([true, 5, ["dev", "prod"]])),
    )
    .await;
    check(&format!("{named}, environments TEXT"), "1, 'a', true, 5, 'all'", Ok(json!([true, 5, []]))).await;
    check("id TEXT, key TEXT, is_enabled INT, rollout TEXT", "'1', 'a', 1, '0.125'", Ok(json!([true, 0.125, []])))
        .await;
    check("id UUID, name TEXT, active TEXT", "gen_random_uuid(), 'a', 't'", Ok(json!([true, 100, []]))).await;
    check(named, "1, 'a', true, 101", Err("rollout_percentage")).await;
    check(named, "1, 'a', NULL, 5", Err("has no column `enabled`")).await;
    check(
        &format!("{named}, environments JSONB"),
        "1, 'a', true, 5, '{\"prod\": false}'",
        Err("for no environment at all"),
    )
    .await;
    check(&format!("{named}, deleted_at DATE"), "1, 'a', true, 5, now()", Err("was deleted")).await;
}

#[tokio::test]
async fn the_table_is_found_in_its_schema_or_asked_for() {
    let (database, dsn) = database("CREATE SCHEMA teal; CREATE TABLE teal.feature_flags (id INT)");
    let said = async |schema: Option<&str>| match read(dsn.path(), schema).await {
        Ok(found) => found.table,
        Err(error) => error.to_string(),
    };
    assert_eq!(said(None).await, "there is no table feature_flags that this user may see");
    let table = "(id INT, name TEXT, enabled BOOLEAN)";
    database.sql(&format!("CREATE SCHEMA \"a \"\"b\"; CREATE TABLE \"a \"\"b\".feature_flags {table}"));
    assert_eq!(said(None).await, "a \"b.feature_flags");
    database.sql(&format!("CREATE TABLE public.feature_flags {table}"));
    assert_eq!(said(None).await, "feature_flags is in several schemas (a \"b, public): --schema says which");
    assert_eq!(said(Some("public")).await, "public.feature_flags");
    assert_eq!(said(Some("gone")).await, "there is no table gone.feature_flags that this user may see");
    std::fs::write(dsn.path(), database.address().replace("teal@", "nobody:s3cret@")).unwrap();
    let refused = said(None).await;
    assert!(refused.contains("nobody") && !refused.contains("s3cret"), "{refused}");
}
