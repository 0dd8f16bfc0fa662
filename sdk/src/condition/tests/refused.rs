//! What cannot be compiled, and what is said then.

use serde_json::{Value, json};

use super::compile;

fn check(name: &str, values: &Value, expected: &str) {
    let error = compile(name, values, false).unwrap_err();
    assert_eq!(error.to_string(), expected, "{name}");
}

#[test]
fn a_value_that_cannot_be_compared_so_is_named_with_the_way_out() {
    check("in", &json!(["a", null]), "values[1]: null must be a text, a number, true or false");
    check("in", &json!([{"a": 1}]), "values[0]: {\"a\":1} must be a text, a number, true or false");
    check("starts_with", &json!([7]), "values[0]: 7 must be a text; put it in quotes");
    check("matches", &json!([7]), "values[0]: 7 must be a text; put it in quotes");
    check("lt", &json!([18, "x"]), "values[1]: \"x\" is not a number; write it in digits, such as 18 or -0.5");
    check("lt", &json!([true]), "values[0]: true is not a number; write it in digits, such as 18 or -0.5");
    check(
        "semver_lt",
        &json!(["1.x"]),
        "values[0]: \"1.x\" is not a semantic version; write it as a text such as \"1.4.0\" or \"2.0.0-rc.1\"",
    );
    check(
        "before",
        &json!(["2026-11-28"]),
        "values[0]: \"2026-11-28\" is not a moment; write it as 2026-11-28T09:00:00Z or 2026-11-28T16:00:00+07:00",
    );
    for bad in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0/8", "10.0.0.0/8/8"] {
        let expected = format!(
            "values[0]: \"{bad}\" is not a network; write it as \"10.0.0.0/8\", \"2001:db8::/32\", or one address"
        );
        check("cidr", &json!([bad]), &expected);
    }
    check("exists", &json!([1]), "values: must be left out: `exists` compares with nothing; use `in` to compare");
}

#[test]
fn too_many_and_too_long_values_are_refused() {
    check(
        "in",
        &json!(vec![1; 10_001]),
        "values: has 10001 values, and this operator takes at most 10000; split them over several rules, or use a segment",
    );
    check(
        "contains",
        &json!(vec!["a"; 1_001]),
        "values: has 1001 values, and this operator takes at most 1000; split them over several rules, or use a segment",
    );
    check(
        "matches",
        &json!(vec!["a"; 101]),
        "values: has 101 values, and this operator takes at most 100; split them over several rules, or use a segment",
    );
    let begins = format!("values[0]: \"{}...", "ă".repeat(59));
    check("in", &json!(["ă".repeat(1_001)]), &format!("{begins} has more than 1000 characters; shorten it"));
    check("matches", &json!(["ă".repeat(513)]), &format!("{begins} has more than 512 characters; shorten it"));
    assert!(compile("in", &json!(["ă".repeat(1_000)]), false).is_ok());
    assert!(compile("matches", &json!(["ă".repeat(512)]), false).is_ok());
}

#[test]
fn regular_expressions_that_are_wrong_or_too_large_are_refused() {
    for pattern in ["(", "a{2,1}", "(?=a)", "(a)\\1", "\\pL", "x{10000}", "((((x{50}){50}){50}){50})", &"(".repeat(200)]
    {
        let error = compile("matches", &json!([pattern]), false).unwrap_err().to_string();
        assert!(error.contains("cannot be used as a regular expression ("), "{error}");
        assert!(error.ends_with("); see docs.rs/regex-lite"), "{error}");
    }
}

#[test]
fn a_hundred_ordinary_regular_expressions_fit_and_large_ones_do_not() {
    let ordinary = r"^[a-z0-9._%+-]+@(clinic|hospital)\.example\.(com|vn)$";
    assert!(compile("matches", &json!(vec![ordinary; 100]), true).is_ok());
    let large = "[ab]{600}c";
    assert!(compile("matches", &json!(vec![large; 8]), false).is_ok());
    assert!(compile("matches", &json!(vec![large; 100]), false).is_err());
}
