//! Writes the test vectors of whole evaluations, for this SDK and for ports to other languages: see `docs/porting.md`.
//!
//! `cargo run -p teal-flags --example evaluation_vectors > sdk/tests/vectors/evaluations.json`
//!
//! ```text
//! operators.rs, groups.rs and so on: documents, users and answers, written by hand --+
//!                                           what this SDK answers to the same -------+--> equal? written
//! ```
//! Nothing is written unless the SDK answers as the tables say. Where a hash decides, the tables say only that it does (`?`), and the
//! SDK's answer is recorded; `buckets.json`, `deals.json`, `unleash.json` and `flagd.json` vouch for the hashes.

mod dealt;
mod groups;
mod moments;
mod operators;
mod variants;

use serde_json::{Map, Value, json};
use teal_flags::model::{Document, Timestamp};
use teal_flags::{Evaluation, FlagValue, Flags, Layer, OwnedContext, Resolved};

/// A document and what is asked of it.
struct Group {
    name: &'static str,
    environment: Option<&'static str>,
    now: &'static str,
    document: Value,
    cases: Vec<Case>,
}

/// A question.
struct Case {
    flag: String,
    /// `{"id": "user-7", "clinic": "hcm-3"}`: an id if any, and attributes.
    user: Value,
    /// Asked for a value of this type with this default.
    typed: Option<(&'static str, Value)>,
    /// `true on STATIC`: enabled, variant or `-`, reason, and the value as JSON where it is not the variant's name; or an error
    /// code, with `true` before it where the flag is on all the same; or `? SPLIT` where a hash decides.
    expected: String,
}

impl Group {
    /// In no environment, in 1970.
    fn new(name: &'static str, document: &str, cases: &[(&str, &str, &str)]) -> Self {
        Self::at(name, None, "1970-01-01T00:00:00Z", document, cases)
    }

    fn at(
        name: &'static str,
        environment: Option<&'static str>,
        now: &'static str,
        document: &str,
        cases: &[(&str, &str, &str)],
    ) -> Self {
        let case = |&(flag, user, expected): &(&str, &str, &str)| Case {
            flag: flag.to_owned(),
            user: read(user),
            typed: None,
            expected: expected.to_owned(),
        };
        Self { name, environment, now, document: read(document), cases: cases.iter().map(case).collect() }
    }
}

fn main() {
    let groups = [operators::groups(), groups::groups(), variants::groups(), moments::groups(), dealt::groups()]
        .into_iter()
        .flatten();
    let mut wrong = Vec::new();
    let groups: Vec<String> = groups.map(|group| write(&group, &mut wrong)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("{{\"format\": 1, \"groups\": [\n{}\n]}}", groups.join(",\n"));
}

/// One case a line, so that a change is seen as what it is.
fn write(group: &Group, wrong: &mut Vec<String>) -> String {
    let Group { name, environment, now, document, cases } = group;
    let flags = Flags::new(*environment);
    let read = Document::from_value(document.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read.unreadable, [], "{name}");
    flags.apply(Layer::File, read, now.parse::<Timestamp>().unwrap_or_else(|error| panic!("{name}: {error}")));
    let cases: Vec<String> = cases.iter().map(|case| format!("    {}", answer(name, &flags, case, wrong))).collect();
    let (name, environment, now) = (json!(name), json!(environment), json!(now));
    let cases = cases.join(",\n");
    format!(
        "  {{\"name\": {name}, \"environment\": {environment}, \"now\": {now}, \"document\":\n    {document}, \"cases\": [\n{cases}\n  ]}}"
    )
}

/// A case with the SDK's answer, and what is wrong with it if it is not the one in the table.
fn answer(group: &str, flags: &Flags, case: &Case, wrong: &mut Vec<String>) -> Value {
    let Case { flag, user, typed, expected } = case;
    let (id, context) = context(user);
    let evaluation = flags.evaluate(&context, flag);
    let told = match typed {
        None => whole(&evaluation),
        Some((kind, default)) => resolve(flags, &context, flag, kind, default),
    };
    let fits = match expected.strip_prefix("? ") {
        Some(reason) => told["reason"] == reason,
        None => short(&told) == *expected,
    };
    if !fits {
        wrong.push(format!("{group}: {flag} for {user}: expected {expected}, found {}", short(&told)));
    }
    let mut attributes = user.clone();
    attributes.as_object_mut().map(|attributes| attributes.remove("id"));
    let mut case = json!({"flag": flag, "user": {"id": id, "attributes": attributes}, "expected": told});
    if let Some((kind, default)) = typed {
        case["type"] = (*kind).into();
        case["default"] = default.clone();
    }
    case
}

fn context(user: &Value) -> (Option<&str>, OwnedContext) {
    let attributes: &Map<String, Value> = user.as_object().unwrap_or_else(|| panic!("{user} is no object"));
    let id = attributes.get("id").and_then(Value::as_str);
    (id, OwnedContext::from_json(id, attributes.iter().filter(|(name, _)| *name != "id")))
}

fn whole(evaluation: &Evaluation) -> Value {
    json!({
        "enabled": evaluation.enabled,
        "value": evaluation.value.as_ref().map(FlagValue::to_json),
        "variant": evaluation.variant.as_deref(),
        "reason": evaluation.reason.as_str(),
        "error": evaluation.error.map(|error| error.as_str()),
    })
}

fn resolve(flags: &Flags, user: &OwnedContext, flag: &str, kind: &str, default: &Value) -> Value {
    fn told<T: Into<Value>>(resolved: Resolved<T>) -> Value {
        let Resolved { value, variant, reason, error, .. } = resolved;
        let error = error.map(|error| error.as_str());
        json!({"value": value.into(), "variant": variant.as_deref(), "reason": reason.as_str(), "error": error})
    }
    match kind {
        "bool" => told(flags.bool(user, flag, default == true)),
        "integer" => told(flags.integer(user, flag, default.as_i64().unwrap_or_default())),
        "float" => told(flags.float(user, flag, default.as_f64().unwrap_or_default())),
        "json" => told(flags.json(user, flag, default.clone())),
        _ => {
            let Resolved { value, variant, reason, error, version } =
                flags.text(user, flag, default.as_str().unwrap_or_default());
            told(Resolved { value: value.to_string(), variant, reason, error, version })
        }
    }
}

/// As the tables write it.
fn short(told: &Value) -> String {
    let text = |name: &str| told[name].as_str().unwrap_or("-");
    match (told["error"].as_str(), told.get("enabled")) {
        (Some(error), Some(Value::Null)) => return error.to_owned(),
        (Some(error), Some(enabled)) => return format!("{enabled} {error}"),
        _ => {}
    }
    let enabled = told.get("enabled").map_or_else(|| "value".to_owned(), ToString::to_string);
    let plain = match text("variant") {
        "on" => Value::Bool(true),
        "off" => Value::Bool(false),
        "-" => Value::Null,
        name => name.into(),
    };
    let value = if told["value"] == plain { String::new() } else { format!(" {}", told["value"]) };
    let error = told["error"].as_str().map_or_else(String::new, |error| format!(" {error}"));
    format!("{enabled} {} {}{value}{error}", text("variant"), text("reason"))
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}
