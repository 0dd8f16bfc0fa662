//! What runs a component: processes on this machine, or a pair of Deployments.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use teal_rollout::colour::Colour;

use super::ports::PortRange;
use super::text::serialize_duration;

/// What runs a component, as the platform's kind says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Runs {
    /// With `platform.kind = "local"`.
    Processes(Processes),
    /// With `platform.kind = "kubernetes"`.
    Workload(Workload),
}

/// Processes on this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Processes {
    /// Program and arguments; `{version} {port} {colour} {slot} {component} {environment}` are filled in.
    pub run: Vec<String>,
    /// A command that stops it, where a signal does not (`docker stop ...`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// `KEY=value` lines; a copy is kept for each colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_file: Option<PathBuf>,
    /// Where it runs; default the folder of the configuration.
    pub working_dir: PathBuf,
    /// First half blue's, second half green's.
    pub ports: PortRange,
    /// Processes per colour; default 1.
    pub replicas: u16,
    /// Between SIGTERM and SIGKILL; default 10 s.
    #[serde(serialize_with = "serialize_duration")]
    pub grace: Duration,
}

/// A pair of Deployments, `NAME-blue` and `NAME-green`, behind the Service `NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// The Service's name, and that of the Deployments without the colour; default `APP-COMPONENT`.
    pub name: String,
    /// The container whose image is the version; needed where a Pod has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Pods per colour; default as many as serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u16>,
    /// Keep a copy of the Secrets for each colour, as of ConfigMaps, so that the way back has its own; default true.
    pub secrets: bool,
    /// Where the edge reaches blue: `node:nodePort` of each node.
    pub blue: Vec<SocketAddr>,
    /// Where it reaches green.
    pub green: Vec<SocketAddr>,
}

impl Runs {
    /// Where a colour listens, as the edge sees it.
    #[must_use]
    pub fn addresses(&self, colour: Colour) -> Vec<SocketAddr> {
        match self {
            Self::Processes(Processes { ports, replicas, .. }) => {
                (0..*replicas).map(|slot| SocketAddr::from((Ipv4Addr::LOCALHOST, ports.port(colour, slot)))).collect()
            }
            Self::Workload(Workload { blue, green, .. }) => match colour {
                Colour::Blue => blue.clone(),
                Colour::Green => green.clone(),
            },
        }
    }

    /// The processes, where it is those.
    #[must_use]
    pub const fn processes(&self) -> Option<&Processes> {
        match self {
            Self::Processes(processes) => Some(processes),
            Self::Workload(_) => None,
        }
    }

    /// The workload, where it is one.
    #[must_use]
    pub const fn workload(&self) -> Option<&Workload> {
        match self {
            Self::Processes(_) => None,
            Self::Workload(workload) => Some(workload),
        }
    }
}
