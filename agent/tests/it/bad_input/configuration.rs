//! A configuration that cannot be meant: every command that reads it says where and what instead, and does nothing.

use super::Shop;

/// Commands of every kind: reading, ordering, moving, running.
const COMMANDS: [&[&str]; 7] = [
    &["config", "check"],
    &["status"],
    &["deploy", "prod", "v1"],
    &["rollback", "prod"],
    &["edge", "force", "prod", "blue", "--reason", "x"],
    &["proxy", "render"],
    &["agent"],
];

#[test]
fn a_mistake_is_shown_with_its_line_and_the_nearest_name_by_every_command() {
    let check = |from: &str, to: &str, words: &str| {
        let shop = Shop::new();
        shop.configure(|text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        for command in COMMANDS {
            let said = shop.teal(command);
            said.expect(2, &[words]);
            assert_eq!(shop.left(), [""; 0], "{command:?}");
        }
    };
    check(
        "min_requests",
        "min_reqests",
        "line 23, column 1: watch.min_reqests: unknown key `min_reqests`; did you mean `min_requests`?",
    );
    check(
        "\"act\"",
        "\"atc\"",
        "line 8, column 8: environments.prod.mode: `atc` is not one of observe, advise, act; did you mean `act`?",
    );
    check("[watch]", "[wach]", "line 20, column 2: wach: unknown key `wach`; did you mean `watch`?");
    check("[watch]", "[watch", "line 20, column 7: unclosed table");
    check(
        "min = \"1s\"",
        "min = \"3s\"",
        "line 22, column 7: watch.max: the shortest watch (3s) is longer than the longest (2s)",
    );
    check("\"1s\"", "1", "line 21, column 7: watch.min:");
    check("map = ", "mpa = ", "line 12, column 1: environments.prod.edge.mpa: unknown key `mpa`; did you mean `map`?");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let shop = Shop::new();
    shop.configure(|text| text.replace("mode = ", "mdoe = ").replace("ready = ", "raedy = "));
    let words = ["2 mistakes", "did you mean `mode`?", "did you mean `ready`?"];
    shop.teal(&["config", "check"]).expect(2, &words);
    shop.teal(&["deploy", "prod", "v1"]).expect(2, &words);
}

#[test]
fn a_configuration_that_is_missing_is_named() {
    let shop = Shop::new();
    shop.teal(&["--config", "prod.toml", "status"]).expect(2, &["prod.toml: No such file"]);
    std::fs::remove_file(shop.path("teal.toml")).unwrap();
    shop.teal(&["status"]).expect(2, &["`teal init` writes a first one"]);
}
