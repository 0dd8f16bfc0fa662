//! What a site is to be made of, and its start.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use teal_agent::client::Client;
use teal_rollout::document::Document;
use teal_rollout::policy::Salt;
use teal_testkit::{HaProxy, Mode, free_port, free_ports};

use super::agent::Agent;
use super::apps::{Apps, Left};
use super::traffic::Traffic;
use super::{ENVIRONMENT, Site, TEAL, teal};

/// A site that does not run yet.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    components: Vec<String>,
    /// Shortest and longest watch, milliseconds.
    watch: (u64, u64),
    rps: u32,
    mode: Mode,
    /// Requests and bad ones that every component is taken to have had before.
    baseline: Option<(u64, u64)>,
    first: Option<String>,
    /// What users ask for under each component's paths, in turn.
    asked: Vec<String>,
    replicas: u16,
    more: String,
    exchanged: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    cluster: Option<OnCluster>,
}

/// Where the components run, when it is not under the agent.
#[derive(Clone, Debug)]
pub(crate) struct OnCluster {
    /// How the API server is reached.
    pub(crate) kubeconfig: String,
    /// The ports of blue and green by component.
    pub(crate) ports: BTreeMap<String, [u16; 2]>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            components: Vec::new(),
            watch: (1_000, 3_000),
            rps: 200,
            mode: Mode::MasterWorker,
            baseline: Some((30_000, 150)),
            first: Some("v1".to_owned()),
            asked: vec!["/home".to_owned()],
            replicas: 1,
            more: String::new(),
            exchanged: Vec::new(),
            variables: Vec::new(),
            cluster: None,
        }
    }
}

#[expect(dead_code, reason = "a vocabulary: not every word is used by the tests of today")]
impl Plan {
    /// With one more component; without any there is one, `app`, that takes every path. With several each has the
    /// paths under `/NAME`.
    pub(crate) fn component(mut self, name: &str) -> Self {
        self.components.push(name.to_owned());
        self
    }

    /// The shortest and the longest watch, in milliseconds; 1 s and 3 s unless told.
    pub(crate) fn watch(mut self, min: u64, max: u64) -> Self {
        self.watch = (min, max);
        self
    }

    /// Requests a second, 200 unless told.
    pub(crate) fn rps(mut self, rps: u32) -> Self {
        self.rps = rps;
        self
    }

    /// What users ask for in turn, `/home` or `POST /home`; only the first unless told.
    pub(crate) fn asked(mut self, paths: &[&str]) -> Self {
        self.asked = paths.iter().map(|path| (*path).to_owned()).collect();
        self
    }

    /// Instances of each component and colour; one unless told.
    pub(crate) fn replicas(mut self, replicas: u16) -> Self {
        self.replicas = replicas;
        self
    }

    /// How HAProxy is run: with a master unless told.
    pub(crate) fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Without a history of the old colour: judged by `acceptable_error_rate` alone.
    pub(crate) fn no_baseline(mut self) -> Self {
        self.baseline = None;
        self
    }

    /// Without a first release and traffic: an environment nobody has released to.
    pub(crate) fn empty(mut self) -> Self {
        self.first = None;
        self
    }

    /// On a cluster, whose nodes run the components; without a first release.
    pub(crate) fn on_cluster(mut self, cluster: OnCluster) -> Self {
        self.components = cluster.ports.keys().cloned().collect();
        self.cluster = Some(cluster);
        self.empty()
    }

    /// More lines of `teal.toml`, whole tables.
    pub(crate) fn more(mut self, toml: &str) -> Self {
        let _ = writeln!(self.more, "{toml}");
        self
    }

    /// Exchanges a piece of `teal.toml` that is there otherwise.
    pub(crate) fn exchange(mut self, from: &str, to: &str) -> Self {
        self.exchanged.push((from.to_owned(), to.to_owned()));
        self
    }

