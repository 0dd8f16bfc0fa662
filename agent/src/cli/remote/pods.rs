//! What a release's Pods wrote last, for the operator's terminal only.
//!
//! When a release is given up its Pods go, and their logs with them: so they are read while it is being deployed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use teal_rollout::colour::Colour;

use crate::cluster::client::connect;
use crate::config::{Loaded, PlatformKind};
use crate::platform::kubernetes;
use crate::runtime::wiring;

/// Lines of each Pod's log that are shown.
const LINES: u16 = 10;
/// Of one line: logs hold whatever the application writes.
const WIDTH: usize = 400;
/// How often they are read while somebody follows a deploy.
const PACE: Duration = Duration::from_secs(3);

/// The last words that were read, by component.
#[derive(Debug, Default)]
pub(in crate::cli) struct LastWords {
    kept: BTreeMap<String, Vec<String>>,
    read: Option<Instant>,
}

impl LastWords {
    /// Reads what the Pods of these components and colours say; once they have said something, only once in a while.
    pub(in crate::cli) async fn keep(&mut self, loaded: &Loaded, environment: &str, candidates: &[(String, Colour)]) {
        let is_cluster = loaded.config.platform.kind == PlatformKind::Kubernetes;
        let is_fresh = !self.kept.is_empty() && self.read.is_some_and(|read| read.elapsed() < PACE);
        if !is_cluster || is_fresh {
            return;
        }
        for (component, colour) in candidates {
            let lines = read(loaded, environment, component, *colour).await.unwrap_or_default();
            if !lines.is_empty() {
                self.kept.insert(component.clone(), lines);
            }
        }
        self.read = Some(Instant::now());
    }

    /// Whether nobody has said anything yet.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// A component's, under a line that says whose they are; nothing where nothing was read.
    pub(in crate::cli) fn of(&self, component: &str) -> Vec<String> {
        let Some(lines) = self.kept.get(component) else { return Vec::new() };
        let clipped = |line: &String| format!("    | {}", line.chars().take(WIDTH).collect::<String>());
        let head = format!("    the Pods of {component} wrote last:");
        std::iter::once(head).chain(lines.iter().map(clipped)).collect()
    }
}

async fn read(loaded: &Loaded, name: &str, component: &str, colour: Colour) -> Option<Vec<String>> {
    let environment = loaded.config.environment(name).ok()?;
    let settings = wiring::kubernetes_settings(environment);
    let index = environment.components.keys().position(|known| known == component)?;
    // Fails only when a provider is installed already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = connect(&wiring::cluster_settings(&loaded.config.platform)).await.ok()?;
    Some(kubernetes::last_lines(&cluster.client, &settings, index, colour, LINES).await)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::{Api, PostParams};
    use serde_json::json;
    use teal_testkit::kubernetes::{ApiServer, Fate, World};

    use super::*;

    #[tokio::test]
    async fn what_pods_wrote_last_is_kept_when_they_are_gone() {
        let server = ApiServer::start();
        let client = server.client();
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": "physioflow-prod"}})).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let labels = json!({"app": "physioflow-api", "version": "green"});
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"name": "physioflow-api-green"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "api", "image": "api:v2"}]},
                },
            },
        }))
        .unwrap();
        let deployments = Api::<Deployment>::namespaced(client.clone(), "physioflow-prod");
        deployments.create(&PostParams::default(), &deployment).await.unwrap();
        let mut world = World::of(&server, "physioflow-prod");
        let log = format!("panic: no database\n{}\n", "x".repeat(2 * WIDTH));
        world.fate("physioflow-api-green", Fate::CrashLoop { restarts: 5, log }).settle().await;

        let folder = teal_testkit::folder();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, server.kubeconfig("admin")).unwrap();
        let text = format!(
            "app = \"physioflow\"\nstate = \"state\"\n[platform]\nkind = \"kubernetes\"\nkubeconfig = \"{}\"\n\
             [environments.prod]\nmode = \"act\"\n[environments.prod.edge]\nmap = \"m\"\nsocket = \"s\"\n[components.api]\n\
             blue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\nready = \"/healthz\"\n",
            kubeconfig.display()
        );
        let path = folder.path().join("teal.toml");
        std::fs::write(&path, text).unwrap();
        let loaded = crate::config::load(Some(&path)).unwrap();

        let mut words = LastWords::default();
        assert!(words.is_empty() && words.of("api").is_empty());
        let candidates = [("api".to_owned(), Colour::Green)];
        words.keep(&loaded, "prod", &candidates).await;
        server.stop().await;
        words.keep(&loaded, "prod", &candidates).await;
        let lines = words.of("api");
        assert_eq!(lines[0], "    the Pods of api wrote last:");
        assert!(lines[1].ends_with("panic: no database"), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() < WIDTH + 10), "a line is clipped");
    }
}
