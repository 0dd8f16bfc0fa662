//! What matches and what does not.

use serde_json::{Value, json};

use super::matches;
use crate::context::Attribute;

fn check<'a>(name: &str, values: &Value, attribute: impl Into<Attribute<'a>>, expected: bool) {
    let attribute = attribute.into();
    assert_eq!(matches(name, values, attribute, false), expected, "{attribute:?} {name} {values}");
}

fn check_lower<'a>(name: &str, values: &Value, attribute: impl Into<Attribute<'a>>, expected: bool) {
    let attribute = attribute.into();
    assert_eq!(matches(name, values, attribute, true), expected, "{attribute:?} {name} {values} ignoring case");
}

#[test]
fn what_is_there_exists_whatever_it_is() {
    for attribute in ["".into(), 0.into(), false.into(), f64::NAN.into(), Attribute::List(&[])] {
        check("exists", &json!([]), attribute, true);
    }
}

#[test]
fn one_of_the_values_is_equal() {
    check("in", &json!(["a", "b"]), "b", true);
    check("in", &json!(["a", "b"]), "B", false);
    check("in", &json!(["a", "b"]), "", false);
    check("in", &json!([""]), "", true);
    check("in", &json!([]), "a", false);
    check("in", &json!([7]), 7, true);
    check("in", &json!([7.0]), 7, true);
    check("in", &json!([7]), 7.0, true);
    check("in", &json!([7.5]), 7.5, true);
    check("in", &json!([7]), 8, false);
    check("in", &json!([true]), true, true);
    check("in", &json!([true]), false, false);
    check("in", &json!([1]), true, false);
    check("in", &json!([true]), 1, false);
    check("in", &json!([u64::MAX]), "18446744073709551615", true);
}

#[test]
fn a_text_that_reads_as_a_number_or_bool_equals_it_but_texts_are_texts() {
    check("in", &json!(["7"]), 7, true);
    check("in", &json!(["7.0"]), 7, true);
    check("in", &json!(["7e0"]), 7.0, true);
    check("in", &json!([7]), "7", true);
    check("in", &json!([7]), "7.00", true);
    check("in", &json!([7]), " 7", false);
    check("in", &json!([7]), "seven", false);
    check("in", &json!(["7"]), "7.0", false);
    check("in", &json!(["true"]), true, true);
    check("in", &json!(["True"]), true, false);
    check("in", &json!([false]), "false", true);
    check("in", &json!([false]), "0", false);
    check("in", &json!(["nan", "inf", "NaN"]), f64::NAN, false);
    check("in", &json!(["inf"]), f64::INFINITY, false);
    check_lower("in", &json!(["True"]), true, true);
    check_lower("in", &json!([false]), "FALSE", true);
}

#[test]
fn many_values_are_found_as_few_are() {
    let many: Vec<String> = (0..10_000).map(|user| format!("user-{user}")).collect();
    for (user, expected) in [("user-0", true), ("user-9999", true), ("user-10000", false), ("", false)] {
        check("in", &json!(many), user, expected);
        check_lower("in", &json!(many), user.to_uppercase().as_str(), expected);
    }
    let numbers: Vec<i64> = (0..10_000).map(|number| number * 2).collect();
    check("in", &json!(numbers), 9_998, true);
    check("in", &json!(numbers), 9_999, false);
    check("in", &json!(numbers), "9998", true);
}

#[test]
fn of_a_list_one_member_suffices() {
    let owned = ["a".to_owned(), "10".to_owned()];
    check("in", &json!(["b"]), Attribute::List(&["a", "b"]), true);
    check("in", &json!(["c"]), Attribute::List(&["a", "b"]), false);
    check("in", &json!([10]), Attribute::Texts(&owned), true);
    check("gt", &json!([9]), Attribute::Texts(&owned), true);
    check("gt", &json!([10]), Attribute::Texts(&owned), false);
    check("starts_with", &json!(["b"]), Attribute::List(&["a", "bc"]), true);
    check("in", &json!(["a"]), Attribute::List(&[]), false);
}

