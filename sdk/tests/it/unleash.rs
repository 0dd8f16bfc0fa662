//! Unleash's own specification of what its clients answer, run through the import and our evaluation.
//!
//! ```text
//! tests/unleash/specifications/*.json: state --import::unleash--> Flags <--context-- each test; expected == answered?
//! ```

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use teal_flags::import::{Imported, unleash};
use teal_flags::model::Timestamp;
use teal_flags::{Evaluation, Flags, Layer, OwnedAttribute, OwnedContext};

/// Tests that are not meant to pass, by file and description, and why.
const LEFT_OUT: [(&str, &str, &str); 0] = [];

/// How many tests the specification has: a file that is lost is noticed.
const TESTS: usize = 279;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unleash")
}

fn read(file: &str) -> Vec<u8> {
    std::fs::read(folder().join("specifications").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn files() -> Vec<String> {
    serde_json::from_slice(&read("index.json")).unwrap()
}

/// What became of the tests of all files.
#[derive(Default)]
struct Tally {
    passed: usize,
    left_out: Vec<String>,
    failed: Vec<String>,
}

#[test]
fn unleash_s_clients_and_ours_give_the_same_answers() {
    let mut tally = Tally::default();
    for file in files() {
        run(&file, &mut tally);
    }
    let Tally { passed, left_out, failed } = tally;
    println!("Unleash's specification: {passed} passed, {} failed, {} left out", failed.len(), left_out.len());
    left_out.iter().for_each(|line| println!("left out: {line}"));
    assert!(failed.is_empty(), "{} of {TESTS} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(passed + left_out.len(), TESTS);
    assert_eq!(left_out.len(), LEFT_OUT.len(), "a test that is left out is not there any more");
}

fn run(file: &str, tally: &mut Tally) {
    let specification: Value = serde_json::from_slice(&read(file)).unwrap();
    let imported = unleash(specification["state"].to_string()).unwrap();
    let flags = Flags::new(None);
    let applied = flags.apply(Layer::File, imported.document.clone(), Timestamp::from_millis(0));
    assert_eq!(applied.problems, [], "{file}");
    for (kind, matches) in [("tests", is_on as fn(&Value, &Evaluation) -> bool), ("variantTests", is_variant)] {
        for test in specification[kind].as_array().into_iter().flatten() {
            let answer = evaluate(&flags, &imported, test);
            let description = test["description"].as_str().unwrap();
            let line = format!("{file}: {description}");
            let left_out = LEFT_OUT.iter().find(|(of, known, _)| *of == file && *known == description);
            match (matches(&test["expectedResult"], &answer), left_out) {
                (true, None) => tally.passed += 1,
                (false, Some((_, _, reason))) => tally.left_out.push(format!("{line}: {reason}")),
                (false, None) => tally.failed.push(format!("{line}: {test} was answered by {answer:?}")),
                (true, Some(_)) => tally.failed.push(format!("{line}: is left out although it passes")),
            }
        }
    }
}

fn evaluate(flags: &Flags, imported: &Imported, test: &Value) -> Evaluation {
    let name = test["toggleName"].as_str().unwrap();
    let name = imported.names.get(name).map_or(name, String::as_str);
    flags.evaluate(context(&test["context"]), name)
}

fn context(json: &Value) -> OwnedContext {
    let mut context = OwnedContext { id: json["userId"].as_str().map(str::to_owned), ..OwnedContext::default() };
    for (name, value) in json.as_object().into_iter().chain(json["properties"].as_object()).flatten() {
        let name = if name == "currentTime" { "current_time" } else { name };
        if let Some(value) = OwnedAttribute::from_json(value) {
            context.attributes.insert(name.to_owned(), value);
        }
    }
    context
}

/// What `isEnabled` answers with its usual default.
fn is_on(expected: &Value, answer: &Evaluation) -> bool {
    expected.as_bool() == Some(answer.enabled.unwrap_or(false))
}

/// What `getVariant` answers. Where there is no variant Unleash says one called `disabled`, and we say `on` or `off`.
fn is_variant(expected: &Value, answer: &Evaluation) -> bool {
    let on = answer.enabled.unwrap_or(false);
    let name = answer.variant.as_deref().filter(|name| on && *name != "on").unwrap_or("disabled");
    let is_variant = name != "disabled";
    let same = expected["name"] == name
        && expected["enabled"] == is_variant
        && expected["feature_enabled"].as_bool() == Some(on);
    same && (!is_variant || answer.value.as_ref().map(|value| value.to_json()) == Some(payload(expected)))
}

/// What our import makes of a payload: a number of what is called one, else the text; the name where there is none.
fn payload(expected: &Value) -> Value {
    let value = expected["payload"]["value"].as_str();
    match (value, expected["payload"]["type"].as_str()) {
        (Some(value), Some("number" | "json")) => serde_json::from_str(value).unwrap(),
        (Some(value), _) => json!(value),
        (None, _) => expected["name"].clone(),
    }
}

#[test]
fn the_files_are_as_unleash_published_them() {
    let sums = std::fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    let line = |file: &str| {
        let hex = Sha256::digest(read(file)).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        format!("{hex}  {file}")
    };
    let mut expected: Vec<String> = files().iter().map(|file| line(file)).collect();
    expected.push(line("index.json"));
    assert_eq!(sums.lines().collect::<Vec<_>>(), expected);
}
