use std::path::Path;
use std::time::Duration;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::settings::Mode;

use super::*;

/// The smallest configuration: what has no default.
const LEAST: &str = r#"
app = "shop"
state = "/var/lib/teal"
[environments.prod.edge]
map = "/etc/haproxy/prod.map"
socket = "/run/haproxy/teal.sock"
[components.api]
run = ["api", "{port}"]
ports = "8100-8109"
"#;

fn read(text: &str) -> Config {
    parse(text, Path::new("/etc/teal")).0.unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}

fn mistakes(text: &str) -> Vec<String> {
    let errors = parse(text, Path::new("/etc/teal")).0.expect_err("must be refused");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_newcomer_starts_in_observe_mode() {
    for text in [LEAST, &FIRST.replace("{app}", "shop")] {
        assert_eq!(read(text).environments["prod"].mode, Mode::Observe);
    }
}

#[test]
fn defaults_are_filled_in() {
    insta::assert_snapshot!(read(LEAST).effective());
}

/// Every key of `[flags]`.
const EVERYTHING: &str = r#"
[flags]
listen = "0.0.0.0:9443"
postgres_file = "/x"
migrate = false
tls_certificate_file = "/etc/teal/tls.crt"
tls_key_file = "/etc/teal/tls.key"
insecure_http = true
first_token = "teal_0123456789ab:60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55"
person_header = "X-User"
trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]
hosts = ["flags.internal"]
origins = ["https://app.example"]
legacy_anonymous = ["GET /api/v1/feature-flags/{flag}/check"]
limits = { streams = 100, streams_per_token = 50, requests_per_second_per_token = 9 }
"#;

#[test]
fn the_effective_configuration_reads_back_as_itself() {
    for text in [LEAST, TWO_COMPONENTS, KUBERNETES, &FIRST.replace("{app}", "shop"), &format!("{LEAST}{EVERYTHING}")] {
        let config = read(text);
        assert_eq!(read(&config.effective()), config);
    }
}

#[test]
fn an_environment_overrides_what_is_common_key_by_key() {
    let config = read(TWO_COMPONENTS);
    let (prod, staging) = (&config.environments["prod"], &config.environments["staging"]);
    assert_eq!(prod.watch.min, Duration::from_secs(300));
    assert_eq!(staging.watch.min, Duration::from_secs(30));
    assert_eq!(staging.watch.criteria.acceptable_error_rate, Share::percent(1));
    assert_eq!(staging.components["api"].addresses(Colour::Green)[1].to_string(), "127.0.0.1:9106");
    let run = |environment: &Environment| environment.components["api"].runs.processes().unwrap().run.clone();
    assert_eq!(run(staging), run(prod));
}

#[test]
fn workloads_have_the_names_that_a_namespace_gives_them() {
    let config = read(&KUBERNETES.replace("namespace = \"physioflow-prod\"\n", ""));
    let prod = &config.environments["prod"];
    assert_eq!(prod.namespace.as_deref(), Some("physioflow-prod"));
    let api = prod.components["api"].runs.workload().unwrap();
    assert_eq!((api.name.as_str(), api.replicas, api.secrets), ("physioflow-api", None, true));
    assert_eq!(prod.components["api"].addresses(Colour::Green)[1].to_string(), "192.0.2.12:30181");
}

#[test]
fn where_selectors_switch_no_edge_is_asked_for() {
    let edge = KUBERNETES.split("[environments.prod.edge]").nth(1).unwrap().split("\n\n").next().unwrap();
    let text = KUBERNETES.replace(&format!("[environments.prod.edge]{edge}"), "switch = { by = \"selector\" }");
    assert_eq!(read(&text).environments["prod"].switch.by, SwitchBy::Selector);
}

#[test]
fn every_agent_counts_the_edges_in_the_same_order() {
    let edges = |name: &str, peers: &str| {
        let text = KUBERNETES.replace("user = ", &format!("name = \"{name}\"\npeers = {peers}\nuser = "));
        read(&text).settings("prod").unwrap().edges
    };
    assert_eq!(edges("south", "[\"north\"]"), ["north", "south"]);
    assert_eq!(edges("north", "[\"south\"]"), ["north", "south"]);
}

