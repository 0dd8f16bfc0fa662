//! Every mistake says where it is and what to write instead.

use super::*;

#[test]
fn a_mistake_names_its_place_its_value_and_the_way_out() {
    // Replaces one line of LEAST (or appends) and expects exactly one mistake.
    let check = |from: &str, to: &str, words: &str| {
        let text = if from.is_empty() { format!("{LEAST}{to}\n") } else { LEAST.replace(from, to) };
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].contains(words), "{to}: {}", found[0]);
    };
    check(
        "app = \"shop\"",
        "ap = \"shop\"\napp = \"s\"",
        "line 2, column 1: ap: unknown key `ap`; did you mean `app`?",
    );
    check("app = \"shop\"", "app = \"Shop\"", "line 2, column 7: app: `Shop` must match [a-z]");
    check("app = \"shop\"", "app = 3", "app: this must be text in quotes, not 3");
    check("app = \"shop\"", "", "`app` is missing: add for instance `app = \"my-app\"`");
    check("app = \"shop\"", "app = \"shop", "line 2, column");
    check("map = \"/etc/haproxy/prod.map\"", "", "line 4, column 1: environments.prod.edge: `map` is missing");
    check("[components.api]", "[components.API]", "component name `API` must match");
    check("\"8100-8109\"", "\"8109-8100\"", "components.api.ports: `8109-8100` must rise");
    check("\"8100-8109\"", "8100", "this must be text in quotes, not 8100");
    check("\"8100-8109\"", "\"8100-8101\"\nreplicas = 2", "2 replicas of two colours need 4 ports");
    check(
        "{port}",
        "{prot}",
        "line 8, column 7: components.api.run: `{prot}` is not filled in; known: {version} {port}",
    );
    check("", "ready = \"healthz\"", "`healthz` is not a path: it starts with `/`");
    check("", "replicas = 70000", "at most 65535, not 70000");
    check("", "raedy = \"/\"", "line 10, column 1: components.api.raedy: unknown key `raedy`; did you mean `ready`?");
    check(
        "",
        "routes = [{ name = \"a\", path = \"/a\", latency = 800 }]",
        "a duration needs its unit, in quotes: \"800s\" or",
    );
    check("", "[watch]\nmni = \"5m\"", "watch.mni: unknown key `mni`; did you mean `min`?");
    check("", "[watch]\nmin = \"5 minutes\"", "watch.min: `5 minutes` is not a duration");
    check("", "[watch]\nmin = \"1h\"", "is longer than the longest");
    check("", "[watch]\nacceptable_error_rate = 0.01", "a percentage is text: \"0.01%\"");
    check("", "[watch]\nacceptable_error_rate = \"51%\"", "must be above 0 % and at most 50 %");
    check(
        "",
        "[watch]\nalpha = 0.1",
        "line 11, column 9: watch.alpha: alpha must be from 0.000000001 to 0.01, not 0.1",
    );
    check("", "[watch]\nalpha = \"rare\"", "watch.alpha: this must be a number, not \"rare\"");
    check("", "[watch]\nrho = nan", "watch.rho: this must be a number, not nan");
    check("", "[watch]\nrho = 0.5", "rho must be from 1 to 100, not 0.5");
    check("", "[watch]\nmin_requests = 0", "watch.min_requests: min_requests must be more than 0");
    check("", "[watch]\nlatency = 20", "a percentage is text: \"20%\"");
    check("", "[watch]\nlatency = \"9901%\"", "write \"20%\", at most \"9900%\", or \"off\"");
    check("", "[watch]\nlatency_limit = \"0s\"", "watch.latency_limit: this must be more than 0");
    check(
        "",
        "[watch]\nbad = { status = [\"6xx\"] }",
        "watch.bad.status: `6xx` is no status: write one from 100 to 599",
    );
    check("", "[watch]\nbad = { stauts = [500] }", "watch.bad.stauts: unknown key `stauts`; did you mean `status`?");
    check("", "[watch]\nbad = { not = [\"5xx\"] }", "watch.bad.not: no status is left that is bad");
    check("", "[watch]\nprobes = \"on\"", "watch.probes: this must be a table { ... }, or \"off\"");
    check("", "[watch]\nprobes = { below = 0 }", "watch.probes.below: requests a second must be more than 0, not 0");
    check("", "[watch]\nprobes = { every = \"1ms\" }", "watch.probes.every: probes are for quiet times");
    check("", "[watch]\nprobes = { often = 1 }", "watch.probes.often: unknown key `often`; known here: below, every");
    check("", "[components.api.watch]\nmin = \"5m\"", "components.api.watch.min: a release is watched as a whole");
    check("", "[components.api.watch]\nroh = 2", "components.api.watch.roh: unknown key `roh`; did you mean `rho`?");
    check(
        "",
        "acceptable_error_rate = \"1%\"\n[components.api.watch]\nacceptable_error_rate = \"1%\"",
        "components.api.watch.acceptable_error_rate: it stands beside this table as well: keep one",
    );
    check("", "[watch]\non_unknown = \"kep\"", "`kep` is not one of keep, rollback, ask; did you mean `keep`?");
    check("", "[watch]\nretain = [{ replicas = \"full\" }]", "`for` is missing");
    check(
        "",
        "[environments.prod.switch]\nsteps = [{ share = \"50%\", hold = \"1m\" }, { share = \"10%\", hold = \"1m\" }]",
        "10 % is out of order",
    );
    check("", "[environments.prod.switch]\nsalt = \"a b\"", "is not a salt");
    check(
        "",
        "[environments]\nprod.mode = \"auto\"",
        "line 11, column 13: environments.prod.mode: `auto` is not one of",
    );
    check("socket = ", "user = \"header:x-user\"\nsocket = ", "name who may in `trusted_proxies");
    check("socket = ", "user = \"session\"\nsocket = ", "write \"none\", \"header:NAME\"");
    check("socket = ", "evidence = \"file\"\nsocket = ", "write \"ring\" or \"datagram:");
    check("socket = ", "bind = [{ adress = \"*:443\" }]\nsocket = ", "unknown key `adress`; did you mean `address`?");
    check("socket = ", "bind = [\"localhost\"]\nsocket = ", "`localhost` is no place to listen: write");
    check("socket = ", "user = \"jwt:sub\"\nsocket = ", "add `jwt_algorithm = ");
    check("socket = ", "jwt_algorithm = \"HS256\"\nsocket = ", "`HS256` is not one of RS256");
    check("socket = ", "run_as = \"haproxy\"\nsocket = ", "must name user and group");
    check(
        "socket = ",
        "timeouts.server = \"2d\"\nsocket = ",
        "environments.prod.edge.timeouts.server: a time-out of the edge is",
    );
    check("socket = ", "bind = []\nsocket = ", "an edge listens somewhere");
    check("socket = ", "bind = [\"a\\nb\"]\nsocket = ", "control characters or line breaks");
    check(
        "",
        "[platform]\nkind = \"kubernets\"",
        "`kubernets` is not one of local, kubernetes; did you mean `kubernetes`?",
    );
    check("", "[notify]\nwebhook = \"hooks.example\"", "it starts with https://");
    check("", "[components.web]\nrun = [\"w\"]\nports = \"8200-8201\"", "api and web have neither `hosts` nor `paths`");
    check(
        "",
        "[components.web]\nrun = [\"w\"]\nports = \"8109-8110\"\npaths = [\"/w\"]",
        "ports 8109-8110 are shared with",
    );
    check("", "watch = 5", "components.api.watch: this must be a table: write `[components.api.watch]`");
    check("app = \"shop\"", "app = \"shop\"\nwatch = 5", "watch: this must be a table: write `[watch]`");
}