#[test]
fn texts_begin_end_and_contain() {
    check("starts_with", &json!(["ab", "x"]), "abc", true);
    check("starts_with", &json!(["abcd"]), "abc", false);
    check("starts_with", &json!([""]), "", true);
    check("ends_with", &json!(["bc"]), "abc", true);
    check("ends_with", &json!(["ab"]), "abc", false);
    check("contains", &json!(["b"]), "abc", true);
    check("contains", &json!(["ac"]), "abc", false);
    check("starts_with", &json!(["7"]), 7, false);
    check("contains", &json!(["a"]), "a".repeat(4096).as_str(), true);
    check("contains", &json!(["a"]), "a".repeat(4097).as_str(), false);
}

#[test]
fn case_is_ignored_in_any_script() {
    check_lower("in", &json!(["ÀB", "Ω"]), "àb", true);
    check_lower("in", &json!(["ab"]), "AB", true);
    check_lower("in", &json!(["ab"]), "ABC", false);
    check_lower("starts_with", &json!(["NGUYỄN"]), "Nguyễn Văn A", true);
    check_lower("starts_with", &json!(["ab"]), "A", false);
    check_lower("ends_with", &json!(["văn a"]), "Nguyễn VĂN A", true);
    check_lower("contains", &json!(["ễN V"]), "Nguyễn Văn A", true);
    check_lower("contains", &json!(["x"]), "Nguyễn Văn A", false);
    // In lower case this one is two characters, and half as long again.
    check_lower("contains", &json!(["İ"]), "İ".repeat(2048).as_str(), true);
    check_lower("ends_with", &json!(["İ"]), "xİ", true);
    check_lower("in", &json!(["Σίσυφος"]), "ΣΊΣΥΦΟΣ", false);
    check_lower("in", &json!(["ΣΊΣΥΦΟΣ"]), "σίσυφοσ", true);
    check_lower("matches", &json!(["^ab+$"]), "ABB", true);
}

#[test]
fn regular_expressions_match_anywhere() {
    check("matches", &json!(["b+"]), "abbc", true);
    check("matches", &json!(["^b"]), "abbc", false);
    check("matches", &json!(["^x$", "c$"]), "abbc", true);
    check("matches", &json!(["1"]), 1, false);
    check("matches", &json!(["a"]), "a".repeat(4096).as_str(), true);
    check("matches", &json!(["a"]), "a".repeat(4097).as_str(), false);
}

#[test]
fn numbers_are_compared_exactly_and_any_value_suffices() {
    check("eq", &json!([1, "2"]), 2, true);
    check("eq", &json!([2]), "2.0", true);
    check("eq", &json!([9_007_199_254_740_993_i64]), 9_007_199_254_740_993_i64, true);
    check("eq", &json!([9_007_199_254_740_993_i64]), 9_007_199_254_740_992.0, false);
    check("lt", &json!([9_007_199_254_740_993_i64]), 9_007_199_254_740_992.0, true);
    check("lt", &json!([18]), 17.999, true);
    check("lt", &json!([18]), 18, false);
    check("lt", &json!([1, 18]), 17, true);
    check("lte", &json!([18]), "18", true);
    check("gt", &json!([18]), "18.5", true);
    check("gt", &json!([18, 100]), 19, true);
    check("gt", &json!([-0.5]), 0, true);
    check("gt", &json!([-0.5]), -1, false);
    check("gte", &json!(["-1e3"]), -1000, true);
    check("gte", &json!([i64::MAX]), 1e300, true);
    check("lt", &json!([i64::MIN]), -1e300, true);
    check("lt", &json!([1e300]), i64::MAX, true);
    check("gt", &json!([0]), f64::NAN, false);
    check("gt", &json!([0]), f64::INFINITY, false);
    check("gt", &json!([0]), true, false);
    check("gt", &json!([0]), "", false);
    check("gt", &json!([0]), "1".repeat(65).as_str(), false);
    check("gt", &json!([]), 1, false);
}

