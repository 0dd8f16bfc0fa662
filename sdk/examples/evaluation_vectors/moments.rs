//! Where and when: environments, schedules, and conditions on the clock.

use super::Group;
use super::groups::{NOBODY, USER};

pub(crate) fn groups() -> Vec<Group> {
    environments().into_iter().chain(schedules()).chain(clock()).collect()
}

fn environments() -> Vec<Group> {
    let document = r#"{"flags": [
        {"name": "anywhere", "enabled": true},
        {"name": "prod", "enabled": true, "environments": ["prod"]},
        {"name": "both", "enabled": true, "environments": ["staging", "prod"]},
        {"name": "on-where-prod", "enabled": true, "prerequisites": [{"flag": "prod"}]}
    ]}"#;
    let (on, off) = ("true on STATIC", "false off DISABLED");
    let group = |name, environment, expected: [&str; 4]| {
        let cases: Vec<_> = ["anywhere", "prod", "both", "on-where-prod"]
            .into_iter()
            .zip(expected)
            .map(|(flag, told)| (flag, USER, told))
            .collect();
        Group::at(name, environment, "1970-01-01T00:00:00Z", document, &cases)
    };
    vec![
        group("environment: prod", Some("prod"), [on, on, on, "true on DEFAULT"]),
        group("environment: staging", Some("staging"), [on, off, on, off]),
        group("environment: Prod", Some("Prod"), [on, off, off, off]),
        group("environment: none", None, [on, off, off, off]),
    ]
}

fn schedules() -> Vec<Group> {
    let document = r#"{"flags": [
        {"name": "between", "enabled": true, "schedule": {"from": "2026-12-01T08:00:00+07:00", "until": "2026-12-02T01:00:00Z"}},
        {"name": "until", "enabled": true, "schedule": {"until": "2026-12-01T01:00:00Z"}},
        {"name": "ramp", "enabled": true, "rollout_percentage": 100, "off_variant": "off",
         "variants": [{"name": "on", "value": true}, {"name": "off", "value": false, "weight": 0}],
         "schedule": {"ramp": [{"at": "2026-12-01T01:00:00Z", "percentage": 0}, {"at": "2026-12-01T13:00:00Z", "percentage": 100},
            {"at": "2026-12-02T01:00:00Z", "percentage": 0}]}},
        {"name": "steps", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"attribute": "role", "value": "staff"}]}],
         "schedule": {"ramp": [{"at": "2026-12-01T01:00:00Z", "percentage": 100}, {"at": "2026-12-01T02:00:00Z", "percentage": 100}]}}
    ]}"#;
    let (on, off, disabled) = ("true on STATIC", "false off STATIC", "false off DISABLED");
    let group = |name, now, between, until, ramp, steps| {
        let cases = [
            ("between", USER, between),
            ("until", USER, until),
            ("ramp", USER, ramp),
            ("steps", USER, steps),
            ("steps", r#"{"role": "staff"}"#, "true on TARGETING_MATCH"),
        ];
        Group::at(name, None, now, document, &cases)
    };
    let (all, none) = ("true on DEFAULT", "false off DEFAULT");
    vec![
        // Before its first point `rollout_percentage` counts.
        group("schedules: before", "2026-12-01T00:59:59.999Z", disabled, on, on, none),
        // `from` is within, `until` is not.
        group("schedules: at the beginning", "2026-12-01T01:00:00Z", on, disabled, off, all),
        group("schedules: between", "2026-12-01T13:00:00Z", on, disabled, on, all),
        group("schedules: a millisecond before the end", "2026-12-02T00:59:59.999Z", on, disabled, "? SPLIT", all),
        group("schedules: at the end", "2026-12-02T01:00:00Z", disabled, disabled, off, all),
    ]
}

fn clock() -> Vec<Group> {
    let document = r#"{"flags": [
        {"name": "lately", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "current_time", "operator": "after", "value": "2026-12-01T01:00:00Z"}]}]},
        {"name": "formerly", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "current_time", "operator": "before", "value": "2026-12-01T01:00:00Z"}]}]},
        {"name": "segment", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "lately"}]}]}
    ], "segments": [
        {"name": "lately", "any": [[{"attribute": "current_time", "operator": "after", "value": "2026-12-01T01:00:00Z"}]]}
    ]}"#;
    let (yes, no) = ("true on TARGETING_MATCH", "false off DEFAULT");
    // What the caller says goes before the clock.
    let told = r#"{"current_time": "2026-12-01T09:00:00+07:00"}"#;
    let group = |name, now, lately, formerly| {
        let cases = [
            ("lately", NOBODY, lately),
            ("formerly", NOBODY, formerly),
            ("segment", NOBODY, lately),
            ("lately", told, yes),
            ("formerly", told, no),
            ("segment", told, yes),
        ];
        Group::at(name, None, now, document, &cases)
    };
    vec![
        group("the clock: before", "2026-12-01T00:59:59.999Z", no, yes),
        group("the clock: at that moment", "2026-12-01T01:00:00Z", yes, no),
    ]
}
