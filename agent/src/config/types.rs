//! The validated configuration. Serialised it is a `teal.toml` with every default filled in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::Salt;
use teal_rollout::retention::{Replicas, Stage};
use teal_rollout::settings::{Mode, OnUnknown};

use super::criteria::Criteria;
use super::edge::Edge;
use super::flags::FlagService;
use super::observing::{Observed, Observer, Observers};
use super::runs::Runs;
use super::text::{serialize_duration, serialize_percent};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The application's name, `[a-z][a-z0-9-]{0,29}`.
    pub app: String,
    /// The folder of everything Teal keeps: database, sockets, output of processes.
    pub state: PathBuf,
    /// The agent itself.
    pub agent: Agent,
    /// What runs the application.
    pub platform: Platform,
    /// Who is told.
    pub notify: Notify,
    /// The flag service; without the table the agent serves no flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<FlagService>,
    /// Where the agent listens to agents on the nodes; without the table it watches alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observers: Option<Observers>,
    /// At least one, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// What an observer watches instead, at least one, by name.
    #[serde(rename = "environments", skip_serializing_if = "BTreeMap::is_empty")]
    pub observed: BTreeMap<String, Observed>,
}

/// `[agent]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agent {
    /// The operators' unix socket; default `{state}/agent.sock`.
    pub socket: PathBuf,
    /// Metrics and health; default `127.0.0.1:9180`.
    pub listen: SocketAddr,
    /// On a node, where it is an observer and nothing else.
    #[serde(flatten)]
    pub observer: Option<Observer>,
}

/// `[platform]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Default `local`.
    pub kind: PlatformKind,
    /// How the cluster is reached; without it as a Pod in it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig; default its current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// What runs the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformKind {
    /// Processes on this machine.
    #[default]
    Local,
    /// Deployments and Services of a cluster.
    Kubernetes,
}

/// `[notify]`: neither means that nobody is told, which deploys say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Notify {
    /// Program and arguments; the message comes on its standard input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// An `http://` or `https://` address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// A file that holds the address, where the address itself is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_file: Option<PathBuf>,
}

/// `[environments.NAME]`, with what is common to all environments already merged in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Environment {
    /// How far Teal's hand reaches; default `observe`.
    pub mode: Mode,
    /// The word that a deploy asks to type unless `--yes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// Where users find it, for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it is in the cluster, with `platform.kind = "kubernetes"`; default `APP-ENVIRONMENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its HAProxy.
    pub edge: Edge,
    /// How traffic moves.
    pub switch: Switch,
    /// How the new colour is judged.
    pub watch: Watch,
    /// What is checked before any traffic moves.
    pub smoke: Smoke,
    /// 1 to 16, by name; the index in this order is the component's id everywhere.
    pub components: BTreeMap<String, Component>,
}

/// `[environments.NAME.switch]`: how traffic moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Switch {
    /// What moves users: the edge, or on Kubernetes the Services' selectors alone; default `edge`.
    pub by: SwitchBy,
    /// Partial shares before everything; empty means at once.
    pub steps: Vec<Step>,
    /// How long the edges may take to acknowledge; default 5 s.
    #[serde(serialize_with = "serialize_duration")]
    pub timeout: Duration,
    /// How long requests in flight may go on before a colour is stopped; default 30 s.
    #[serde(serialize_with = "serialize_duration")]
    pub drain: Duration,
    /// Salt of the canary buckets; default `APP-ENVIRONMENT`.
    pub salt: Salt,
}

/// What moves users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SwitchBy {
    /// HAProxy, request by request.
    #[default]
    Edge,
    /// The selector of each component's Service: an edge that nobody may touch goes on sending to it. Nothing is seen of
    /// requests then, and a switch is as atomic as the cluster's own.
    Selector,
}

/// One partial step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Above 0 %, below 100 %, more than the step before.
    #[serde(serialize_with = "serialize_percent")]
    pub share: Share,
    /// How long it is watched.
    #[serde(serialize_with = "serialize_duration")]
    pub hold: Duration,
}

/// `[watch]`: how the new colour is judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watch {
    /// The shortest watch; default 5 min.
    #[serde(serialize_with = "serialize_duration")]
    pub min: Duration,
    /// The longest; default 30 min.
    #[serde(serialize_with = "serialize_duration")]
    pub max: Duration,
    /// What happens at its end when nothing is proven; default `keep`.
    pub on_unknown: OnUnknown,
    /// Ask the old colour before a rollback; default true.
    pub confirm: bool,
    /// What the components are judged by that say nothing else.
    #[serde(flatten)]
    pub criteria: Criteria,
    /// How long the old colour is kept after the watch; default 24 h at full capacity.
    pub retain: Vec<Retain>,
}

/// One stage of keeping the old colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Retain {
    /// Its length.
    #[serde(rename = "for", serialize_with = "serialize_duration")]
    pub length: Duration,
    /// Its capacity.
    #[serde(serialize_with = "serialize_replicas")]
    pub replicas: Replicas,
}

impl Retain {
    pub(super) const fn of_machine(&self) -> Stage {
        Stage { length: self.length, replicas: self.replicas }
    }
}

fn serialize_replicas<S: Serializer>(replicas: &Replicas, to: S) -> Result<S::Ok, S::Error> {
    match replicas {
        Replicas::Full => to.serialize_str("full"),
        Replicas::Count(count) => to.serialize_u16(*count),
    }
}

/// `[smoke]`: a file with the suite, or the checks in place. Their own fields are the smoke suite's to judge.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Smoke {
    /// A TOML file with the suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<PathBuf>,
    /// The suite in place, as written: `checks`, `allow_writes`, ...
    #[serde(flatten)]
    pub inline: toml::Table,
}

/// `[components.NAME]`, with an environment's own values merged over it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Component {
    /// What runs it.
    #[serde(flatten)]
    pub runs: Runs,
    /// The path of its readiness check; default `/healthz`.
    pub ready: String,
    /// How long it may take to become ready; default 2 min.
    #[serde(serialize_with = "serialize_duration")]
    pub ready_timeout: Duration,
    /// Host names that lead to it; without hosts and paths it gets what no other component takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Path prefixes that lead to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Route groups 1 to 32 in this order; group 0 is any other path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteGroup>,
    /// What its candidates are judged by.
    pub watch: Criteria,
}

/// Requests that are counted together and have their own latency limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteGroup {
    /// Its name in evidence and messages.
    pub name: String,
    /// The path prefix.
    pub path: String,
    /// A client that gives up later than this counts as bad; default the component's `latency_limit`.
    #[serde(serialize_with = "serialize_duration")]
    pub latency: Duration,
}

impl Component {
    /// Where a colour listens, as the edge sees it.
    #[must_use]
    pub fn addresses(&self, colour: Colour) -> Vec<SocketAddr> {
        self.runs.addresses(colour)
    }
}
