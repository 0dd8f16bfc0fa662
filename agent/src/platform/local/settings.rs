//! What the local platform runs, where, and how patient it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;

use super::template;

/// The local platform of one environment.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// The environment's name; a folder of the state is called so.
    pub environment: String,
    /// The agent's state folder; the local platform lives in `local/ENVIRONMENT` below it.
    pub state_dir: PathBuf,
    /// In the order of their names; the index is the component's id.
    pub components: Vec<LocalComponent>,
    /// The program that `shim` is a subcommand of: this very binary.
    pub teal_binary: PathBuf,
}

/// How one component runs on this machine.
///
/// `run` and `stop` may hold the placeholders `{version}`, `{port}`, `{colour}`, `{slot}`, `{component}` and
/// `{environment}`; braces around anything that is not a lower-case word pass by.
#[derive(Clone, Debug)]
pub struct LocalComponent {
    /// Its name.
    pub name: String,
    /// Program and arguments. The program stays in the foreground and ends on SIGTERM.
    pub run: Vec<String>,
    /// A command that ends it gracefully, in place of SIGTERM (`docker stop ...`).
    pub stop: Option<Vec<String>>,
    /// `KEY=VALUE` lines, copied when a colour starts so that the way back has its old configuration.
    pub env_file: Option<PathBuf>,
    /// Where it runs; the agent's own folder when `None`.
    pub working_dir: Option<PathBuf>,
    /// The first half of the range is blue's, the second half green's.
    pub ports: RangeInclusive<u16>,
    /// Instances a colour, at least 1.
    pub replicas: u16,
    /// The path that answers 200..=399 when the instance can serve.
    pub ready: String,
    /// How often a ready instance is asked; one that is not ready yet is asked every 100 ms at most.
    pub ready_interval: Duration,
    /// How long an instance may take to finish before it is killed.
    pub grace: Duration,
    /// How it is restarted.
    pub restart: RestartPolicy,
    /// Bytes of output kept in a file before it is rotated; twice this is on disk at most, an instance.
    pub output_limit: u64,
}

/// How an instance that exits is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// Wait before the first restart; it doubles with each further one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// An instance that ran this long has settled: its next restart is a first one again.
    pub settled: Duration,
    /// Exits in a row, none after a settled run, that make a crash loop.
    pub crash_loop: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
            settled: Duration::from_secs(10),
            crash_loop: 3,
        }
    }
}

/// Why the local platform's settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalSettingsError {
    /// A name that cannot be a folder.
    #[error("the name `{0}` must be letters, digits, `-`, `_` and `.`, and start with a letter or digit")]
    Name(String),
    /// No program.
    #[error("components.{0}.{1} is empty: give the program and its arguments")]
    Command(String, &'static str),
    /// A placeholder nobody fills in.
    #[error("components.{component}.{field}: unknown placeholder `{{{word}}}`; there are {}", template::listed())]
    Placeholder {
        /// Which component.
        component: String,
        /// `run` or `stop`.
        field: &'static str,
        /// The word between the braces.
        word: String,
    },
    /// A range that runs backwards or begins at 0.
    #[error("components.{component}.ports `{first}-{last}` is not a range of ports: write it as `8100-8109`")]
    Ports {
        /// Which component.
        component: String,
        /// As configured.
        first: u16,
        /// As configured.
        last: u16,
    },
    /// More replicas than half of the range holds, or none.
    #[error(
        "components.{component}.replicas is {replicas}: half of ports `{first}-{last}` is a colour's, room for 1 to {room}"
    )]
    Replicas {
        /// Which component.
        component: String,
        /// As configured.
        replicas: u16,
        /// The range's first port.
        first: u16,
        /// The range's last port.
        last: u16,
        /// Ports a colour.
        room: u16,
    },
    /// Two components want one port.
    #[error("components.{0}.ports and components.{1}.ports overlap: give each its own range")]
    Overlap(String, String),
    /// A readiness path that is none.
    #[error("components.{0}.ready `{1}` is not a path: it starts with `/`, like `/healthz`")]
    Ready(String, String),
}

impl LocalComponent {
    /// A component with one replica a colour, `/healthz` as its readiness path and 30 s to finish.
    #[must_use]
    pub fn new(name: &str, run: Vec<String>, ports: RangeInclusive<u16>) -> Self {
        Self {
            name: name.to_owned(),
            run,
            stop: None,
            env_file: None,
            working_dir: None,
            ports,
            replicas: 1,
            ready: "/healthz".to_owned(),
            ready_interval: Duration::from_millis(500),
            grace: Duration::from_secs(30),
            restart: RestartPolicy::default(),
            output_limit: 4 << 20,
        }
    }

    /// The ports of a colour's instances, slot 1 first.
    pub fn ports_of(&self, colour: Colour) -> impl Iterator<Item = u16> + use<> {
        let first = match colour {
            Colour::Blue => *self.ports.start(),
            Colour::Green => self.ports.start().saturating_add(self.room()),
        };
        (0..self.replicas).map(move |slot| first.saturating_add(slot))
    }

