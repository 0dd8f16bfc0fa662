//! Whole flags: switches, rules, segments, prerequisites, and what has no answer.

use super::Group;

/// The user of most questions.
pub(crate) const USER: &str = r#"{"id": "user-7"}"#;
pub(crate) const NOBODY: &str = "{}";

pub(crate) fn groups() -> Vec<Group> {
    vec![switches(), user_ids(), rules(), segments(), prerequisites(), broken()]
}

fn switches() -> Group {
    let document = r#"{"flags": [
        {"name": "on", "enabled": true},
        {"name": "off", "enabled": false},
        {"name": "said-nothing"},
        {"name": "archived", "enabled": true, "archived": true},
        {"name": "none", "enabled": true, "rollout_percentage": 0},
        {"name": "all", "enabled": true, "rollout_percentage": "100.000"},
        {"name": "off-with-rules", "enabled": false, "rules": [{"conditions": []}]},
        {"name": "half", "enabled": true, "rollout_percentage": 50}
    ]}"#;
    Group::new(
        "switches",
        document,
        &[
            ("on", USER, "true on STATIC"),
            ("on", NOBODY, "true on STATIC"),
            ("off", USER, "false off DISABLED"),
            ("off", NOBODY, "false off DISABLED"),
            ("said-nothing", USER, "false off DISABLED"),
            ("archived", USER, "false off DISABLED"),
            ("none", USER, "false off STATIC"),
            ("none", NOBODY, "false off STATIC"),
            ("all", NOBODY, "true on STATIC"),
            ("off-with-rules", USER, "false off DISABLED"),
            ("half", USER, "? SPLIT"),
            ("half", NOBODY, "TARGETING_KEY_MISSING"),
            ("half", r#"{"id": ""}"#, "TARGETING_KEY_MISSING"),
            ("unheard-of", USER, "FLAG_NOT_FOUND"),
            ("ON", USER, "FLAG_NOT_FOUND"),
            ("", USER, "FLAG_NOT_FOUND"),
        ],
    )
}

