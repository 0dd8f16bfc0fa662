//! One file per part of `teal.toml`: which keys it has, their defaults, and what must hold between them.

mod agent;
mod component;
mod criteria;
mod edge;
mod environment;
mod flags;
mod observed;
mod observers;
mod platform;
mod runs;
mod upstream;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ports::PortRange;
use super::section::Section;
use super::types::{Config, Environment, Notify};

/// The whole file. Values after a mistake are stand-ins: the caller refuses the file when the report has errors.
pub(super) fn config(root: Section<'_>) -> Config {
    let app: String = root.required("app", "\"my-app\"");
    name_check(&root, "app", &app);
    let state: PathBuf = root.required("state", "\"/var/lib/teal\"");
    let agent = agent::read(root.table("agent"), &state);
    let platform = platform::read(root.table("platform"));
    if agent.observer.is_some() {
        let observed = observed::read(&root, &app, platform.kind);
        root.finish();
        let (notify, flags, observers, environments) = (Notify::default(), None, None, BTreeMap::new());
        return Config { app, state, agent, platform, notify, flags, observers, environments, observed };
    }
    let notify = notify(root.table("notify"));
    let flags = root.has("flags").then(|| flags::read(root.table("flags"), &agent));
    let mut taken = vec![("agent.listen", agent.listen)];
    taken.extend(flags.as_ref().map(|flags| ("flags.listen", flags.listen)));
    let observers = root.has("observers").then(|| observers::read(root.table("observers"), &platform, &taken));

    let mut environments = BTreeMap::new();
    let sections = root.table("environments").children();
    // A flag service or relay may be all that an agent is.
    if sections.is_empty() && flags.is_none() {
        root.report.error(&root.place, "no environment: add `[environments.prod]` and `[environments.prod.edge]`");
    }
    for (name, section) in sections {
        if !is_name(&name) {
            root.report.error(&section.place, format!("environment name `{name}` must match [a-z][a-z0-9-]{{0,29}}"));
        }
        if let Some(environment) = environment::read(&name, section, &root, &app, platform.kind) {
            environments.insert(name, environment);
        }
    }
    shared_ports(&root, &environments);
    shared_maps(&root, &environments);

    // Read again with every environment above; asked for here so that they are known.
    for common in ["components", "smoke", "watch"] {
        root.table(common);
    }
    root.finish();
    let observed = BTreeMap::new();
    Config { app, state, agent, platform, notify, flags, observers, environments, observed }
}

fn notify(section: Section<'_>) -> Notify {
    let notify = Notify {
        command: section.or("command", Vec::new()),
        webhook: section.optional("webhook"),
        webhook_file: section.optional("webhook_file"),
    };
    if let Some(url) = &notify.webhook {
        url_check(&section, "webhook", url);
    }
    if notify.webhook.is_some() && notify.webhook_file.is_some() {
        section.error("webhook_file", "`webhook` and `webhook_file` are the same thing: keep one");
    }
    if notify == Notify::default() {
        section.report.warn(
            &section.place,
            "nobody will be told when something goes wrong: set `command` or `webhook` in `[notify]`",
        );
    }
    section.finish();
    notify
}

/// Two environments on one machine cannot listen on the same ports, nor two components.
fn shared_ports(root: &Section<'_>, environments: &BTreeMap<String, Environment>) {
    let mut taken: Vec<(String, PortRange)> = Vec::new();
    for (environment, settings) in environments {
        for (component, settings) in &settings.components {
            let here = format!("environments.{environment}.components.{component}");
            let Some(ports) = settings.runs.processes().map(|processes| processes.ports) else { continue };
            if let Some((other, _)) = taken.iter().find(|(_, range)| range.overlaps(ports)) {
                let message = format!(
                    "{here}: ports {ports} are shared with {other}; give it its own, for instance `ports = \"{}\"` in \
                     `[{here}]`",
                    beyond(ports)
                );
                root.report.error(&root.place_of("components"), message);
            }
            taken.push((here, ports));
        }
    }
}

/// A range of the same length a thousand ports up, as an example.
fn beyond(ports: PortRange) -> PortRange {
    PortRange { first: ports.first.saturating_add(1000), last: ports.last.saturating_add(1000) }
}

/// Exactly one agent owns a map, and a map holds one environment.
fn shared_maps(root: &Section<'_>, environments: &BTreeMap<String, Environment>) {
    let mut seen: Vec<(&Path, &str)> = Vec::new();
    for (name, environment) in environments {
        let map = environment.edge.map.as_path();
        if map.as_os_str().is_empty() {
            continue; // already reported as missing
        }
        if let Some((_, other)) = seen.iter().find(|(path, _)| *path == map) {
            let message =
                format!("environments `{other}` and `{name}` have the same `map` {}: one file each", map.display());
            root.report.error(&root.place_of("environments"), message);
        }
        seen.push((map, name));
    }
}

/// `[a-z][a-z0-9-]{0,29}`: it stands in HAProxy names, metrics and file names.
fn is_name(name: &str) -> bool {
    name.len() <= 30
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn name_check(section: &Section<'_>, key: &'static str, name: &str) {
    if !name.is_empty() && !is_name(name) {
        section.error(key, format!("`{name}` must match [a-z][a-z0-9-]{{0,29}}"));
    }
}

fn path_check(section: &Section<'_>, key: &'static str, path: &str) {
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        section.error(key, format!("`{path}` is not a path: it starts with `/` and has no spaces"));
    }
}

fn url_check(section: &Section<'_>, key: &'static str, url: &str) {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        section.error(key, format!("`{url}` is not an address: it starts with https:// or http://"));
    }
}
