//! What a hash decides: shares at their edges, salts, stickiness, weights, ramps, and the bucketings of others.
//!
//! With `teal1` the answers follow from the bucket, which is taken from `teal_flags::bucket` and compared here; with the others they are
//! recorded.

use serde_json::{Value, json};
use teal_flags::bucket;

use super::{Case, Group};

const EPOCH: &str = "1970-01-01T00:00:00Z";

pub(crate) fn groups() -> Vec<Group> {
    let mut groups = vec![edges(), ends(), salts(), stickiness(), weights()];
    groups.extend(ramps());
    groups.extend(others());
    groups
}

fn group(name: &'static str, now: &'static str, flags: Vec<Value>, cases: Vec<Case>) -> Group {
    Group { name, environment: None, now, document: json!({"flags": Value::Array(flags)}), cases }
}

fn case(flag: impl Into<String>, user: Value, expected: impl Into<String>) -> Case {
    Case { flag: flag.into(), user, typed: None, expected: expected.into() }
}

/// Thousandths of a percent as decimal text.
fn percent(thousandths: u32) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

const fn split(is_on: bool) -> &'static str {
    if is_on { "true on SPLIT" } else { "false off SPLIT" }
}

/// The first `user-N` of this bucket.
fn user_of(salt: &str, wanted: u32) -> String {
    let mut users = (0..10_000_000).map(|number| format!("user-{number}"));
    users.find(|user| bucket(salt, user) == wanted).unwrap_or_else(|| panic!("nobody is in bucket {wanted}"))
}

/// Each user is outside a share of as many thousandths as its bucket says, and within one more.
fn edges() -> Group {
    let (mut flags, mut cases) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let user = if number < 16 { format!("user-{number}") } else { format!("người-{number}") };
        let bucket = bucket("edges", &user);
        for (name, share) in [("below", bucket), ("above", bucket + 1)] {
            let flag = format!("{name}-{number}");
            flags.push(json!({"name": flag, "enabled": true, "salt": "edges", "rollout_percentage": percent(share)}));
            cases.push(case(flag, json!({"id": user}), split(bucket < share)));
        }
    }
    group("shares at the edges of a bucket", EPOCH, flags, cases)
}

/// The first and the last bucket, and the smallest and greatest share that leaves somebody in and somebody out.
fn ends() -> Group {
    let share =
        |name: &str, share: Value| json!({"name": name, "enabled": true, "salt": "ends", "rollout_percentage": share});
    let flags = vec![
        share("none", json!(0)),
        share("least", json!("0.001")),
        share("half", json!(50)),
        share("third", json!(33.333)),
        share("most", json!(99.999)),
        share("all", json!(100)),
    ];
    let mut cases = Vec::new();
    for (bucket, expected) in [
        (0, [false, true, true, true, true, true]),
        (1, [false, false, true, true, true, true]),
        (33_332, [false, false, true, true, true, true]),
        (33_333, [false, false, true, false, true, true]),
        (49_999, [false, false, true, false, true, true]),
        (50_000, [false, false, false, false, true, true]),
        (99_998, [false, false, false, false, true, true]),
        (99_999, [false, false, false, false, false, true]),
    ] {
        let user = json!({"id": user_of("ends", bucket)});
        for (flag, is_on) in ["none", "least", "half", "third", "most", "all"].into_iter().zip(expected) {
            let told = match flag {
                "none" => "false off STATIC",
                "all" => "true on STATIC",
                _ => split(is_on),
            };
            cases.push(case(flag, user.clone(), told));
        }
    }
    group("the first and the last bucket", EPOCH, flags, cases)
}

/// The name is the salt where none is given; a rule may have its own.
fn salts() -> Group {
    let flags = vec![
        json!({"name": "named", "enabled": true, "rollout_percentage": 50}),
        json!({"name": "salted", "enabled": true, "rollout_percentage": 50, "salt": "named"}),
        json!({"name": "ruled", "enabled": true, "rollout_percentage": 0, "salt": "ruled",
            "rules": [{"conditions": [], "percentage": 50, "salt": "named"}]}),
        json!({"name": "apart", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [], "percentage": 50}]}),
    ];
    let mut cases = Vec::new();
    for number in 0..8 {
        let user = format!("user-{number}");
        for (flag, salt) in [("named", "named"), ("salted", "named"), ("ruled", "named"), ("apart", "apart")] {
            cases.push(case(flag, json!({"id": user}), split(bucket(salt, &user) < 50_000)));
        }
    }
    group("salts", EPOCH, flags, cases)
}

