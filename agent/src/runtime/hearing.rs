//! The door at which an edge's agent listens to agents on the nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{RuntimeError, wiring};
use crate::access::{Directory, FirstToken, Record, Role, Roles};
use crate::cluster::nodes::Heard;
use crate::config::{Config, Observers};
use crate::flags::now;
use crate::http::TlsFiles;
use crate::http::access::{self, FromHere};
use crate::http::observations::{Open, Settings, Told, start as open};

/// Requests a second of all observers, which share a token, and of one address. Each tells once a second while nothing happens.
const PER_TOKEN: u32 = 5_000;
const PER_ADDRESS: u32 = 200;

/// Opens it, if there is to be one.
pub(super) async fn start(
    config: &Config,
    heard: &BTreeMap<String, Heard>,
    shutdown: &CancellationToken,
) -> Result<Option<JoinHandle<()>>, RuntimeError> {
    let Some(observers) = &config.observers else { return Ok(None) };
    let told = |(name, heard): (&String, &Heard)| {
        let workloads = config.environments.get(name).map(wiring::workloads).unwrap_or_default();
        (name.clone(), Told { workloads, heard: heard.clone() })
    };
    let Open { address, task } =
        open(heard.iter().map(told).collect(), settings(observers), shutdown.child_token()).await?;
    tracing::info!(%address, "agents on the nodes are heard");
    if observers.tls_certificate_file.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "observers.insecure_http: tokens travel in clear");
    }
    Ok(Some(task))
}

fn settings(observers: &Observers) -> Settings {
    let pair = observers.tls_certificate_file.clone().zip(observers.tls_key_file.clone());
    let (_, tokens) = tokio::sync::watch::channel(Arc::new(Directory::new(observers.tokens.iter().map(record))));
    Settings {
        listen: observers.listen,
        tls: pair.map(|(certificate, key)| TlsFiles { certificate, key }),
        access: access::Settings {
            tokens,
            from_here: FromHere::Token,
            legacy: Vec::new(),
            trusted_proxies: Vec::new(),
            person_header: HeaderName::from_static("x-teal-user"),
            hosts: Vec::new(),
            origins: Vec::new(),
            per_token: PER_TOKEN,
            per_address: PER_ADDRESS,
        },
    }
}

fn record(token: &FirstToken) -> Record {
    let roles = Roles::of(&[Role::Observer]);
    Record { name: "observer".to_owned(), roles, ..Record::first(token, now()) }
}