#[test]
fn every_mistake_is_found_at_once_and_a_common_one_only_once() {
    let text = TWO_COMPONENTS
        .replace("\"/healthz\"\npaths", "\"healthz\"\npaths")
        .replace("\"24h\"", "\"1 day\"")
        .replace("act", "on");
    let found = mistakes(&text);
    let fields: Vec<&str> = found.iter().map(|m| m.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        fields,
        ["environments.prod.mode", "environments.staging.mode", "components.api.ready", "watch.retain.for"],
        "{found:#?}"
    );
}

#[test]
fn what_works_but_should_be_known_is_a_warning() {
    let (config, warnings) = parse(LEAST, Path::new("/"));
    assert!(config.is_ok());
    assert!(warnings.iter().any(|w| w.message.contains("nobody will be told")), "{warnings:#?}");
}

#[test]
fn two_environments_cannot_share_ports_or_a_map() {
    let found = mistakes(&format!(
        "{LEAST}\n[environments.dev.edge]\nmap = \"/etc/haproxy/prod.map\"\nsocket = \"/run/haproxy/dev.sock\"\n"
    ));
    assert!(
        found.iter().any(|m| m.contains("ports 8100-8109 are shared with environments.dev.components.api")),
        "{found:#?}"
    );
    assert!(found.iter().any(|m| m.contains("have the same `map`")), "{found:#?}");
}

#[test]
fn files_that_are_missing_or_broken_say_which() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("teal.toml");
    let check = |words: &str| {
        let error = load(Some(&path)).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("teal.toml"), "{error}");
    };
    check("cannot read");
    std::fs::write(&path, "app = ").unwrap();
    check("has 1 mistake");
    std::fs::write(&path, LEAST).unwrap();
    assert_eq!(load(Some(&path)).unwrap().config.app, "shop");
}

#[test]
fn an_unknown_environment_names_the_nearest() {
    let error = read(TWO_COMPONENTS).settings("stagign").unwrap_err().to_string();
    assert_eq!(error, "there is no environment `stagign` in the configuration; did you mean `staging`?");
}
