//! An agent that is an observer and nothing else: no store, no edge, no orders; metrics, health and a socket that knows no environment.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Agent, RuntimeError, lock, watch};
use crate::cluster::client::connect;
use crate::config::{Config, Observer};
use crate::http;
use crate::observer::{self, Place, Settings};
use crate::runtime::wiring;

/// What the downward API calls the node in a Pod's environment.
const NODE: &str = "NODE_NAME";

impl Agent {
    /// Starts one.
    pub(super) async fn observe(
        config: &Config,
        observer: &Observer,
        door: &mut Option<http::Door>,
    ) -> Result<Self, RuntimeError> {
        let lock = lock::take(&config.state)?;
        let public = http::bind(config.agent.listen).await?;
        let settings = settings(config, observer, std::env::var(NODE).ok().filter(|node| !node.is_empty()))?;
        let cluster = connect(&wiring::cluster_settings(&config.platform)).await?;
        let shutdown = CancellationToken::new();
        let shown =
            Arc::new(http::Shown { app: config.app.clone(), environments: Vec::new(), relay: None, flags: None });
        let server = http::start(shown, &config.agent.socket, door.take(), public, None, shutdown.child_token())?;
        let (watch, ends) = watch::watch();
        let (name, node) = (settings.name.clone(), settings.node.clone());
        let tasks = match observer::spawn(settings, &cluster.client, &shutdown) {
            Ok(tasks) => tasks,
            Err(error) => {
                shutdown.cancel();
                server.ended().await.close();
                return Err(error.into());
            }
        };
        tracing::info!(name, node, edges = observer.report_to.join(", "), "the Pods of a node are watched");
        let over = |(part, task): (String, JoinHandle<()>)| {
            watch.over(part, async move {
                // A panic was reported where it happened.
                let _ = task.await;
            })
        };
        let parts = tasks.into_iter().map(over).collect();
        Ok(Self { environments: Vec::new(), server, flags: None, parts, ends, shutdown, _lock: lock })
    }
}

/// What it is to do; `here` is the node that it runs on, where the system says so.
fn settings(config: &Config, observer: &Observer, here: Option<String>) -> Result<Settings, RuntimeError> {
    let place = |(name, observed): (&String, &crate::config::Observed)| Place {
        environment: name.clone(),
        namespace: observed.namespace.clone(),
        workloads: observed.components.values().map(|component| component.name.clone()).collect(),
    };
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    Ok(Settings {
        name: observer.name.clone().or_else(|| here.clone()).unwrap_or_else(host),
        node: observer.node.clone().or(here).ok_or(RuntimeError::Node)?,
        places: config.observed.iter().map(place).collect(),
        edges: observer.report_to.clone(),
        token_file: observer.token_file.clone(),
        ca_file: observer.ca_file.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_the_configured_one_or_that_of_the_pod() {
        let check = |named: &str, here: Option<&str>, expected: Option<(&str, &str)>| {
            let text = format!(
                "app = \"shop\"\nstate = \"/s\"\nplatform.kind = \"kubernetes\"\nenvironments.prod = {{}}\ncomponents.api = {{}}\n\
                 [agent]\nroles = [\"observer\"]\nreport_to = [\"https://e\"]\ntoken_file = \"/t\"\n{named}"
            );
            let config = crate::config::parse(&text, std::path::Path::new("/")).0.unwrap();
            let found = settings(&config, config.agent.observer.as_ref().unwrap(), here.map(str::to_owned));
            let found = found.ok().map(|found| (found.name, found.node));
            assert_eq!(found, expected.map(|(name, node)| (name.to_owned(), node.to_owned())), "{named}");
        };
        check("", Some("n1"), Some(("n1", "n1")));
        check("name = \"o\"", Some("n1"), Some(("o", "n1")));
        check("name = \"o\"\nnode = \"n2\"", Some("n1"), Some(("o", "n2")));
        check("name = \"o\"", None, None);
    }
}