/// The first attribute that is there and is a text, a whole number or a bool; a number is dealt as its digits.
fn stickiness() -> Group {
    let flags = vec![
        json!({"name": "clinic", "enabled": true, "rollout_percentage": 50, "salt": "s", "stickiness": "clinic"}),
        json!({"name": "either", "enabled": true, "rollout_percentage": 50, "salt": "s", "stickiness": ["session", "user_id"]}),
        json!({"name": "rule", "enabled": true, "rollout_percentage": 0, "salt": "s",
            "rules": [{"conditions": [], "percentage": 50, "stickiness": ["clinic"]}]}),
    ];
    let by = |value: &str| split(bucket("s", value) < 50_000);
    let missing = "TARGETING_KEY_MISSING";
    let cases = vec![
        case("clinic", json!({"id": "user-1", "clinic": "hcm-3"}), by("hcm-3")),
        case("clinic", json!({"id": "user-2", "clinic": "hcm-3"}), by("hcm-3")),
        case("clinic", json!({"clinic": "hn-1"}), by("hn-1")),
        case("clinic", json!({"clinic": 42}), by("42")),
        case("clinic", json!({"clinic": "42"}), by("42")),
        case("clinic", json!({"clinic": -7}), by("-7")),
        case("clinic", json!({"clinic": true}), by("true")),
        case("clinic", json!({"clinic": false}), by("false")),
        case("clinic", json!({"clinic": "Đà Nẵng"}), by("Đà Nẵng")),
        case("clinic", json!({"id": "user-1"}), missing),
        case("clinic", json!({"id": "user-1", "clinic": ""}), missing),
        case("clinic", json!({"id": "user-1", "clinic": 4.5}), missing),
        case("clinic", json!({"id": "user-1", "clinic": ["hcm-3"]}), missing),
        case("either", json!({"id": "user-1", "session": "x"}), by("x")),
        case("either", json!({"id": "user-1", "session": ""}), by("user-1")),
        case("either", json!({"id": "user-1", "session": 0.5}), by("user-1")),
        case("either", json!({"id": "user-1"}), by("user-1")),
        case("either", json!({}), missing),
        case("rule", json!({"id": "user-1", "clinic": "hcm-3"}), by("hcm-3")),
        case("rule", json!({"id": "user-1"}), missing),
    ];
    group("stickiness", EPOCH, flags, cases)
}

/// Variants are dealt by the hash under `SALT.variant`, modulo the weights. With weights of 4 in all that is the bucket modulo 4.
fn weights() -> Group {
    let variants = json!([{"name": "a", "weight": 1}, {"name": "none", "weight": 0}, {"name": "b", "weight": 2}, {"name": "c", "weight": 1}]);
    let flags = vec![
        json!({"name": "quarter", "enabled": true, "variants": variants}),
        json!({"name": "within", "enabled": true, "rollout_percentage": 50, "off_variant": "none", "salt": "quarter", "variants": variants}),
        json!({"name": "ruled", "enabled": true, "salt": "quarter", "variants": variants, "rules": [
            {"conditions": [{"attribute": "as", "value": "object"}], "variants": {"c": 3, "a": 1}},
            {"conditions": [{"attribute": "as", "value": "list"}],
             "variants": [{"name": "c", "weight": 3}, {"name": "a", "weight": 1}]},
            {"conditions": [{"attribute": "as", "value": "salted"}], "salt": "own", "variants": {"a": 1, "b": 3}},
            {"conditions": [{"attribute": "as", "value": "flag"}], "salt": "own", "percentage": 50}]}),
        json!({"name": "thirds", "enabled": true, "variants": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}),
    ];
    let place = |salt: &str, user: &str| bucket(&format!("{salt}.variant"), user) % 4;
    let mut cases = Vec::new();
    for number in 0..12 {
        let user = format!("user-{number}");
        let drawn = ["a", "b", "b", "c"][place("quarter", &user) as usize];
        let id = json!({"id": user});
        cases.push(case("quarter", id.clone(), format!("true {drawn} SPLIT")));
        let within = if bucket("quarter", &user) < 50_000 {
            format!("true {drawn} SPLIT")
        } else {
            "false none SPLIT".to_owned()
        };
        cases.push(case("within", id.clone(), within));
        // An object has no order: the flag's counts. A list has its own.
        let orders = [
            ("object", ["a", "c", "c", "c"][place("quarter", &user) as usize]),
            ("list", ["c", "c", "c", "a"][place("quarter", &user) as usize]),
            ("salted", ["a", "b", "b", "b"][place("own", &user) as usize]),
        ];
        for (order, drawn) in orders {
            cases.push(case("ruled", json!({"id": user, "as": order}), format!("true {drawn} SPLIT")));
        }
        // A rule that serves the flag's variants draws them as everybody gets them, whatever deals its share.
        let own =
            if bucket("own", &user) < 50_000 { format!("true {drawn} SPLIT") } else { "false - SPLIT".to_owned() };
        cases.push(case("ruled", json!({"id": user, "as": "flag"}), own));
        cases.push(case("thirds", id, "? SPLIT"));
    }
    group("variants by weight", EPOCH, flags, cases)
}

