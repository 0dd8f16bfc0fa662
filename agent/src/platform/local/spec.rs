//! What one instance runs: written by the agent, read by its shim, kept until the next release of the colour.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;

use super::settings::{LocalComponent, LocalSettings, RestartPolicy};
use super::template::{self, Values};

/// One instance, with every placeholder filled in and every path absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    /// A new UUID with each shim: its proof of identity, and `TEAL_INSTANCE` of the processes it starts.
    pub(super) instance: String,
    pub(super) environment: String,
    pub(super) component: String,
    pub(super) colour: Colour,
    /// 1 ..= replicas.
    pub(super) slot: u16,
    pub(super) version: String,
    pub(super) release: u64,
    pub(super) port: u16,
    pub(super) run: Vec<String>,
    pub(super) stop: Option<Vec<String>>,
    pub(super) working_dir: PathBuf,
    /// The snapshot, not the operator's file.
    pub(super) env_file: Option<PathBuf>,
    pub(super) ready: String,
    pub(super) ready_interval: Duration,
    pub(super) grace: Duration,
    pub(super) restart: RestartPolicy,
    pub(super) output_limit: u64,
}

impl Spec {
    /// As people are told: `api-green s1`.
    pub(super) fn label(&self) -> String {
        format!("{}-{} s{}", self.component, self.colour, self.slot)
    }
}

/// What a colour is meant to run. It stays as it was at the start of the release, whatever the configuration says since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Desired {
    pub(super) version: String,
    pub(super) release: u64,
    /// One for each slot, in order; their `instance` is empty.
    pub(super) instances: Vec<Spec>,
    /// How many of them run, the first ones, where the colour is kept as the way back in fewer; all where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<usize>,
}

impl Desired {
    pub(super) fn new(
        settings: &LocalSettings,
        component: &LocalComponent,
        colour: Colour,
        version: &str,
        release: u64,
        env_file: Option<&Path>,
    ) -> std::io::Result<Self> {
        let here = std::env::current_dir()?;
        let working_dir = component.working_dir.as_ref().map_or_else(|| here.clone(), |dir| here.join(dir));
        let instance = |(port, slot): (u16, u16)| {
            let values =
                Values { environment: &settings.environment, component: &component.name, colour, slot, version, port };
            let fill = |command: &Vec<String>| command.iter().map(|word| template::fill(word, values)).collect();
            Spec {
                instance: String::new(),
                environment: settings.environment.clone(),
                component: component.name.clone(),
                colour,
                slot,
                version: version.to_owned(),
                release,
                port,
                run: fill(&component.run),
                stop: component.stop.as_ref().map(fill),
                working_dir: working_dir.clone(),
                env_file: env_file.map(Path::to_owned),
                ready: component.ready.clone(),
                ready_interval: component.ready_interval,
                grace: component.grace,
                restart: component.restart,
                output_limit: component.output_limit,
            }
        };
        let instances = component.ports_of(colour).zip(1..).map(instance).collect();
        Ok(Self { version: version.to_owned(), release, instances, kept: None })
    }

    /// Those that run.
    pub(super) fn running(&self) -> &[Spec] {
        let kept = self.kept.unwrap_or(self.instances.len());
        self.instances.get(..kept).unwrap_or(&self.instances)
    }
}