fn user_ids() -> Group {
    let document = r#"{"flags": [
        {"name": "listed", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "user_id", "values": ["user-7", "42"]}]}]},
        {"name": "number", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"attribute": "user_id", "value": 42}]}]},
        {"name": "known", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "user_id", "operator": "exists"}]}]},
        {"name": "unknown", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "user_id", "operator": "exists", "negate": true}]}]}
    ]}"#;
    Group::new(
        "the user's id in conditions",
        document,
        &[
            ("listed", USER, "true on TARGETING_MATCH"),
            ("listed", r#"{"id": "42"}"#, "true on TARGETING_MATCH"),
            ("listed", r#"{"id": "user-70"}"#, "false off DEFAULT"),
            ("listed", NOBODY, "false off DEFAULT"),
            // An attribute of that name is not the id.
            ("listed", r#"{"user_id": "user-7"}"#, "false off DEFAULT"),
            ("number", r#"{"id": "42"}"#, "true on TARGETING_MATCH"),
            ("known", USER, "true on TARGETING_MATCH"),
            ("known", NOBODY, "false off DEFAULT"),
            ("unknown", USER, "false off DEFAULT"),
            ("unknown", NOBODY, "true on TARGETING_MATCH"),
        ],
    )
}

fn rules() -> Group {
    let document = r#"{"flags": [
        {"name": "first", "enabled": true, "rules": [
            {"conditions": [{"attribute": "role", "value": "guest"}], "off": true},
            {"conditions": [{"attribute": "role", "values": ["guest", "staff"]}, {"attribute": "clinic", "value": "hcm-3"}]}
        ], "rollout_percentage": 0},
        {"name": "decides", "enabled": true, "rules": [
            {"conditions": [{"attribute": "role", "value": "staff"}], "percentage": 0},
            {"conditions": [{"attribute": "role", "value": "staff"}]}]},
        {"name": "next", "enabled": true, "rules": [
            {"conditions": [{"attribute": "role", "value": "staff"}], "percentage": 0, "otherwise": "next"},
            {"conditions": [{"attribute": "clinic", "value": "hcm-3"}]}
        ], "rollout_percentage": 0},
        {"name": "next-to-all", "enabled": true, "rules": [{"conditions": [], "percentage": 0, "otherwise": "next"}]},
        {"name": "everybody", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": []}]},
        {"name": "half", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [], "percentage": 50}]},
        {"name": "half-next", "enabled": true, "rules": [{"conditions": [], "percentage": 50, "otherwise": "next"}]},
        {"name": "off-in-part", "enabled": true, "rules": [{"conditions": [], "percentage": "99.999", "off": true, "otherwise": "next"}]}
    ]}"#;
    Group::new(
        "rules",
        document,
        &[
            ("first", r#"{"id": "user-7", "role": "guest", "clinic": "hcm-3"}"#, "false off TARGETING_MATCH"),
            ("first", r#"{"id": "user-7", "role": "staff", "clinic": "hcm-3"}"#, "true on TARGETING_MATCH"),
            ("first", r#"{"id": "user-7", "role": "staff", "clinic": "hn-1"}"#, "false off DEFAULT"),
            ("first", r#"{"id": "user-7", "role": "staff"}"#, "false off DEFAULT"),
            ("first", r#"{"clinic": "hcm-3", "role": "staff"}"#, "true on TARGETING_MATCH"),
            // The first that matches decides, also that it is off.
            ("decides", r#"{"id": "user-7", "role": "staff"}"#, "false off TARGETING_MATCH"),
            ("decides", USER, "true on DEFAULT"),
            ("next", r#"{"id": "user-7", "role": "staff", "clinic": "hcm-3"}"#, "true on TARGETING_MATCH"),
            ("next", r#"{"id": "user-7", "role": "staff"}"#, "false off DEFAULT"),
            ("next", r#"{"id": "user-7", "clinic": "hcm-3"}"#, "true on TARGETING_MATCH"),
            ("next-to-all", USER, "true on DEFAULT"),
            ("next-to-all", NOBODY, "true on DEFAULT"),
            ("everybody", NOBODY, "true on TARGETING_MATCH"),
            ("half", USER, "? SPLIT"),
            ("half", NOBODY, "TARGETING_KEY_MISSING"),
            // Somebody whom nothing identifies is in nobody's share, and goes on.
            ("half-next", NOBODY, "true on DEFAULT"),
            ("off-in-part", NOBODY, "true on DEFAULT"),
            ("off-in-part", USER, "false off SPLIT"),
        ],
    )
}

fn segments() -> Group {
    let document = r#"{"segments": [
        {"name": "staff", "include": ["user-17", "user-4"], "exclude": ["user-4", "user-5"], "any": [
            [{"attribute": "email", "operator": "ends_with", "value": "@clinic.example"}],
            [{"attribute": "role", "value": "staff"}, {"attribute": "clinic", "operator": "exists"}]]},
        {"name": "nobody"},
        {"name": "everybody", "any": [[]]}
    ], "flags": [
        {"name": "staff", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "staff"}]}]},
        {"name": "guests", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "staff", "negate": true}]}]},
        {"name": "nobody", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "nobody"}]}]},
        {"name": "everybody", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "everybody"}]}]},
        {"name": "both", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"segment": "staff"}, {"segment": "everybody"}, {"attribute": "clinic", "value": "hcm-3"}]}]}
    ]}"#;
    let (yes, no) = ("true on TARGETING_MATCH", "false off DEFAULT");
    Group::new(
        "segments",
        document,
        &[
            ("staff", r#"{"id": "user-17"}"#, yes),
            ("staff", r#"{"id": "user-7"}"#, no),
            // Excluded, whatever else holds.
            ("staff", r#"{"id": "user-4"}"#, no),
            ("staff", r#"{"id": "user-5", "email": "a@clinic.example"}"#, no),
            ("staff", r#"{"id": "user-6", "email": "a@clinic.example"}"#, yes),
            ("staff", r#"{"email": "a@clinic.example"}"#, yes),
            ("staff", r#"{"id": "user-6", "role": "staff"}"#, no),
            ("staff", r#"{"id": "user-6", "role": "staff", "clinic": "hn-1"}"#, yes),
            ("staff", NOBODY, no),
            ("guests", r#"{"id": "user-17"}"#, no),
            ("guests", r#"{"id": "user-4"}"#, yes),
            ("guests", NOBODY, yes),
            ("nobody", r#"{"id": "user-17"}"#, no),
            ("everybody", NOBODY, yes),
            ("both", r#"{"id": "user-17", "clinic": "hcm-3"}"#, yes),
            ("both", r#"{"id": "user-17"}"#, no),
        ],
    )
}

fn prerequisites() -> Group {
    let document = r#"{"flags": [
        {"name": "on", "enabled": true}, {"name": "off"}, {"name": "none", "enabled": true, "rollout_percentage": 0},
        {"name": "page", "enabled": true, "variants": [{"name": "wide", "weight": 0}, {"name": "narrow"}],
         "rules": [{"conditions": [{"attribute": "role", "value": "staff"}], "variant": "wide"}]},
        {"name": "no", "enabled": true, "variants": [{"name": "no", "value": false}]},
        {"name": "half", "enabled": true, "rollout_percentage": 50},
        {"name": "needs-on", "enabled": true, "prerequisites": [{"flag": "on"}]},
        {"name": "needs-off", "enabled": true, "prerequisites": [{"flag": "off", "enabled": false}]},
        {"name": "needs-on-off", "enabled": true, "prerequisites": [{"flag": "off"}]},
        {"name": "needs-off-on", "enabled": true, "prerequisites": [{"flag": "on", "enabled": false}]},
        {"name": "needs-none-off", "enabled": true, "prerequisites": [{"flag": "none", "enabled": false}]},
        {"name": "needs-wide", "enabled": true, "prerequisites": [{"flag": "page", "variants": ["wide", "wider"]}]},
        {"name": "needs-no", "enabled": true, "prerequisites": [{"flag": "no"}]},
        {"name": "needs-both", "enabled": true, "prerequisites": [{"flag": "on"}, {"flag": "off"}]},
        {"name": "needs-unknown", "enabled": true, "prerequisites": [{"flag": "unheard-of"}]},
        {"name": "needs-unknown-off", "enabled": true, "prerequisites": [{"flag": "unheard-of", "enabled": false}]},
        {"name": "needs-half", "enabled": true, "prerequisites": [{"flag": "half"}]},
        {"name": "needs-half-off", "enabled": true, "prerequisites": [{"flag": "half", "enabled": false}]},
        {"name": "chain-1", "enabled": true, "prerequisites": [{"flag": "needs-on"}]},
        {"name": "chain-2", "enabled": true, "prerequisites": [{"flag": "chain-1"}, {"flag": "needs-wide"}]},
        {"name": "with-rule", "enabled": true, "prerequisites": [{"flag": "off"}], "rules": [{"conditions": []}]},
        {"name": "needs-off-variant", "enabled": true, "prerequisites": [{"flag": "dark", "variants": ["old"]}]},
        {"name": "dark", "enabled": false, "off_variant": "old", "variants": [{"name": "old"}, {"name": "new"}]}
    ]}"#;
    let (holds, not) = ("true on DEFAULT", "false off DISABLED");
    let staff = r#"{"id": "user-7", "role": "staff"}"#;
    Group::new(
        "prerequisites",
        document,
        &[
            ("needs-on", USER, holds),
            ("needs-off", USER, holds),
            ("needs-on-off", USER, not),
            ("needs-off-on", USER, not),
            ("needs-none-off", USER, holds),
            ("needs-wide", staff, holds),
            ("needs-wide", USER, not),
            ("needs-no", USER, not),
            ("needs-both", USER, not),
            // What is not known holds nothing, not even that it is off.
            ("needs-unknown", USER, not),
            ("needs-unknown-off", USER, not),
            // Nor does what has no answer.
            ("needs-half", NOBODY, not),
            ("needs-half-off", NOBODY, not),
            ("chain-1", USER, holds),
            ("chain-2", staff, holds),
            ("chain-2", USER, not),
            ("with-rule", USER, not),
            // Its variant is served, but it is off.
            ("needs-off-variant", USER, not),
        ],
    )
}

fn broken() -> Group {
    let document = r#"{"flags": [
        {"name": "circle", "enabled": true, "prerequisites": [{"flag": "round"}]},
        {"name": "round", "enabled": true, "prerequisites": [{"flag": "circle", "enabled": false}]},
        {"name": "beside", "enabled": true, "prerequisites": [{"flag": "circle", "enabled": false}]},
        {"name": "segmentless", "enabled": true, "rules": [{"conditions": [{"segment": "gone"}]}]},
        {"name": "off-segmentless", "enabled": false, "rules": [{"conditions": [{"segment": "gone"}]}]},
        {"name": "fine", "enabled": true}
    ]}"#;
    Group::new(
        "flags that cannot be used",
        document,
        &[
            ("circle", USER, "PARSE_ERROR"),
            ("round", USER, "PARSE_ERROR"),
            // Not part of the circle, but it leads into it.
            ("beside", USER, "PARSE_ERROR"),
            ("segmentless", USER, "PARSE_ERROR"),
            ("off-segmentless", USER, "PARSE_ERROR"),
            ("fine", USER, "true on STATIC"),
        ],
    )
}
