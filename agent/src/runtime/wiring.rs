//! From the configuration to what each port takes. The one place that knows both sides.

mod cluster;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::settings::Settings;

pub use self::cluster::{cluster_settings, kubernetes_settings, selector_settings, workloads};

use crate::config::{
    Bad, Bind, BindAddress, Component, Config, Edge, Environment, Evidence, JwtAlgorithm, Smoke, Statuses, UserSource,
};
use crate::controller::GateComponent;
use crate::notifier;
use crate::platform::local::{LocalComponent, LocalSettings, RestartPolicy};
use crate::proxy::haproxy::render::{
    self, EdgeConfig, EdgeRoute, Endpoint, InvalidCidr, Listener, ServerConnections, Timeouts, UserSource as RenderUser,
};
use crate::proxy::haproxy::settings::{BadWhen, EdgeComponent, EdgeSettings, LatencyLimits, LogSource};
use crate::smoke::{Suite, SuiteError};

/// Bytes of an instance's output kept before its file is rotated.
const OUTPUT_LIMIT: u64 = 10 * 1024 * 1024;
/// How often a ready instance is asked whether it still is.
const READY_INTERVAL: Duration = Duration::from_millis(500);

/// Why a configuration that reads well cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The smoke suite.
    #[error("environments.{environment}.smoke: {error}")]
    Smoke {
        /// Whose.
        environment: String,
        /// Why.
        error: SuiteError,
    },
    /// `[notify]`.
    #[error(transparent)]
    Notify(#[from] notifier::SettingsError),
    /// A file that holds a secret.
    #[error("{key} names {path}, which cannot be read: {error}")]
    SecretFile {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// `user = "jwt:CLAIM"` without what a token is verified with.
    #[error("environments.{environment}.edge.user: a claim (`{claim}`) needs `jwt_algorithm` and `jwt_key_file`")]
    Jwt {
        /// Whose.
        environment: String,
        /// The claim.
        claim: String,
    },
    /// `trusted_proxies`.
    #[error("environments.{environment}.edge.trusted_proxies: {error}")]
    TrustedProxies {
        /// Whose.
        environment: String,
        /// Why.
        error: InvalidCidr,
    },
}

/// What HAProxy's Runtime API adapter needs of an environment.
#[must_use]
pub fn edge_settings(name: &str, environment: &Environment) -> EdgeSettings {
    let component = |(name, component): (&String, &Component)| {
        let mut limits = LatencyLimits::uniform(component.watch.latency_limit);
        for (group, route) in (1u8..).zip(&component.routes) {
            limits.set(group, route.latency);
        }
        EdgeComponent { name: name.clone(), limits, bad: bad_when(&component.watch.bad) }
    };
    let edge = &environment.edge;
    let port = |bind: &Bind| match bind.address {
        BindAddress::Tcp(address) => Some(address.port()),
        BindAddress::Unix(_) | BindAddress::Abstract(_) => None,
    };
    EdgeSettings {
        environment: name.to_owned(),
        components: environment.components.iter().map(component).collect(),
        map: edge.map.clone(),
        socket: edge.socket.clone(),
        ports: edge.bind.iter().filter_map(port).collect(),
        master_socket: edge.master_socket.clone(),
        log: match &edge.evidence {
            Evidence::Ring => LogSource::Ring,
            Evidence::Datagram(path) => LogSource::Datagram(path.clone()),
        },
        timeout: EdgeSettings::TIMEOUT,
    }
}

fn bad_when(bad: &Bad) -> BadWhen {
    let ranges = |all: &[Statuses]| all.iter().map(|s| s.first..=s.last).collect::<Vec<_>>();
    BadWhen::new(&ranges(&bad.status), &ranges(&bad.not), bad.retries)
}

/// What the local platform needs of an environment.
#[must_use]
pub fn local_settings(config: &Config, name: &str, environment: &Environment, teal_binary: &Path) -> LocalSettings {
    // With workloads of a cluster nothing runs here.
    let component = |(name, c): (&String, &Component)| {
        let processes = c.runs.processes()?;
        Some(LocalComponent {
            name: name.clone(),
            run: processes.run.clone(),
            stop: (!processes.stop.is_empty()).then(|| processes.stop.clone()),
            env_file: processes.env_file.clone(),
            working_dir: Some(processes.working_dir.clone()),
            ports: processes.ports.first..=processes.ports.last,
            replicas: processes.replicas,
            ready: c.ready.clone(),
            ready_interval: READY_INTERVAL,
            grace: processes.grace,
            restart: RestartPolicy::default(),
            output_limit: OUTPUT_LIMIT,
        })
    };
    LocalSettings {
        environment: name.to_owned(),
        state_dir: config.state.clone(),
        components: environment.components.iter().filter_map(component).collect(),
        teal_binary: teal_binary.to_owned(),
    }
}

/// What HAProxy's configuration is written from.
///
/// # Errors
/// [`WiringError::Jwt`] and [`WiringError::TrustedProxies`].
pub fn render_config(name: &str, environment: &Environment) -> Result<EdgeConfig, WiringError> {
    let edge = &environment.edge;
    let timeouts = &edge.timeouts;
    let component = |(name, c): (&String, &Component)| render::EdgeComponent {
        name: name.clone(),
        hosts: c.hosts.clone(),
        paths: c.paths.clone(),
        blue: c.addresses(Colour::Blue),
        green: c.addresses(Colour::Green),
        ready: c.ready.clone(),
        routes: c.routes.iter().map(|r| EdgeRoute { name: r.name.clone(), path: r.path.clone() }).collect(),
        ignore_paths: c.watch.ignore_paths.clone(),
    };
    Ok(EdgeConfig {
        environment: name.to_owned(),
        listeners: edge.bind.iter().map(listener).collect(),
        map: edge.map.clone(),
        runtime_socket: edge.socket.clone(),
        admin_socket: edge.admin_socket.clone(),
        master_socket: edge.master_socket.clone().unwrap_or_else(|| beside(&edge.socket, "master")),
        socket_group: edge.socket_group.clone(),
        run_as: edge.run_as.as_ref().map(|r| render::RunAs { user: r.user.clone(), group: r.group.clone() }),
        components: environment.components.iter().map(component).collect(),
        user: user_source(name, edge)?,
        // A node port stays when its Pods go; a process takes its port with it.
        connections: if environment.components.values().any(|c| c.runs.processes().is_none()) {
            ServerConnections::Fresh
        } else {
            ServerConnections::Kept
        },
        timeouts: Timeouts {
            client: timeouts.client,
            connect: timeouts.connect,
            server: timeouts.server,
            check: timeouts.check,
            request: timeouts.request,
            keep_alive: timeouts.keep_alive,
            tunnel: timeouts.tunnel,
            hard_stop_after: timeouts.hard_stop_after,
        },
    })
}

fn listener(bind: &Bind) -> Listener {
    let endpoint = match &bind.address {
        BindAddress::Tcp(address) => Endpoint::Tcp(*address),
        BindAddress::Unix(path) => Endpoint::Unix(path.clone()),
        BindAddress::Abstract(name) => Endpoint::Abstract(name.clone()),
    };
    Listener { endpoint, certificate: bind.certificate.clone() }
}

fn user_source(name: &str, edge: &Edge) -> Result<RenderUser, WiringError> {
    Ok(match &edge.user {
        UserSource::None => RenderUser::None,
        UserSource::Cookie(cookie) => RenderUser::Cookie { name: cookie.clone() },
        UserSource::Header(header) => RenderUser::Header {
            name: header.clone(),
            trusted: edge
                .trusted_proxies
                .iter()
                .map(|range| range.parse())
                .collect::<Result<_, _>>()
                .map_err(|error| WiringError::TrustedProxies { environment: name.to_owned(), error })?,
        },
        UserSource::Jwt(claim) => match (edge.jwt_algorithm, &edge.jwt_key_file) {
            (Some(algorithm), Some(key)) => {
                RenderUser::Jwt { claim: claim.clone(), algorithm: signature(algorithm), key: key.clone() }
            }
            _ => return Err(WiringError::Jwt { environment: name.to_owned(), claim: claim.clone() }),
        },
    })
}

const fn signature(algorithm: JwtAlgorithm) -> render::JwtAlgorithm {
    match algorithm {
        JwtAlgorithm::Rs256 => render::JwtAlgorithm::Rs256,
        JwtAlgorithm::Rs384 => render::JwtAlgorithm::Rs384,
        JwtAlgorithm::Rs512 => render::JwtAlgorithm::Rs512,
        JwtAlgorithm::Es256 => render::JwtAlgorithm::Es256,
        JwtAlgorithm::Es384 => render::JwtAlgorithm::Es384,
        JwtAlgorithm::Es512 => render::JwtAlgorithm::Es512,
    }
}

/// `/run/teal.sock` and `master` make `/run/teal-master.sock`.
fn beside(socket: &Path, what: &str) -> PathBuf {
    let stem = socket.file_stem().unwrap_or_default().to_string_lossy();
    socket.with_file_name(format!("{stem}-{what}.sock"))
}

/// The smoke suite of an environment; `None` where none is configured.
///
/// # Errors
/// [`WiringError::Smoke`].
pub fn suite(name: &str, smoke: &Smoke) -> Result<Option<Arc<Suite>>, WiringError> {
    let wrong = |error| WiringError::Smoke { environment: name.to_owned(), error };
    if let Some(path) = &smoke.suite {
        return Suite::load(path).map(|s| Some(Arc::new(s))).map_err(wrong);
    }
    if smoke.inline.is_empty() {
        return Ok(None);
    }
    Suite::from_table(smoke.inline.clone()).map(|s| Some(Arc::new(s))).map_err(wrong)
}

/// What may be probed, component by component.
#[must_use]
pub fn gate_components(environment: &Environment, suite: Option<&Suite>) -> Vec<GateComponent> {
    let component = |(name, c): (&String, &Component)| {
        let routes: Vec<_> = c.routes.iter().map(|r| (r.path.clone(), r.latency)).collect();
        GateComponent::new(name.clone(), Colour::BOTH.map(|colour| c.addresses(colour)), &routes, suite)
            .sampled_within(c.watch.latency_limit)
    };
    environment.components.iter().map(component).collect()
}

/// Without a reading check of the smoke suite there is nothing to ask a component with little traffic.
pub fn only_what_can_be_probed(settings: &mut Settings, gates: &[GateComponent]) {
    for (component, gate) in settings.components.iter_mut().zip(gates) {
        component.criteria.probes = component.criteria.probes.filter(|_| gate.can_be_sampled());
    }
}

/// Who is told.
///
/// # Errors
/// [`WiringError::Notify`] and [`WiringError::SecretFile`].
pub fn notifier_settings(config: &Config) -> Result<notifier::Settings, WiringError> {
    let notify = &config.notify;
    let from_file = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        let key = "notify.webhook_file";
        text.map(|t| t.trim().to_owned()).map_err(|error| WiringError::SecretFile { key, path: path.clone(), error })
    };
    let url = match (&notify.webhook, &notify.webhook_file) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(path)) => Some(from_file(path)?),
        (None, None) => None,
    };
    Ok(notifier::Settings {
        command: (!notify.command.is_empty()).then(|| notifier::CommandSettings::new(&notify.command)).transpose()?,
        webhook: url.as_deref().map(notifier::WebhookSettings::new).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_reaches_the_edge_as_it_was_configured() {
        let range = |first, last| Statuses { first, last };
        let bad = Bad {
            status: vec![range(500, 599), range(429, 429)],
            not: vec![range(501, 501), range(520, 529)],
            retries: false,
        };
        let when = bad_when(&bad);
        let found: Vec<i64> =
            [200, 404, 429, 500, 501, 519, 520, 529, 530].into_iter().filter(|s| when.is_bad(*s)).collect();
        assert_eq!((found, when.counts_retries()), (vec![429, 500, 519, 530], false));
        assert_eq!(bad_when(&Bad::default()), BadWhen::default());
    }

    #[test]
    fn without_a_reading_check_there_is_nothing_to_probe() {
        let text = crate::config::TWO_COMPONENTS.replace("suite = \"smoke.toml\"", "");
        let config = crate::config::parse(&text, Path::new("/etc/teal")).0.unwrap();
        let table = "[[checks]]\nname = \"list\"\ncomponent = \"api\"\npath = \"/api/v1/patients\"".parse().unwrap();
        let suite = Suite::from_table(table).unwrap();
        let mut settings = config.settings("prod").unwrap();
        let environment = config.environment("prod").unwrap();
        only_what_can_be_probed(&mut settings, &gate_components(environment, Some(&suite)));
        let probed: Vec<_> = settings.components.iter().map(|c| c.criteria.probes.is_some()).collect();
        assert_eq!(probed, [true, false], "api has a check, web has none");
    }
}
