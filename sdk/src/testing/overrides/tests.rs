//! Overrides, one after the other and side by side.

use std::thread;

use serde_json::json;

use super::*;
use crate::model::{Prerequisite, Timestamp};
use crate::testing::TestFlags;

fn is_on(overrides: &Overrides, user: &str) -> Option<bool> {
    overrides.flags().evaluate(user, "a").enabled
}

#[test]
fn an_override_for_everybody_counts_whatever_the_flag_says_and_ends() {
    let later = Schedule { from: Some(Timestamp::from_millis(1)), ..Schedule::default() };
    let check = |base: TestFlags, before| {
        let overrides = base.into_overrides();
        assert_eq!(is_on(&overrides, "user-7"), before);
        for value in [true, false] {
            let set = overrides.set("a", value);
            assert_eq!(is_on(&overrides, "user-7"), Some(value));
            drop(set);
            assert_eq!(is_on(&overrides, "user-7"), before);
        }
    };
    check(TestFlags::new(), None);
    check(TestFlags::new().on("a"), Some(true));
    check(TestFlags::new().off("a"), Some(false));
    check(TestFlags::new().flag(Flag { schedule: later, ..Flag::new("a") }), Some(false));
    check(TestFlags::new().flag(Flag { archived: true, ..Flag::new("a") }), Some(false));
    check(TestFlags::new().flag(Flag { prerequisites: vec![Prerequisite::on("b")], ..Flag::new("a") }), Some(false));
    check(TestFlags::new().flag(Flag { environments: vec!["prod".to_owned()], ..Flag::new("a") }), Some(false));
}

#[test]
fn an_override_for_one_user_is_for_that_user_alone() {
    let check = |base: TestFlags, others| {
        let overrides = base.into_overrides();
        for value in [true, false] {
            let _set = overrides.set_for("user-7", "a", value);
            assert_eq!((is_on(&overrides, "user-7"), is_on(&overrides, "user-8")), (Some(value), others));
        }
    };
    check(TestFlags::new().on("a"), Some(true));
    check(TestFlags::new().off("a"), Some(false));
    check(TestFlags::new().share("a", 0), Some(false));
    // As long as it is known for one user it is known.
    check(TestFlags::new(), Some(false));
}

#[test]
fn the_newest_counts_in_whichever_order_they_end() {
    let overrides = TestFlags::new().off("a").into_overrides();
    let first = overrides.set("a", true);
    let second = overrides.set("a", false);
    let third = overrides.set_for("user-7", "a", true);
    assert_eq!((is_on(&overrides, "user-7"), is_on(&overrides, "user-8")), (Some(true), Some(false)));
    drop(second);
    assert_eq!((is_on(&overrides, "user-7"), is_on(&overrides, "user-8")), (Some(true), Some(true)));
    drop(first);
    assert_eq!((is_on(&overrides, "user-7"), is_on(&overrides, "user-8")), (Some(true), Some(false)));
    drop(third);
    assert_eq!(is_on(&overrides, "user-7"), Some(false));
}

#[test]
fn variants_are_found_by_name_or_made() {
    let overrides = TestFlags::new().on("a").variant("theme", "dark").into_overrides();
    let served = |flag: &str| overrides.flags().json("user-7", flag, json!(null)).value;
    let set = [overrides.set("a", 3), overrides.set("theme", json!({"columns": 2}))];
    assert_eq!((served("a"), served("theme")), (json!(3), json!({"columns": 2})));
    drop(set);
    assert_eq!((served("a"), served("theme")), (json!(true), json!("dark")));
    let _set = [overrides.set_for("user-8", "a", "odd"), overrides.set("theme", "dark")];
    assert_eq!((served("a"), served("theme")), (json!(true), json!("dark")));
}

#[test]
fn tests_side_by_side_do_not_see_each_other() {
    let overrides = TestFlags::new().off("a").into_overrides();
    thread::scope(|scope| {
        for test in 0..8 {
            let overrides = &overrides;
            scope.spawn(move || {
                let user = format!("user-{test}");
                for round in 0..50 {
                    let _set = overrides.set_for(&user, "a", round % 2 == 0);
                    assert_eq!(is_on(overrides, &user), Some(round % 2 == 0));
                }
                assert_eq!(is_on(overrides, &user), Some(false));
            });
        }
    });
}
