//! Every operator: attributes for which a condition holds, and attributes for which it does not.

use serde_json::{Value, json};

use super::{Case, Group, read};

/// A condition on the attribute `x`, attributes that it holds for, and attributes that it does not hold for. `null`: there is none.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const EQUALITY: &[Row] = &[
    (r#"{"operator": "exists"}"#, &[r#""a""#, r#""""#, "0", "false", "[]", r#"["a"]"#], &["null"]),
    (
        r#"{"values": ["hcm-3", "hn-1"]}"#,
        &[r#""hcm-3""#, r#""hn-1""#, r#"["x", "hn-1"]"#],
        &[r#""HCM-3""#, r#""hcm-3 ""#, r#""hcm""#, r#""""#, "3", "[]", r#"["x"]"#, "null"],
    ),
    (r#"{"value": "", "operator": "in"}"#, &[r#""""#], &[r#"" ""#, "0", "null"]),
    // A text that reads as a number equals that number; two texts are equal as texts only.
    (
        r#"{"value": 7}"#,
        &["7", "7.0", r#""7""#, r#""7.0""#, r#""7e0""#, r#""+7""#],
        &["8", "7.5", r#""7 ""#, r#""seven""#, "true", "null"],
    ),
    (r#"{"value": "7"}"#, &["7", "7.0", r#""7""#], &[r#""7.0""#, r#""07""#, "70", "null"]),
    (r#"{"value": 0.1}"#, &["0.1", r#""0.1""#, r#""1e-1""#], &["0.10000000000000002", "0", "null"]),
    (
        r#"{"value": 9007199254740993}"#,
        &["9007199254740993", r#""9007199254740993""#],
        &["9007199254740992", "9007199254740992.0", "null"],
    ),
    (r#"{"value": true}"#, &["true", r#""true""#], &["false", r#""True""#, "1", r#""yes""#, "null"]),
    (r#"{"value": "false"}"#, &["false", r#""false""#], &["true", "0", r#""FALSE""#, "null"]),
    (
        r#"{"values": ["Äpfel", "STRASSE"], "ignore_case": true}"#,
        &[r#""äPFEL""#, r#""strasse""#],
        &[r#""Apfel""#, r#""Straße""#, "null"],
    ),
    // Character by character: a capital sigma is σ, also at the end of a word, where Greek writes ς.
    (r#"{"value": "ΟΔΟΣ", "ignore_case": true}"#, &[r#""οδοσ""#, r#""Οδοσ""#], &[r#""οδος""#, "null"]),
    (r#"{"value": "TRUE", "ignore_case": true}"#, &["true", r#""True""#], &["false", "null"]),
    // Composed and decomposed letters are different texts.
    (r#"{"value": "Nguyễn"}"#, &[r#""Nguyễn""#], &[r#""Nguye\u0302\u0303n""#, r#""nguyễn""#, "null"]),
];

const TEXTS: &[Row] = &[
    (
        r#"{"operator": "starts_with", "values": ["hcm-", "hn-"]}"#,
        &[r#""hcm-3""#, r#""hn-""#, r#"["x", "hcm-"]"#],
        &[r#""HCM-3""#, r#""xhcm-""#, "4", "null"],
    ),
    (
        r#"{"operator": "starts_with", "value": "ÄP", "ignore_case": true}"#,
        &[r#""äpfel""#, r#""ÄPFEL""#],
        &[r#""ap""#, r#""ä""#, "null"],
    ),
    (
        r#"{"operator": "ends_with", "value": "@clinic.example"}"#,
        &[r#""a@clinic.example""#, r#""@clinic.example""#],
        &[r#""a@clinic.example.org""#, r#""a@Clinic.example""#, "null"],
    ),
    (
        r#"{"operator": "ends_with", "value": "@Clinic.Example", "ignore_case": true}"#,
        &[r#""A@CLINIC.EXAMPLE""#],
        &[r#""clinic.example""#, "null"],
    ),
    (
        r#"{"operator": "contains", "values": ["beta", "β"]}"#,
        &[r#""a beta b""#, r#""αβγ""#, r#"["x", "beta"]"#],
        &[r#""BETA""#, r#""bet""#, "1", "null"],
    ),
    (r#"{"operator": "contains", "value": "BeTa", "ignore_case": true}"#, &[r#""xBETAx""#], &[r#""beat""#, "null"]),
    (
        r#"{"operator": "matches", "value": "^hcm-[0-9]+$"}"#,
        &[r#""hcm-3""#, r#""hcm-42""#],
        &[r#""hcm-""#, r#""xhcm-3""#, r#""HCM-3""#, "3", "null"],
    ),
    (
        r#"{"operator": "matches", "values": ["colou?r", "^x"]}"#,
        &[r#""a color""#, r#""colours""#, r#""xy""#],
        &[r#""colouur""#, "null"],
    ),
    (r#"{"operator": "matches", "value": "^hcm", "ignore_case": true}"#, &[r#""HCM-3""#], &[r#""xHCM""#, "null"]),
];

const NUMBERS: &[Row] = &[
    (
        r#"{"operator": "eq", "values": [18, 21]}"#,
        &["18", "21", "18.0", r#""18""#, "[18]"],
        &["19", "18.5", r#""""#, r#""18 ""#, "true", "null"],
    ),
    (r#"{"operator": "eq", "value": "1e3"}"#, &["1000", "1000.0", r#""1000""#], &["1e2", "null"]),
    (r#"{"operator": "lt", "value": 18}"#, &["17", "17.999", "-1", r#""17""#], &["18", "18.001", r#""old""#, "null"]),
    (r#"{"operator": "lte", "value": 18}"#, &["18", "17"], &["18.001", "null"]),
    (r#"{"operator": "gt", "value": -0.5}"#, &["0", "-0.25"], &["-0.5", "-1", "null"]),
    (r#"{"operator": "gte", "value": 2.5}"#, &["2.5", "3"], &["2.499", "2", "null"]),
    // Exact, beyond what a float can tell apart.
    (r#"{"operator": "gt", "value": 9007199254740992}"#, &["9007199254740993"], &["9007199254740992", "null"]),
    (
        r#"{"operator": "lt", "value": 9223372036854775807}"#,
        &["9223372036854775806"],
        &["9223372036854775807", "9223372036854775808", "null"],
    ),
];

const VERSIONS: &[Row] = &[
    (
        r#"{"operator": "semver_eq", "values": ["1.2.0", "3.0.0"]}"#,
        &[r#""1.2.0""#, r#""v1.2""#, r#""1.2.0+build.5""#, r#""3""#],
        &[r#""1.2.1""#, r#""1.2.0-rc.1""#, r#""01.2.0""#, "1.2", "null"],
    ),
    (
        r#"{"operator": "semver_lt", "value": "2.0.0"}"#,
        &[r#""1.99.99""#, r#""2.0.0-rc.1""#],
        &[r#""2.0.0""#, r#""10.0.0""#, "null"],
    ),
    (
        r#"{"operator": "semver_lte", "value": "2.0.0-rc.2"}"#,
        &[r#""2.0.0-rc.2""#, r#""2.0.0-rc.1""#, r#""2.0.0-beta.11""#, r#""2.0.0-1""#],
        &[r#""2.0.0-rc.10""#, r#""2.0.0""#, r#""2.0.0-rc.2.1""#, "null"],
    ),
    (
        r#"{"operator": "semver_gt", "value": "1.9.0"}"#,
        &[r#""1.10.0""#, r#""V2""#],
        &[r#""1.9.0""#, r#""1.9.0-rc.1""#, r#""latest""#, r#""1.2.3.4""#, "null"],
    ),
    (
        r#"{"operator": "semver_gte", "value": "2.4"}"#,
        &[r#""2.4.0""#, r#""2.4.1-alpha""#],
        &[r#""2.4.0-alpha""#, r#""2.3.9""#, "null"],
    ),
];

const MOMENTS: &[Row] = &[
    (
        r#"{"operator": "before", "value": "2026-11-28T09:00:00Z"}"#,
        &[r#""2026-11-28T08:59:59.999Z""#, r#""2026-11-28T15:59:59+07:00""#, "1795856399999"],
        &[
            r#""2026-11-28T09:00:00Z""#,
            r#""2026-11-28T16:00:00+07:00""#,
            "1795856400000",
            r#""2026-11-28""#,
            r#""1795856399999""#,
            "null",
        ],
    ),
    (
        r#"{"operator": "after", "value": "2026-11-28T16:00:00+07:00"}"#,
        &[r#""2026-11-28T09:00:00Z""#, r#""2026-11-28T09:00:00.001Z""#, "1795856400000"],
        &[r#""2026-11-28T08:59:59Z""#, "1795856399999", r#""soon""#, "null"],
    ),
    (
        r#"{"operator": "after", "value": 1000}"#,
        &["1000", "1000.5", r#""1970-01-01T00:00:01Z""#],
        &["999", "999.9", "null"],
    ),
];

const NETWORKS: &[Row] = &[
    (
        r#"{"operator": "cidr", "values": ["10.0.0.0/8", "192.168.1.7"]}"#,
        &[r#""10.255.0.1""#, r#""192.168.1.7""#, r#""::ffff:10.0.0.1""#],
        &[r#""11.0.0.1""#, r#""192.168.1.8""#, r#""10.0.0""#, r#""2001:db8::1""#, "10", "null"],
    ),
    (
        r#"{"operator": "cidr", "value": "2001:db8::/32"}"#,
        &[r#""2001:db8::1""#, r#""2001:DB8:ffff::""#],
        &[r#""2001:db9::1""#, r#""10.0.0.1""#, "null"],
    ),
    (r#"{"operator": "cidr", "value": "0.0.0.0/0"}"#, &[r#""1.2.3.4""#], &[r#""::1""#, "null"]),
    (
        r#"{"operator": "cidr", "value": "10.1.2.3/31"}"#,
        &[r#""10.1.2.2""#, r#""10.1.2.3""#],
        &[r#""10.1.2.4""#, "null"],
    ),
];

pub(crate) fn groups() -> Vec<Group> {
    let tables = [
        ("in and exists", EQUALITY),
        ("texts", TEXTS),
        ("numbers", NUMBERS),
        ("versions", VERSIONS),
        ("moments", MOMENTS),
        ("networks", NETWORKS),
    ];
    tables.into_iter().map(|(name, rows)| group(name, rows)).collect()
}

/// A flag for each condition, and one for its opposite.
fn group(name: &'static str, rows: &[Row]) -> Group {
    let (mut flags, mut cases) = (Vec::new(), Vec::new());
    for (at, (condition, holds, holds_not)) in rows.iter().enumerate() {
        for negate in [false, true] {
            let flag = format!("{}{at}", if negate { "not-" } else { "c" });
            let mut condition = read(condition);
            condition["attribute"] = "x".into();
            if negate {
                condition["negate"] = true.into();
            }
            flags.push(
                json!({"name": flag, "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [condition]}]}),
            );
            let asked = holds.iter().map(|x| (x, !negate)).chain(holds_not.iter().map(|x| (x, negate)));
            cases.extend(asked.map(|(x, matches)| case(&flag, &read(x), matches)));
        }
    }
    Group { name, environment: None, now: "1970-01-01T00:00:00Z", document: json!({"flags": flags}), cases }
}

fn case(flag: &str, x: &Value, matches: bool) -> Case {
    let user = if x.is_null() { json!({"id": "user-7"}) } else { json!({"id": "user-7", "x": x}) };
    let expected = if matches { "true on TARGETING_MATCH" } else { "false off DEFAULT" };
    Case { flag: flag.to_owned(), user, typed: None, expected: expected.to_owned() }
}
