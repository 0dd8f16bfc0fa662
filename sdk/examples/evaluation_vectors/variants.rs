//! What is served: variants, off variants, and values of the type that was asked for.

use serde_json::{Value, json};

use super::groups::{NOBODY, USER};
use super::{Case, Group, read};

pub(crate) fn groups() -> Vec<Group> {
    vec![off_variants(), served(), types()]
}

fn off_variants() -> Group {
    let document = r##"{"flags": [
        {"name": "named", "enabled": false, "off_variant": "old", "variants": [{"name": "old", "value": {"columns": 2}}, {"name": "new"}]},
        {"name": "unnamed", "enabled": false, "variants": [{"name": "old"}, {"name": "new"}]},
        {"name": "bools", "enabled": false, "off_variant": "yes", "variants": [{"name": "yes", "value": true}, {"name": "no", "value": false}]},
        {"name": "none", "enabled": true, "rollout_percentage": 0, "off_variant": "old", "variants": [{"name": "old", "weight": 0}, {"name": "new"}]},
        {"name": "rule", "enabled": true, "off_variant": "old", "variants": [{"name": "old", "weight": 0}, {"name": "new"}],
         "rules": [{"conditions": [{"attribute": "role", "value": "guest"}], "off": true}]},
        {"name": "share", "enabled": true, "rollout_percentage": "0.001", "off_variant": "old",
         "variants": [{"name": "old", "weight": 0}, {"name": "new"}]}
    ]}"##;
    Group::new(
        "what is served while a flag is off",
        document,
        &[
            ("named", USER, r#"false old DISABLED {"columns":2}"#),
            ("named", NOBODY, r#"false old DISABLED {"columns":2}"#),
            ("unnamed", USER, "false - DISABLED"),
            // A variant that is a bool says itself whether the flag is on.
            ("bools", USER, "true yes DISABLED true"),
            ("none", USER, "false old STATIC"),
            ("rule", r#"{"id": "user-7", "role": "guest"}"#, "false old TARGETING_MATCH"),
            ("rule", USER, "true new DEFAULT"),
            ("share", USER, "false old SPLIT"),
            ("share", NOBODY, "TARGETING_KEY_MISSING"),
        ],
    )
}

fn served() -> Group {
    let document = r##"{"flags": [
        {"name": "one", "enabled": true, "variants": [{"name": "dark", "value": "#000"}]},
        {"name": "text", "enabled": true, "variants": [{"name": "dark"}]},
        {"name": "one-has-weight", "enabled": true, "variants": [{"name": "a", "weight": 0}, {"name": "b", "weight": 5}]},
        {"name": "values", "enabled": true, "rollout_percentage": 0, "off_variant": "null",
         "variants": [{"name": "int", "value": 3}, {"name": "float", "value": 0.5}, {"name": "list", "value": [1, "a", null]},
            {"name": "null", "value": null}, {"name": "no", "value": false}, {"name": "large", "value": 9007199254740993}],
         "rules": [
            {"conditions": [{"attribute": "want", "value": "int"}], "variant": "int"},
            {"conditions": [{"attribute": "want", "value": "float"}], "variant": "float"},
            {"conditions": [{"attribute": "want", "value": "list"}], "variant": "list"},
            {"conditions": [{"attribute": "want", "value": "no"}], "variant": "no"},
            {"conditions": [{"attribute": "want", "value": "large"}], "variant": "large"},
            {"conditions": [{"attribute": "want", "value": "one of one"}], "variants": {"int": 1, "float": 0}}]},
        {"name": "drawn", "enabled": true, "variants": [{"name": "a"}, {"name": "b"}]},
        {"name": "drawn-bools", "enabled": true, "variants": [{"name": "yes", "value": true}, {"name": "no", "value": false}]},
        {"name": "needs-drawn", "enabled": true, "prerequisites": [{"flag": "drawn"}]},
        {"name": "needs-drawn-a", "enabled": true, "prerequisites": [{"flag": "drawn", "variants": ["a", "b"]}]}
    ]}"##;
    Group::new(
        "variants",
        document,
        &[
            ("one", USER, r##"true dark STATIC "#000""##),
            ("one", NOBODY, r##"true dark STATIC "#000""##),
            ("text", USER, "true dark STATIC"),
            // A draw with one possible outcome is none, and needs nobody to be known.
            ("one-has-weight", USER, "true b STATIC"),
            ("one-has-weight", NOBODY, "true b STATIC"),
            ("values", r#"{"want": "int"}"#, "true int TARGETING_MATCH 3"),
            ("values", r#"{"want": "float"}"#, "true float TARGETING_MATCH 0.5"),
            ("values", r#"{"want": "list"}"#, r#"true list TARGETING_MATCH [1,"a",null]"#),
            ("values", r#"{"want": "no"}"#, "false no TARGETING_MATCH false"),
            ("values", r#"{"want": "large"}"#, "true large TARGETING_MATCH 9007199254740993"),
            ("values", r#"{"want": "one of one"}"#, "true int TARGETING_MATCH 3"),
            ("values", USER, "false null DEFAULT null"),
            ("drawn", USER, "? SPLIT"),
            // On with whichever; only which one is not known. Of bools not even that.
            ("drawn", NOBODY, "true TARGETING_KEY_MISSING"),
            ("drawn-bools", USER, "? SPLIT"),
            ("drawn-bools", NOBODY, "TARGETING_KEY_MISSING"),
            ("needs-drawn", NOBODY, "true on DEFAULT"),
            ("needs-drawn-a", NOBODY, "false off DISABLED"),
        ],
    )
}

/// A value of the type that was asked for, or the caller's default.
fn types() -> Group {
    let document = r#"{"flags": [
        {"name": "switch", "enabled": true},
        {"name": "text", "enabled": true, "variants": [{"name": "dark"}]},
        {"name": "int", "enabled": true, "variants": [{"name": "three", "value": 3}]},
        {"name": "float", "enabled": true, "variants": [{"name": "half", "value": 0.5}]},
        {"name": "object", "enabled": true, "variants": [{"name": "wide", "value": {"columns": 3}}]},
        {"name": "off", "enabled": false, "variants": [{"name": "dark"}]},
        {"name": "share", "enabled": true, "rollout_percentage": 50}
    ]}"#;
    let rows: [(&str, &str, Value, &str); 17] = [
        ("switch", "bool", json!(false), "value on STATIC"),
        ("switch", "text", json!("light"), r#"value - ERROR "light" TYPE_MISMATCH"#),
        ("switch", "json", json!(null), "value on STATIC"),
        ("text", "text", json!("light"), "value dark STATIC"),
        ("text", "bool", json!(true), "value - ERROR true TYPE_MISMATCH"),
        ("text", "integer", json!(1), "value - ERROR 1 TYPE_MISMATCH"),
        ("int", "integer", json!(1), "value three STATIC 3"),
        // Every whole number is a number, and not the other way round.
        ("int", "float", json!(1.5), "value three STATIC 3.0"),
        ("float", "float", json!(1.5), "value half STATIC 0.5"),
        ("float", "integer", json!(1), "value - ERROR 1 TYPE_MISMATCH"),
        ("object", "json", json!(null), r#"value wide STATIC {"columns":3}"#),
        ("object", "text", json!("light"), r#"value - ERROR "light" TYPE_MISMATCH"#),
        ("off", "text", json!("light"), r#"value - DISABLED "light""#),
        ("off", "integer", json!(1), "value - DISABLED 1"),
        ("share", "bool", json!(true), "value - ERROR true TARGETING_KEY_MISSING"),
        ("unheard-of", "bool", json!(true), "value - ERROR true FLAG_NOT_FOUND"),
        ("unheard-of", "json", json!({"a": 1}), r#"value - ERROR {"a":1} FLAG_NOT_FOUND"#),
    ];
    let cases = rows.into_iter().map(|(flag, kind, default, expected)| Case {
        flag: flag.to_owned(),
        user: json!({}),
        typed: Some((kind, default)),
        expected: expected.to_owned(),
    });
    Group {
        name: "types",
        environment: None,
        now: "1970-01-01T00:00:00Z",
        document: read(document),
        cases: cases.collect(),
    }
}
