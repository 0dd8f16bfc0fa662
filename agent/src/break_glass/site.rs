//! What a page needs to know of an environment that does not change from page to page.

use std::path::{Path, PathBuf};

use teal_rollout::settings::Mode;

use super::kubectl::Cluster;
use crate::config::{BindAddress, Config, Environment, PlatformKind, SwitchBy};

/// What does not change from page to page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The application's name.
    pub app: String,
    /// The environment's.
    pub environment: String,
    /// This machine's.
    pub host: String,
    /// Where the configuration stands; `None` where `teal` finds it by itself.
    pub configuration: Option<PathBuf>,
    /// How far the agent's hand reaches.
    pub mode: Mode,
    /// Whether HAProxy switches; if not, the selectors of Services do, and nothing else.
    pub has_proxy: bool,
    /// The policy map, as HAProxy's configuration names it.
    pub map: PathBuf,
    /// The Runtime API's socket.
    pub socket: PathBuf,
    /// The components' names, in the order of the policy's routes.
    pub components: Vec<String>,
    /// An address that answers like the edge, as this machine reaches it.
    pub url: Option<String>,
    /// Who is told by itself.
    pub tells: Tells,
    /// Where the application runs, if that is a cluster.
    pub cluster: Option<Cluster>,
}

/// Whom `[notify]` tells. Never an address: that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Nobody.
    Nobody,
    /// A program of this machine, perhaps a webhook as well.
    Command(Vec<String>),
    /// A webhook.
    Webhook,
}

impl Site {
    /// What the configuration says of an environment; `configuration` is where it stands.
    #[must_use]
    pub fn new(config: &Config, name: &str, environment: &Environment, configuration: Option<&Path>) -> Self {
        let plain = environment.edge.bind.iter().find_map(|bind| match (&bind.address, &bind.certificate) {
            (BindAddress::Tcp(address), None) if address.ip().is_unspecified() => {
                Some(format!("http://127.0.0.1:{}/", address.port()))
            }
            (BindAddress::Tcp(address), None) => Some(format!("http://{address}/")),
            _ => None,
        });
        let notify = &config.notify;
        let webhook = notify.webhook.is_some() || notify.webhook_file.is_some();
        let workloads = environment.components.values().filter_map(|component| component.runs.workload());
        Self {
            app: config.app.clone(),
            environment: name.to_owned(),
            host: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
            configuration: configuration.map(Path::to_owned),
            mode: environment.mode,
            has_proxy: environment.switch.by == SwitchBy::Edge,
            map: environment.edge.map.clone(),
            socket: environment.edge.socket.clone(),
            components: environment.components.keys().cloned().collect(),
            url: plain.or_else(|| environment.url.clone()),
            tells: match (notify.command.is_empty(), webhook) {
                (false, _) => Tells::Command(notify.command.clone()),
                (true, true) => Tells::Webhook,
                (true, false) => Tells::Nobody,
            },
            cluster: (config.platform.kind == PlatformKind::Kubernetes).then(|| Cluster {
                namespace: environment.namespace.clone().unwrap_or_default(),
                services: workloads.map(|workload| workload.name.clone()).collect(),
                kubeconfig: config.platform.kubeconfig.clone(),
                context: config.platform.context.clone(),
            }),
        }
    }
}