/// Between two points the share is on a straight line, in whole thousandths, rounded towards the earlier point.
fn ramps() -> Vec<Group> {
    let flag = |name: &str, points: [(&str, &str); 2]| {
        let points = points.map(|(at, percentage)| json!({"at": at, "percentage": percentage}));
        json!({"name": name, "enabled": true, "rollout_percentage": 0, "salt": "ramps", "schedule": {"ramp": points}})
    };
    let flags = || {
        vec![
            flag("up", [(EPOCH, "10"), ("1970-01-01T00:01:40Z", "50")]),
            flag("down", [(EPOCH, "50"), ("1970-01-01T00:01:40Z", "10")]),
            flag("finely-up", [(EPOCH, "0"), ("1970-01-01T00:00:03Z", "0.002")]),
            flag("finely-down", [(EPOCH, "0.002"), ("1970-01-01T00:00:03Z", "0")]),
        ]
    };
    // The moment, and the shares of the four in thousandths.
    let moments: [(&'static str, &'static str, [u32; 4]); 5] = [
        ("ramps: after 0 s", EPOCH, [10_000, 50_000, 0, 2]),
        ("ramps: after 1 s", "1970-01-01T00:00:01Z", [10_400, 49_600, 0, 2]),
        ("ramps: after 2 s", "1970-01-01T00:00:02Z", [10_800, 49_200, 1, 1]),
        ("ramps: after 50.001 s", "1970-01-01T00:00:50.001Z", [30_000, 30_000, 2, 0]),
        ("ramps: after 100 s", "1970-01-01T00:01:40Z", [50_000, 10_000, 2, 0]),
    ];
    let names = ["up", "down", "finely-up", "finely-down"];
    let group_at = |(name, now, shares): (&'static str, &'static str, [u32; 4])| {
        let mut cases = Vec::new();
        for (flag, share) in names.into_iter().zip(shares) {
            // The last bucket within and the first one outside.
            for bucket in share.checked_sub(1).into_iter().chain([share]) {
                let told = if share == 0 { "false off STATIC" } else { split(bucket < share) };
                cases.push(case(flag, json!({"id": user_of("ramps", bucket)}), told));
            }
        }
        group(name, now, flags(), cases)
    };
    moments.into_iter().map(group_at).collect()
}

/// Bucketings of others: recorded.
fn others() -> Vec<Group> {
    let general = |hash: &str| json!({"hash": hash, "input": "{name}:{user}", "modulo": 100});
    let bucketings = [
        ("bucketing: unleash", json!("unleash")),
        ("bucketing: flagd", json!("flagd")),
        ("bucketing: fnv1a32", general("fnv1a32")),
        ("bucketing: crc32", general("crc32")),
        ("bucketing: murmur3_32", general("murmur3_32")),
        ("bucketing: md5", general("md5")),
        ("bucketing: sha256", general("sha256")),
        ("bucketing: xxh3_64", general("xxh3_64")),
        ("bucketing: another input", json!({"hash": "xxh3_64", "input": "{user}/{name}-{x}{", "modulo": 997})),
    ];
    let group_of = |(name, bucketing): (&'static str, Value)| {
        let flags = vec![
            json!({"name": "share", "enabled": true, "rollout_percentage": 30, "bucketing": bucketing}),
            json!({"name": "finely", "enabled": true, "rollout_percentage": "30.001", "bucketing": bucketing}),
            json!({"name": "drawn", "enabled": true, "bucketing": bucketing, "rollout_percentage": 70,
                "variants": [{"name": "a", "weight": 2}, {"name": "b", "weight": 1}, {"name": "c", "weight": 4}]}),
            json!({"name": "ruled", "enabled": true, "rollout_percentage": 0,
                "rules": [{"conditions": [], "percentage": 30, "bucketing": bucketing, "salt": "Not only: a name!"}]}),
        ];
        let mut cases = vec![case("share", json!({}), "TARGETING_KEY_MISSING")];
        for user in ["user-0", "user-1", "user-2", "user-3", "7", "Nguyễn Văn A"] {
            let asked = ["share", "finely", "drawn", "ruled"].into_iter();
            cases.extend(asked.map(|flag| case(flag, json!({"id": user}), "? SPLIT")));
        }
        group(name, EPOCH, flags, cases)
    };
    bucketings.into_iter().map(group_of).collect()
}
