//! What to type to `kubectl`, each line for a shell as it stands: by the way to the API server that the configuration names.

use std::path::PathBuf;

use teal_rollout::colour::Colour;

use super::page::quoted;

/// The Services of an environment on Kubernetes, whose selectors say which colour a client within the cluster gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Their namespace.
    pub namespace: String,
    /// Their names, one a component.
    pub services: Vec<String>,
    /// The kubeconfig of the configuration; `None` where the agent runs in the cluster, and whoever types uses their own.
    pub kubeconfig: Option<PathBuf>,
    /// Its context, where that is not the current one.
    pub context: Option<String>,
}

impl Cluster {
    /// Points a Service at a colour.
    #[must_use]
    pub fn points(&self, service: &str, colour: Colour) -> String {
        let patch = format!("{{\"spec\":{{\"selector\":{{\"version\":\"{colour}\"}}}}}}");
        format!("{} patch service {service} --type merge -p '{patch}'", self.kubectl())
    }

    /// Shows which colour each Service points at.
    pub(super) fn selectors(&self) -> String {
        let columns = "custom-columns=NAME:.metadata.name,COLOUR:.spec.selector.version";
        format!("{} get service {} -o {columns}", self.kubectl(), self.services.join(" "))
    }

    /// Shows how many Pods of each colour are ready.
    pub(super) fn ready(&self) -> String {
        let colours = |service: &String| Colour::BOTH.map(|colour| format!("{service}-{colour}")).join(" ");
        let names: Vec<String> = self.services.iter().map(colours).collect();
        let columns = "custom-columns=NAME:.metadata.name,READY:.status.readyReplicas";
        format!("{} get deployment {} -o {columns}", self.kubectl(), names.join(" "))
    }

    fn kubectl(&self) -> String {
        let option = |name: &str, value: String| format!(" --{name} {}", quoted(&value));
        let file = self.kubeconfig.as_ref().map(|path| option("kubeconfig", path.display().to_string()));
        let context = self.context.clone().map(|context| option("context", context));
        format!("kubectl{}{} -n {}", file.unwrap_or_default(), context.unwrap_or_default(), self.namespace)
    }
}