#[test]
fn versions_are_compared_by_precedence() {
    check("semver_eq", &json!(["1.2.3"]), "v1.2.3+build.7", true);
    check("semver_eq", &json!(["v1"]), "1.0.0", true);
    check("semver_eq", &json!(["1.2"]), "1.2.0", true);
    check("semver_eq", &json!(["1.2"]), "1.2.0-rc.1", false);
    check("semver_gt", &json!(["1.9.0"]), "1.10.0", true);
    check("semver_gte", &json!(["1.10.0"]), "1.10", true);
    check("semver_lt", &json!(["1.0.0"]), "1.0.0-rc.1", true);
    check("semver_lte", &json!(["1.0.0-rc.1"]), "1.0.0", false);
    for bad in
        ["", "v", "1.", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.x", "99999999999999999999", "vv1"]
    {
        check("semver_gte", &json!(["0"]), bad, false);
    }
    check("semver_gte", &json!(["0"]), 1, false);
    // The ladder of semver.org, section 11.
    let ladder = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ];
    for pair in ladder.windows(2) {
        check("semver_lt", &json!([pair[1]]), pair[0], true);
        check("semver_lt", &json!([pair[0]]), pair[1], false);
        check("semver_gt", &json!([pair[0]]), pair[1], true);
    }
}

#[test]
fn moments_are_before_or_after() {
    let noon = "2026-11-28T12:00:00Z";
    check("before", &json!([noon]), "2026-11-28T18:59:59.999+07:00", true);
    check("before", &json!([noon]), noon, false);
    check("after", &json!([noon]), noon, true);
    check("after", &json!([noon]), "2026-11-28T11:59:59Z", false);
    check("after", &json!([1_795_867_200_000_i64]), noon, true);
    check("after", &json!([noon]), 1_795_867_200_000_i64, true);
    check("before", &json!([noon]), 1_795_867_199_999.9, true);
    check("before", &json!([noon]), "yesterday", false);
    check("before", &json!([noon]), f64::NEG_INFINITY, false);
    check("before", &json!([noon]), true, false);
}

#[test]
fn addresses_are_within_networks() {
    check("cidr", &json!(["10.0.0.0/8"]), "10.255.255.255", true);
    check("cidr", &json!(["10.0.0.0/8"]), "11.0.0.0", false);
    check("cidr", &json!(["10.1.2.3/8"]), "10.9.9.9", true);
    check("cidr", &json!(["192.168.1.7"]), "192.168.1.7", true);
    check("cidr", &json!(["192.168.1.7"]), "192.168.1.8", false);
    check("cidr", &json!(["0.0.0.0/0"]), "255.255.255.255", true);
    check("cidr", &json!(["0.0.0.0/0"]), "::1", false);
    check("cidr", &json!(["::/0"]), "::1", true);
    check("cidr", &json!(["::/0"]), "10.0.0.1", false);
    check("cidr", &json!(["2001:db8::/32"]), "2001:db8:ffff::1", true);
    check("cidr", &json!(["2001:db8::/32"]), "2001:db9::", false);
    check("cidr", &json!(["10.0.0.0/8"]), "::ffff:10.0.0.1", true);
    check("cidr", &json!(["::ffff:10.0.0.0/104"]), "10.0.0.1", true);
    check("cidr", &json!(["::ffff:10.0.0.1"]), "10.0.0.1", true);
    let nested = json!(["10.0.0.0/8", "10.1.0.0/16", "10.200.0.0/16", "12.0.0.0/32", "fe80::/10"]);
    for (address, expected) in
        [("10.1.0.0", true), ("10.250.0.0", true), ("11.0.0.0", false), ("12.0.0.0", true), ("fe80::1", true)]
    {
        check("cidr", &nested, address, expected);
    }
    for bad in ["", "10.0.0", "10.0.0.1:80", "fe80::1%eth0", "10.0.0.1/8", "localhost"] {
        check("cidr", &json!(["0.0.0.0/0", "::/0"]), bad, false);
    }
}