    /// An environment variable of the agent's first process.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts HAProxy and the agent, releases `v1` and lets the traffic flow.
    pub(crate) async fn start(mut self) -> Site {
        if self.components.is_empty() {
            self.components.push("app".to_owned());
        }
        self.components.sort();
        let temporary = teal_testkit::folder();
        let folder = temporary.path().to_owned();
        let [edge, metrics] = [(); 2].map(|()| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
        fs::create_dir(folder.join("faults")).unwrap();
        fs::write(folder.join("teal.toml"), self.configuration(&folder, edge, metrics)).unwrap();
        fs::write(folder.join("edge.map"), format!("policy {}\n", self.document().policy())).unwrap();
        let rendered = String::from_utf8(teal(&folder, &["proxy", "render"])).unwrap();

        // In this order, so that each ends whatever fails after it.
        let left = Left::of(&folder);
        let haproxy = HaProxy::start(temporary, &rendered, self.mode).await;
        let apps = Apps::of(&folder);
        let paths = self.components.iter().flat_map(|name| {
            let prefix = self.prefix(name);
            self.asked.iter().map(move |path| path.replacen('/', &format!("{prefix}/"), 1))
        });
        let mut site = Site {
            traffic: Traffic::new(edge, self.rps, paths.collect()),
            agent: Agent::new(self.baseline),
            apps,
            haproxy,
            _left: left,
            edge,
            metrics,
            client: Client::new(folder.join("state/agent.sock")),
            components: self.components.clone(),
            folder,
        };
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        site.start_agent_with(&variables).await;
        if let Some(version) = &self.first {
            site.first(version).await;
            site.traffic.begin().await;
        }
        site
    }

    fn document(&self) -> Document {
        let salt = Salt::try_from(format!("site-{ENVIRONMENT}")).unwrap();
        Document::new(self.components.clone(), salt, vec!["edge".to_owned()])
    }

    /// The paths of a component begin with it.
    fn prefix(&self, name: &str) -> String {
        if self.components.len() > 1 { format!("/{name}") } else { String::new() }
    }

    fn configuration(&self, folder: &Path, edge: SocketAddr, metrics: SocketAddr) -> String {
        let [state, map, socket, faults] =
            ["state", "edge.map", "edge.sock", "faults"].map(|name| text(&folder.join(name)));
        let program = text(Path::new(TEAL));
        let (min, max) = self.watch;
        let mut toml = format!(
            r#"app = "site"
state = {state}

[agent]
listen = "{metrics}"

[environments.{ENVIRONMENT}]
mode = "act"

[environments.{ENVIRONMENT}.edge]
bind = ["{edge}"]
map = {map}
socket = {socket}

[environments.{ENVIRONMENT}.switch]
drain = "1s"

[watch]
min = "{min}ms"
max = "{max}ms"
min_requests = 20
"#
        );
        if let Some(cluster) = &self.cluster {
            let _ = write!(toml, "\n[platform]\nkind = \"kubernetes\"\nkubeconfig = \"{}\"\n", cluster.kubeconfig);
        }
        for name in &self.components {
            let prefix = self.prefix(name);
            let paths = if prefix.is_empty() { String::new() } else { format!("paths = [\"{prefix}\"]\n") };
            let runs = self.cluster.as_ref().map_or_else(
                || {
                    let (ports, replicas) = (free_ports(2 * self.replicas), self.replicas);
                    format!(
                        r#"run = [{program}, "sample-app", "--port", "{{port}}", "--version", "{{version}}", "--colour", "{{colour}}", "--faults", {faults}]
ports = "{}-{}"
replicas = {replicas}
grace = "1s""#,
                        ports.start(),
                        ports.end()
                    )
                },
                |cluster| {
                    let [blue, green] = cluster.ports[name];
                    format!("blue = [\"127.0.0.1:{blue}\"]\ngreen = [\"127.0.0.1:{green}\"]")
                },
            );
            let _ = write!(
                toml,
                r#"
[components.{name}]
{runs}
ready = "/healthz"
{paths}routes = [{{ name = "home", path = "{prefix}/home", latency = "800ms" }}]

[[smoke.checks]]
name = "{name}"
component = "{name}"
path = "/version"
status = 200
"#
            );
        }
        for (from, to) in &self.exchanged {
            assert!(toml.contains(from), "`{from}` is not in the configuration");
            toml = toml.replace(from, to);
        }
        toml + &self.more
    }
}

/// A path as a TOML string.
fn text(path: &Path) -> toml::Value {
    toml::Value::String(path.to_str().unwrap().to_owned())
}
