//! From the configuration to what the state machine takes.

use std::time::Duration;

use teal_rollout::settings::{ComponentSettings, Settings, SettingsError, Step};

use super::diagnostic::suggest;
use super::types::{Config, Environment, Retain};

/// Why there are no settings for an environment.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoSettings {
    /// The file has no such environment.
    #[error("there is no environment `{name}` in the configuration{near}")]
    Unknown {
        /// As given.
        name: String,
        /// What was perhaps meant.
        near: String,
    },
    /// A rule between values that reading did not catch.
    #[error("environment `{name}`: {error}")]
    Invalid {
        /// Which environment.
        name: String,
        /// The rule.
        error: SettingsError,
    },
}

impl Config {
    /// The environment called `name`.
    ///
    /// # Errors
    /// [`NoSettings::Unknown`] with the nearest name.
    pub fn environment(&self, name: &str) -> Result<&Environment, NoSettings> {
        self.environments.get(name).ok_or_else(|| NoSettings::Unknown {
            name: name.to_owned(),
            near: suggest(name, self.environments.keys().map(String::as_str)),
        })
    }

    /// What the state machine needs to know about the environment called `name`, validated.
    ///
    /// # Errors
    /// An unknown environment, or a rule that is broken.
    pub fn settings(&self, name: &str) -> Result<Settings, NoSettings> {
        let settings = self.environment(name)?.settings();
        settings.validate().map_err(|error| NoSettings::Invalid { name: name.to_owned(), error })?;
        Ok(settings)
    }
}

impl Environment {
    /// The names of all its edges in their order, in which every agent's machine counts them.
    #[must_use]
    pub fn edges(&self) -> Vec<String> {
        let mut edges: Vec<String> = [&self.edge.name].into_iter().chain(&self.edge.peers).cloned().collect();
        edges.sort();
        edges
    }

    /// The place of this agent's own edge among [`Self::edges`].
    #[must_use]
    pub fn own_edge(&self) -> usize {
        self.edge.peers.iter().filter(|peer| **peer < self.edge.name).count()
    }

    /// How long a colour may take to be ready at most, of whatever component.
    #[must_use]
    pub fn longest_start(&self) -> Duration {
        self.components.values().map(|component| component.ready_timeout).max().unwrap_or(Duration::ZERO)
    }

    /// Not yet validated by the machine's own rules: [`Config::settings`] does both.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            mode: self.mode,
            components: self
                .components
                .iter()
                .map(|(name, component)| ComponentSettings {
                    name: name.clone(),
                    criteria: component
                        .watch
                        .of_machine(component.routes.iter().map(|route| route.name.clone()).collect()),
                })
                .collect(),
            edges: self.edges(),
            // Alone it leads by itself; with others whoever holds the lease does.
            own: (!self.edge.peers.is_empty()).then(|| vec![self.own_edge()]),
            salt: self.switch.salt.clone(),
            steps: self.switch.steps.iter().map(|step| Step { share: step.share, hold: step.hold }).collect(),
            watch_min: self.watch.min,
            watch_max: self.watch.max,
            on_unknown: self.watch.on_unknown,
            retain: self.watch.retain.iter().map(Retain::of_machine).collect(),
            deploy_timeout: self.longest_start(),
            switch_timeout: self.switch.timeout,
            drain_timeout: self.switch.drain,
            confirm: self.watch.confirm,
        }
    }
}
