//! Names and versions that do not exist or cannot be meant, told before anything is asked of an agent.

use super::Shop;

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let shop = Shop::new();
    let check = |line: &str, words: &str| {
        shop.teal(&line.split(' ').collect::<Vec<_>>()).expect(2, &[words]);
        assert_eq!(shop.left(), [""; 0], "{line}");
    };
    for command in [
        "deploy prd v1",
        "status prd",
        "rollback prd",
        "pause prd",
        "edge force prd blue --reason x",
        "wait 1 --env prd",
    ] {
        check(command, "no environment `prd` in the configuration; did you mean `prod`?");
    }
    check("deploy prod v1 --component ap", "unknown component `ap`: prod has app");
    check("deploy prod --set ap=v1", "unknown component `ap`: prod has app");
    check("edge force prod purple --reason x", "unknown colour `purple`: it is `blue` or `green`");
    check("edge force prod blue --component ap --reason x", "unknown component `ap`");
    check("edge force prod blue", "--reason <REASON>");
    check("rollback prod --to latest", "latest");
}

#[test]
fn a_version_can_neither_climb_nor_become_an_option() {
    let shop = Shop::new();
    let check = |version: &str| {
        shop.teal(&["deploy", "prod", "--", version]).expect(2, &["not a version"]);
        shop.teal(&["deploy", "prod", "--set", &format!("app={version}")]).expect(2, &["not a version"]);
        assert_eq!(shop.left(), [""; 0], "{version}");
    };
    for version in
        ["../x", "..", "v1..2", "/etc/passwd", "-rf", "--help", ".hidden", "a b", "a;b", "$(id)", "v1\n", "é", ""]
    {
        check(version);
    }
    check(&"v".repeat(129));
    shop.teal(&["deploy", "prod", "-rf"]).expect(2, &["unexpected argument '-r'"]);
}

#[test]
fn without_an_agent_every_order_says_how_to_get_one() {
    let shop = Shop::new();
    let check = |line: &str, words: &[&str]| {
        shop.teal(&line.split(' ').collect::<Vec<_>>()).expect(5, words);
        assert_eq!(shop.left(), [""; 0], "{line}");
    };
    let start = "agent.sock does not exist; start it with `teal agent`";
    check("deploy prod v1", &[start]);
    check("rollback prod", &[start, "teal edge force prod back --reason"]);
    check("wait", &[start]);
    check("status prod", &[start, "the edge does not answer either"]);
}
