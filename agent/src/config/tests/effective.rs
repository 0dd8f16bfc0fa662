//! What is used when little is said, and that it reads back as itself.

use super::observing::{DIGEST, OBSERVER};
use super::*;

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
    let hears = format!("{KUBERNETES}\n[observers]\ntokens = [\"{DIGEST}\"]\n");
    let (first, everything) = (FIRST.replace("{app}", "shop"), format!("{LEAST}{EVERYTHING}"));
    for text in [LEAST, TWO_COMPONENTS, KUBERNETES, OBSERVER, &hears, &first, &everything] {
        let config = read(text);
        assert_eq!(read(&config.effective()), config);
    }
}

#[test]
fn each_value_says_which_line_it_comes_from() {
    let text = LEAST
        .replace("ports", "acceptable_error_rate = \"2%\"\nroutes = [\n  { name = \"a\", path = \"/a\" },\n]\nports")
        + "[environments.prod.components.api]\nready = \"/up\"\n[watch]\nrho = 2\nprobes = \"off\"\n[components.api.watch]\nrho = 3\n";
    let load::Read { config, sources, .. } = load::read(&text, Path::new("/etc/teal"));
    let config = config.unwrap();
    let check = |key: &str, expected: &str| {
        let said = match sources.of(key) {
            Source::Default => "default".to_owned(),
            Source::File { line, column, key } => format!("{line}:{column} {key}"),
        };
        assert_eq!(said, expected, "{key}");
    };
    check("app", "2:7 app");
    check("agent.socket", "default");
    check("environments.prod.edge.map", "5:7 environments.prod.edge.map");
    check("environments.prod.mode", "default");
    // What is common to all environments, what one says for itself, what a component says for itself.
    check("environments.prod.components.api.run", "8:7 components.api.run");
    check("environments.prod.components.api.ready", "15:9 environments.prod.components.api.ready");
    check("environments.prod.watch.rho", "17:7 watch.rho");
    check("environments.prod.components.api.watch.rho", "20:7 components.api.watch.rho");
    check("environments.prod.components.api.watch.probes", "18:10 watch.probes");
    check("environments.prod.components.api.watch.acceptable_error_rate", "9:25 components.api.acceptable_error_rate");
    check("environments.prod.components.api.routes[0].path", "11:24 components.api.routes.path");
    check("environments.prod.components.api.routes[0].latency", "default");

    let shown = config.effective_with(&sources, "teal.toml");
    assert_eq!(read(&shown), config, "with its comments it is still a configuration");
    let values = config.sources(&sources);
    assert_eq!(shown.matches("  # teal.toml:").count() + shown.matches("  # default").count(), values.len());
    for line in ["app = \"shop\" ", "rho = 3.0 ", "name = \"a\" "] {
        let found = shown.lines().find(|shown| shown.starts_with(line)).unwrap();
        assert!(found.contains("  # teal.toml:"), "{found}");
    }
    let json = serde_json::to_value(values).unwrap();
    assert_eq!(json["environments.prod.mode"], "default");
    assert_eq!(json["app"], serde_json::json!({ "line": 2, "column": 7, "key": "app" }));
}
