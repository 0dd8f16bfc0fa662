//! `docs/flags.md` is true: every example in it is read.

use serde_json::Value;
use teal_flags::model::{Document, Flag, limits};

const PAGE: &str = include_str!("../../../docs/flags.md");

#[test]
fn every_example_is_read_as_it_stands() {
    let examples: Vec<&str> = PAGE.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 7, "only {} examples", examples.len());
    for example in examples {
        let json: Value = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        if json.get("flags").is_some() {
            let document = Document::from_value(json).unwrap();
            assert_eq!(document.unreadable, [], "{example}");
            assert!(document.extra.is_empty(), "{example}");
        } else {
            let flag = Flag::from_value(json).unwrap_or_else(|error| panic!("{error}: {example}"));
            assert!(flag.extra.is_empty(), "{example}");
            assert_eq!(Flag::from_value(flag.to_value()), Ok(flag), "{example}");
        }
    }
}

#[test]
fn the_error_that_is_quoted_is_the_one_that_is_given() {
    let flags = r#"{"flags": [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d", "rules": [{"percentage": "12.3456"}]}]}"#;
    let error = Document::from_json(flags).unwrap().unreadable.remove(0).error.to_string();
    assert!(PAGE.contains(&format!("```\n{error}\n```")), "{error}");
}

#[test]
fn the_bounds_are_the_ones_that_are_enforced() {
    let section = PAGE.split("## ").find(|section| section.starts_with("Bounds")).unwrap();
    let thousands = |number: usize| {
        let digits = number.to_string();
        let ends = (0..digits.len()).filter(|at| *at > 0 && (digits.len() - at).is_multiple_of(3));
        ends.rev().fold(digits.clone(), |text, at| format!("{},{}", &text[..at], &text[at..]))
    };
    let check = |number: usize, what: &str| {
        let said = format!("{}{what}", thousands(number));
        assert!(section.split_whitespace().collect::<Vec<_>>().join(" ").contains(&said), "{said}");
    };
    check(limits::DOCUMENT_BYTES >> 20, " MiB");
    check(limits::FLAGS, " flags");
    check(limits::SEGMENTS, " segments");
    check(limits::NAME, ", other names");
    check(limits::LABEL, ", descriptions");
    check(limits::DESCRIPTION, ", a salt");
    check(limits::SALT, " (");
    check(limits::FOREIGN_SALT, " with another bucketing");
    check(limits::RULES, " rules");
    check(limits::CONDITIONS, " conditions a rule");
    check(limits::VALUES, " values a condition");
    check(limits::SEARCHED, ", `matches`");
    check(limits::EXPRESSIONS, " of 512 each");
    check(limits::EXPRESSION, " each, compiled");
    check(limits::EXPRESSION_BYTES >> 10, " KiB each and");
    check(limits::EXPRESSIONS_BYTES >> 10, " KiB in all) of 1,000");
    check(limits::VALUE, "; 20 conditions with");
    check(limits::EXPRESSION_CONDITIONS, " conditions with `matches`");
    check(limits::VARIANTS, " variants of 64 KiB");
    check(limits::VARIANT_BYTES >> 10, " KiB of JSON");
    check(limits::DEPTH, " levels");
    check(usize::try_from(limits::WEIGHTS).unwrap(), " in all");
    check(limits::ENVIRONMENTS, " environments");
    check(limits::PREREQUISITES, " prerequisites");
    check(limits::RAMP, " points of a ramp");
    check(limits::STICKINESS, " stickiness attributes");
    check(limits::GROUPS, " groups");
    check(limits::IDS, " ids");
}