#[test]
fn a_mistake_about_a_cluster_says_what_belongs_together() {
    let check = |from: &str, to: &str, words: &str| {
        let found = mistakes(&KUBERNETES.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].contains(words), "{to}: {}", found[0]);
    };
    check("container = \"api\"", "run = [\"api\"]", "`run` belongs to `kind = \"local\"`, and [platform] says `kind");
    check("container = \"api\"", "name = \"API\"", "`API` is no name of a Service");
    check("container = \"api\"", "replicas = 0", "leave it away for as many as serve");
    check("[\"192.0.2.11:30180\", \"192.0.2.12:30180\"]", "[]", "at least one address, `node:nodePort`");
    check("192.0.2.11:30181", "192.0.2.11:30180", "192.0.2.11:30180 is blue's as well");
    check("namespace = \"physioflow-prod\"", "namespace = \"Prod\"", "`Prod` is no namespace");
    check("kubeconfig = \"/etc/teal/kubeconfig\"", "context = \"home\"", "a context is one of a kubeconfig");
    check("user = ", "peers = [\"edge\"]\nuser = ", "`edge` stands there twice");
    let found = mistakes(&KUBERNETES.replace("user = ", "[environments.prod.switch]\nby = \"selector\"\n#"));
    assert!(found.len() == 2 && found[0].contains("`map` is an edge's"), "{found:#?}");
    check(
        "user = \"cookie:uid\"",
        "[environments.prod.switch]\nby = \"service\"",
        "`service` is not one of edge, selector",
    );
    let local = |to: &str, words: &str| {
        let found = mistakes(&format!("{LEAST}{to}\n"));
        assert!(found.len() == 1 && found[0].contains(words), "{to}: {found:#?}");
    };
    local("secrets = true", "`secrets` belongs to `kind = \"kubernetes\"`");
    let found = mistakes(&format!("{LEAST}[environments.prod.switch]\nby = \"selector\"\n"));
    assert!(found.iter().any(|found| found.contains("a selector is one of a cluster's Services")), "{found:#?}");
    local("[platform]\nkubeconfig = \"/k\"", "`kubeconfig` leads to a cluster");
    local("[environments.prod]\nnamespace = \"x\"", "a namespace is one of a cluster");
}

#[test]
fn settings_take_components_in_name_order_with_their_own_rates() {
    let settings = read(TWO_COMPONENTS).settings("prod").unwrap();
    let rates: Vec<_> =
        settings.components.iter().map(|c| (c.name.as_str(), c.criteria.acceptable_error_rate)).collect();
    assert_eq!(rates, [("api", 0.01), ("web", 0.005)]);
    assert_eq!(settings.steps.iter().map(|s| s.share.get()).collect::<Vec<_>>(), [10_000, 50_000]);
    assert_eq!(settings.retain, Duration::from_secs(86_400));
    assert_eq!(settings.salt.as_str(), "physioflow-prod");
}

#[test]
fn a_component_is_judged_by_its_own_words_before_those_of_its_environment() {
    let text = format!(
        r#"{}
[watch]
alpha = 0.0001
rho = 2
latency = "50%"
bad = {{ status = [429], retries = false }}
probes = {{ below = 0.5 }}
[environments.prod.watch]
rho = 3
probes = "off"
[components.api.watch]
rho = 4.5
bad.not = ["501", "520-529"]
ignore_paths = ["/ping"]
[environments.prod.components.api.watch]
latency = "off"
latency_limit = "300ms"
"#,
        LEAST.replace("ports", "routes = [{ name = \"a\", path = \"/a\" }]\nports")
    );
    let config = read(&text);
    let (watch, component) = (&config.environments["prod"].watch, &config.environments["prod"].components["api"]);
    let api = &component.watch;
    assert_eq!((watch.criteria.rho, watch.criteria.latency), (3.0, Latency::Slower(50_000)));
    assert_eq!((api.alpha, api.rho, api.latency, api.probes), (0.000_1, 4.5, Latency::Off, Probes::Off));
    assert_eq!(component.routes[0].latency, Duration::from_millis(300), "what a route leaves open its component says");
    let words = |all: &[Statuses]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (words(&api.bad.status), words(&api.bad.not)),
        (vec!["5xx".into(), "429".into()], vec!["501".into(), "520-529".into()])
    );
    assert!(!api.bad.retries && api.ignore_paths == ["/ping"] && watch.criteria.ignore_paths.len() == 2);
    let criteria = &config.settings("prod").unwrap().components[0].criteria;
    assert_eq!((criteria.alpha, criteria.rho, criteria.latency, criteria.groups.len()), (0.000_1, 4.5, None, 1));
    assert_eq!(read(&config.effective()), config);
}

#[test]
fn probes_that_are_off_for_all_can_be_on_for_one() {
    let check = |component: &str, probes: Probes| {
        let text = format!("{LEAST}\n[watch]\nprobes = \"off\"\n[components.api.watch]\n{component}\n");
        assert_eq!(read(&text).environments["prod"].components["api"].watch.probes, probes, "{component}");
    };
    let on = |below, every| Probes::Below { below, every: Duration::from_millis(every) };
    check("", Probes::Off);
    check("probes = {}", on(1.0, 1_000));
    check("probes = { below = 5, every = \"250ms\" }", on(5.0, 250));
}

#[test]
fn an_unknown_environment_names_the_nearest() {
    let error = read(TWO_COMPONENTS).settings("stagign").unwrap_err().to_string();
    assert_eq!(error, "there is no environment `stagign` in the configuration; did you mean `staging`?");
}

