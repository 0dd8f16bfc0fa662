//! Reading as a whole: what is common, what is relative, where a newcomer starts.

use super::*;

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
fn relative_paths_start_from_the_folder_of_the_file() {
    let config = read(&LEAST.replace("/var/lib/teal", "run"));
    assert_eq!(config.agent.socket, Path::new("/etc/teal/run/agent.sock"));
}

#[test]
fn an_inline_smoke_suite_is_handed_on_as_written() {
    let config = read(&format!("{LEAST}\n[[smoke.checks]]\nname = \"front\"\npath = \"/\"\n"));
    assert_eq!(config.environments["prod"].smoke.inline["checks"][0]["name"].as_str(), Some("front"));
}

#[test]
fn a_newcomer_starts_in_observe_mode() {
    for text in [LEAST, &FIRST.replace("{app}", "shop")] {
        assert_eq!(read(text).environments["prod"].mode, Mode::Observe);
    }
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