    /// Ports a colour; 0 for a range that is none.
    fn room(&self) -> u16 {
        let length = u32::from(*self.ports.end()) + 1;
        u16::try_from(length.saturating_sub(u32::from(*self.ports.start())) / 2).unwrap_or(u16::MAX)
    }

    fn validate(&self) -> Result<(), LocalSettingsError> {
        let component = || self.name.clone();
        if !is_name(&self.name) {
            return Err(LocalSettingsError::Name(component()));
        }
        for (field, command) in [("run", Some(&self.run)), ("stop", self.stop.as_ref())] {
            let Some(command) = command else { continue };
            if command.first().is_none_or(String::is_empty) {
                return Err(LocalSettingsError::Command(component(), field));
            }
            if let Some(word) = command.iter().find_map(|argument| template::unknown(argument)) {
                return Err(LocalSettingsError::Placeholder { component: component(), field, word: word.to_owned() });
            }
        }
        let (first, last) = (*self.ports.start(), *self.ports.end());
        if first == 0 || last < first {
            return Err(LocalSettingsError::Ports { component: component(), first, last });
        }
        let (replicas, room) = (self.replicas, self.room());
        if replicas == 0 || replicas > room {
            return Err(LocalSettingsError::Replicas { component: component(), replicas, first, last, room });
        }
        if !self.ready.starts_with('/') {
            return Err(LocalSettingsError::Ready(component(), self.ready.clone()));
        }
        Ok(())
    }
}

impl LocalSettings {
    /// Checks what the types alone do not say.
    ///
    /// # Errors
    /// The first rule that is broken, component by component.
    pub fn validate(&self) -> Result<(), LocalSettingsError> {
        if !is_name(&self.environment) {
            return Err(LocalSettingsError::Name(self.environment.clone()));
        }
        for (index, component) in self.components.iter().enumerate() {
            component.validate()?;
            let meets = |other: &&LocalComponent| {
                other.ports.start() <= component.ports.end() && component.ports.start() <= other.ports.end()
            };
            if let Some(other) = self.components[..index].iter().find(meets) {
                return Err(LocalSettingsError::Overlap(other.name.clone(), component.name.clone()));
            }
        }
        Ok(())
    }

    /// Where a colour's instances listen, slot 1 first; empty for a component that there is not.
    #[must_use]
    pub fn addresses(&self, component: usize, colour: Colour) -> Vec<SocketAddr> {
        let ports = self.components.get(component).map(|c| c.ports_of(colour));
        ports.into_iter().flatten().map(|port| (Ipv4Addr::LOCALHOST, port).into()).collect()
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(change: impl FnOnce(&mut LocalComponent)) -> LocalSettings {
        let mut component = LocalComponent::new("api", vec!["/bin/api".into(), "{port}".into()], 8100..=8109);
        change(&mut component);
        LocalSettings {
            environment: "prod".into(),
            state_dir: "/tmp".into(),
            components: vec![component],
            teal_binary: "teal".into(),
        }
    }

    fn ports(settings: &LocalSettings, colour: Colour) -> Vec<u16> {
        settings.addresses(0, colour).iter().map(SocketAddr::port).collect()
    }

    #[test]
    fn the_first_half_of_the_ports_is_blue_and_the_second_green() {
        let settings = one(|c| c.replicas = 2);
        assert_eq!(ports(&settings, Colour::Blue), [8100, 8101]);
        assert_eq!(ports(&settings, Colour::Green), [8105, 8106]);
        let odd = one(|c| c.ports = 8100..=8102);
        assert_eq!((ports(&odd, Colour::Blue), ports(&odd, Colour::Green)), (vec![8100], vec![8101]));
        assert_eq!(settings.addresses(1, Colour::Blue), []);
    }

    #[test]
    fn broken_settings_are_refused_with_the_way_out() {
        let check = |settings: &LocalSettings, expected: &str| {
            let error = settings.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&one(|c| c.name = "../api".into()), "`../api`");
        check(&one(|c| c.run.clear()), "components.api.run is empty");
        check(&one(|c| c.stop = Some(vec![])), "components.api.stop is empty");
        check(&one(|c| c.run.push("--v={verison}".into())), "unknown placeholder `{verison}`; there are {version}");
        #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
        check(&one(|c| c.ports = 8109..=8100), "`8109-8100` is not a range");
        check(&one(|c| c.ports = 0..=9), "`0-9` is not a range");
        check(&one(|c| c.ports = 8100..=8100), "room for 1 to 0");
        check(&one(|c| c.replicas = 6), "replicas is 6: half of ports `8100-8109` is a colour's, room for 1 to 5");
        check(&one(|c| c.replicas = 0), "replicas is 0");
        check(&one(|c| c.ready = "healthz".into()), "starts with `/`");
        let mut two = one(|_| ());
        two.components.push(LocalComponent::new("web", vec!["web".into()], 8109..=8120));
        check(&two, "components.api.ports and components.web.ports overlap");
        two.components[1].ports = 8110..=8119;
        two.validate().unwrap();
        one(|c| c.ports = 1..=u16::MAX).validate().unwrap();
    }
}