#[test]
fn relative_paths_start_from_the_folder_of_the_file() {
    let config = read(&LEAST.replace("/var/lib/teal", "run"));
    assert_eq!(config.agent.socket, Path::new("/etc/teal/run/agent.sock"));
}

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
fn the_shape_in_the_design_reads() {
    let text = r#"
app = "physioflow"
state = "/var/lib/teal"
[environments.prod]
mode = "act"
confirm = "DEPLOY"
url = "https://physioflow.example"
[environments.prod.edge]
map = "/etc/haproxy/teal/prod.map"
socket = "/run/haproxy/teal.sock"
user = "cookie:uid"
[platform]
kind = "local"
[components.api]
run = ["/srv/api/{version}/api", "--port", "{port}"]
ports = "8100-8109"
ready = "/healthz"
routes = [{ name = "patients", path = "/api/v1/patients", latency = "800ms" }]
[smoke]
suite = "/etc/teal/smoke.toml"
[watch]
min = "5m"
max = "30m"
on_unknown = "keep"
acceptable_error_rate = "1%"
ignore_paths = ["/healthz", "/metrics"]
retain = [{ for = "24h", replicas = "full" }]
[notify]
command = ["/usr/local/bin/ntfy-send"]
"#;
    assert_eq!(read(text).environments["prod"].confirm.as_deref(), Some("DEPLOY"));
}

#[test]
fn an_inline_smoke_suite_is_handed_on_as_written() {
    let config = read(&format!("{LEAST}\n[[smoke.checks]]\nname = \"front\"\npath = \"/\"\n"));
    assert_eq!(config.environments["prod"].smoke.inline["checks"][0]["name"].as_str(), Some("front"));
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
fn flags_are_served_where_there_is_a_table_and_to_others_only_over_tls() {
    assert_eq!(read(LEAST).flags, None);
    let listen = |text: &str| read(&format!("{LEAST}[flags]\n{text}")).flags.unwrap().listen.to_string();
    assert_eq!(listen(""), "127.0.0.1:9181");
    assert_eq!(listen("listen = \"[::1]:80\""), "[::1]:80");
    let check = |text: &str, words: &str| {
        let found = mistakes(&format!("{LEAST}[flags]\n{text}"));
        assert!(found.len() == 1 && found[0].contains(words), "{found:#?}");
    };
    check(
        "listen = \"10.0.0.7:9181\"",
        "10.0.0.7:9181 can be reached by other machines, and tokens would travel in clear",
    );
    let tls = "tls_certificate_file = \"c.pem\"\ntls_key_file = \"k.pem\"\n";
    assert_eq!(listen(&format!("listen = \"10.0.0.7:9181\"\n{tls}")), "10.0.0.7:9181");
    assert_eq!(listen("listen = \"10.0.0.7:9181\"\ninsecure_http = true"), "10.0.0.7:9181");
    check("listen = \"127.0.0.1:9180\"", "is `agent.listen` as well");
    check("lisen = \"127.0.0.1:9181\"", "did you mean `listen`?");
    let flags =
        read(&format!("{LEAST}[flags]\npostgres_file = \"/etc/teal/flags.dsn\"\nmigrate = false\n")).flags.unwrap();
    assert_eq!((flags.postgres_file, flags.migrate), (Some("/etc/teal/flags.dsn".into()), false));
    check("postgres_fil = \"/etc/teal/flags.dsn\"", "did you mean `postgres_file`?");
    check("tls_key_file = \"k.pem\"", "flags.tls_key_file: a key needs its certificate");
    check("tls_certificate_file = \"c.pem\"", "flags.tls_certificate_file: a certificate needs its key");
    check("insecure_htp = true", "did you mean `insecure_http`?");
    check("legacy_anonymous = [\"GET /metrics\"]", "`GET /metrics` can not be opened to everybody");
    check("trusted_proxies = [\"10.0.0.0/33\"]", "`10.0.0.0/33` is not a network");
    check("origins = [\"app.example\"]", "`app.example` is no origin");
    check("origins = [\"https://app.example:443\"]", "write \"https://app.example\"");
    check("origins = [\"http://app.example:80\"]", "write \"http://app.example\"");
    for (key, value) in [("postgres_file", "\"/etc/x\""), ("migrate", "false")] {
        let line = format!("upstream = \"https://flags.internal\"\n{key} = {value}");
        check(&line, &format!("flags.{key}: a relay keeps no flags"));
    }
    check("hosts = [\"https://flags.internal\"]", "is no host's name");
    check("person_header = \"X User\"", "`X User` is no header's name");
    // Whatever is there by mistake is not repeated.
    check("first_token = \"teal_0123456789ab_5ec7e7\"", "flags.first_token: this is the digest of a token");
    assert!(!mistakes(&format!("{LEAST}[flags]\nfirst_token = \"5ec7e7\"\n"))[0].contains("5ec7e7"));
    check("limits = { streams_per_token = 0 }", "0 is not between 1 and 1000000");
    check("limits = { connections = 1300 }", "flags.limits: 1280 streams leave too few of 1300 connections");
}
