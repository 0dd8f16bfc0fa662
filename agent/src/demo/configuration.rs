//! The demo's own `teal.toml`: one component with two ports, one environment behind one HAProxy.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use teal_rollout::document::Document;
use teal_rollout::policy::{PolicyError, Salt};

use super::{COMPONENT, ENVIRONMENT};

/// Everything that `teal.toml` has to say; `Display` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The folder that holds all of the demo.
    pub folder: PathBuf,
    /// This program, which is the sample app as well.
    pub program: PathBuf,
    /// Where users come in.
    pub edge: SocketAddr,
    /// The agent's metrics.
    pub metrics: SocketAddr,
    /// Blue's port; green's is the next.
    pub first_port: u16,
    /// Length of a watch in seconds.
    pub watch: u64,
    /// Requests that a watch has to see to be proven.
    pub min_requests: u64,
    /// Seed of the sample app's dice.
    pub seed: u64,
}

/// No free ports.
#[derive(Debug, thiserror::Error)]
#[error("no {0} free ports in a row between {first} and {last} on 127.0.0.1", first = PORTS.start, last = PORTS.end)]
pub struct NoPorts(u16);

/// Below the ports that Linux gives to outgoing connections (from 32,768), so that the load itself cannot take one.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The first of `count` free ports in a row on 127.0.0.1.
///
/// # Errors
/// When a hundred places in a row are taken.
pub fn free_ports(count: u16) -> Result<u16, NoPorts> {
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut places = std::iter::repeat_with(|| fastrand::u16(PORTS.start..PORTS.end - count)).take(100);
    places.find(|first| (*first..first + count).all(free)).ok_or(NoPorts(count))
}

impl Configuration {
    /// Where `name` stands in the demo's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The agent's socket, where `teal.toml` leaves it by default.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("state").join("agent.sock")
    }

    /// The policy map as it stands before the first release: HAProxy does not start without one.
    ///
    /// # Errors
    /// Never, as long as the salt is a salt.
    pub fn first_map(&self) -> Result<String, PolicyError> {
        let salt = Salt::try_from(format!("{ENVIRONMENT}-{ENVIRONMENT}"))?;
        let document = Document::new([COMPONENT.to_owned()], salt, vec!["edge".to_owned()]);
        Ok(format!("policy {}\n", document.policy()))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { edge, metrics, first_port, watch, min_requests, seed, .. } = self;
        let [state, map, socket, faults] =
            ["state", "edge.map", "edge.sock", "faults"].map(|name| text(&self.path(name)));
        let (program, last_port, longest) = (text(&self.program), first_port + 1, watch * 3);
        write!(
            f,
            r#"# Written by `teal demo`, and gone with it.
app = "{ENVIRONMENT}"
state = {state}

[agent]
listen = "{metrics}"

[environments.{ENVIRONMENT}]
mode = "act"
url = "http://{edge}"

[environments.{ENVIRONMENT}.edge]
bind = ["{edge}"]
map = {map}
socket = {socket}

[environments.{ENVIRONMENT}.switch]
drain = "2s"

[components.{COMPONENT}]
run = [{program}, "sample-app", "--port", "{{port}}", "--version", "{{version}}", "--colour", "{{colour}}", "--faults", {faults}, "--seed", "{seed}"]
ports = "{first_port}-{last_port}"
ready = "/healthz"
grace = "2s"
routes = [
  {{ name = "home", path = "/home", latency = "800ms" }},
  {{ name = "patients", path = "/api/patients", latency = "800ms" }},
]

# The sample app answers these two paths well whatever its fault is: a release that only its users can tell is bad.
[[smoke.checks]]
name = "health"
component = "{COMPONENT}"
path = "/healthz"
status = 200

[[smoke.checks]]
name = "version"
component = "{COMPONENT}"
path = "/version"
status = 200

[watch]
min = "{watch}s"
max = "{longest}s"
min_requests = {min_requests}
"#
        )
    }
}

/// A path as a TOML string.
fn text(path: &Path) -> toml::Value {
    toml::Value::String(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use teal_rollout::colour::Colour;

    use super::*;

    fn sample() -> Configuration {
        Configuration {
            folder: PathBuf::from("/tmp/teal-demo-x \"y\""),
            program: PathBuf::from("/usr/bin/teal"),
            edge: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            metrics: SocketAddr::from((Ipv4Addr::LOCALHOST, 9180)),
            first_port: 8100,
            watch: 10,
            min_requests: 100,
            seed: 1,
        }
    }

    #[test]
    fn the_configuration_is_toml_whatever_its_folder_is_called() {
        let read: toml::Table = sample().to_string().parse().unwrap();
        assert_eq!(read["state"].as_str(), Some("/tmp/teal-demo-x \"y\"/state"));
        let app = &read["components"]["app"];
        assert_eq!(app["ports"].as_str(), Some("8100-8101"));
        assert_eq!(app["run"][3].as_str(), Some("{port}"));
        assert_eq!(read["smoke"]["checks"].as_array().map(Vec::len), Some(2));
        assert_eq!(read["watch"]["max"].as_str(), Some("30s"));
    }

    #[test]
    fn teal_takes_it_and_would_start_with_the_same_map() {
        let folder = tempfile::tempdir().unwrap();
        let sample = Configuration { folder: folder.path().to_owned(), ..sample() };
        let file = sample.path("teal.toml");
        std::fs::write(&file, sample.to_string()).unwrap();
        let config = crate::config::load(Some(&file)).unwrap().config;
        let environment = &config.environments[ENVIRONMENT];
        assert_eq!(environment.edge.map, sample.path("edge.map"));
        assert_eq!(environment.switch.salt.as_str(), "demo-demo");
        assert_eq!(environment.components[COMPONENT].addresses(Colour::Green)[0].port(), 8101);
        assert_eq!((config.agent.socket, config.agent.listen), (sample.socket(), sample.metrics));
    }

    #[test]
    fn the_first_map_routes_everything_to_blue() {
        assert_eq!(sample().first_map().unwrap(), "policy v1:0.0.open:blue:blue:0:demo-demo:0\n");
    }

    #[test]
    fn free_ports_stand_in_a_row_and_can_be_opened() {
        let first = free_ports(4).unwrap();
        let _open: Vec<_> =
            (first..first + 4).map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
    }
}
