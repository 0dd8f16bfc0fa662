//! What runs a component, in `[components.NAME]`.

use std::path::PathBuf;
use std::time::Duration;

use super::super::runs::{Processes, Runs, Workload};
use super::super::section::Section;
use super::super::types::PlatformKind;

/// What may stand in braces in `run` and `stop`.
const PLACEHOLDERS: [&str; 6] = ["version", "port", "colour", "slot", "component", "environment"];

/// Keys of the other kind, and what to write instead.
const OF_PROCESSES: [&str; 6] = ["run", "stop", "env_file", "working_dir", "ports", "grace"];
const OF_WORKLOADS: [&str; 5] = ["name", "container", "secrets", "blue", "green"];

/// Reads what the platform of this `kind` needs of the component called `component` of `app`.
pub(super) fn read(section: &Section<'_>, kind: PlatformKind, app: &str, component: &str) -> Runs {
    let (foreign, here) = match kind {
        PlatformKind::Local => (&OF_WORKLOADS[..], "local"),
        PlatformKind::Kubernetes => (&OF_PROCESSES[..], "kubernetes"),
    };
    for key in foreign.iter().filter(|key| section.has(key)) {
        let other = if kind == PlatformKind::Local { "kubernetes" } else { "local" };
        section.error(
            key,
            format!(
                "`{key}` belongs to `kind = \"{other}\"`, and [platform] says `kind = \"{here}\"`: change one of them"
            ),
        );
    }
    match kind {
        PlatformKind::Local => Runs::Processes(processes(section)),
        PlatformKind::Kubernetes => Runs::Workload(workload(section, app, component)),
    }
}

fn processes(section: &Section<'_>) -> Processes {
    let processes = Processes {
        run: section.required("run", "[\"/srv/app/{version}/app\", \"--port\", \"{port}\"]"),
        stop: section.or("stop", Vec::new()),
        env_file: section.optional("env_file"),
        working_dir: section.or::<PathBuf>("working_dir", section.report.base.to_owned()),
        ports: section.required("ports", "\"8100-8109\""),
        replicas: section.or("replicas", 1),
        grace: section.or("grace", Duration::from_secs(10)),
    };
    if section.has("run") && processes.run.is_empty() {
        section.error("run", "a command needs at least its program");
    }
    for (key, command) in [("run", &processes.run), ("stop", &processes.stop)] {
        for placeholder in command.iter().flat_map(|word| placeholders(word)) {
            if !PLACEHOLDERS.contains(&placeholder) {
                let known = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(" ");
                section.error(key, format!("`{{{placeholder}}}` is not filled in; known: {known}"));
            }
        }
    }
    let room = processes.ports.per_colour();
    if processes.replicas == 0 {
        section.error("replicas", "this must be at least 1");
    } else if section.has("ports") && room > 0 && processes.replicas > room {
        let replicas = processes.replicas;
        let message = format!("{replicas} replicas of two colours need {} ports", u32::from(replicas) * 2);
        section.error("ports", format!("`{}` is too short: {message}", processes.ports));
    }
    processes
}

fn workload(section: &Section<'_>, app: &str, component: &str) -> Workload {
    let workload = Workload {
        name: workload_name(section, app, component),
        container: section.optional("container"),
        replicas: section.optional("replicas"),
        secrets: section.or("secrets", true),
        blue: section.required("blue", "[\"192.0.2.11:30081\"]"),
        green: section.required("green", "[\"192.0.2.11:30082\"]"),
    };
    if workload.replicas == Some(0) {
        section.error("replicas", "this must be at least 1; leave it away for as many as serve");
    }
    for (key, addresses) in [("blue", &workload.blue), ("green", &workload.green)] {
        if section.has(key) && addresses.is_empty() {
            section.error(key, "at least one address, `node:nodePort`, of the colour's own Service");
        }
    }
    if let Some(both) = workload.blue.iter().find(|address| workload.green.contains(address)) {
        section.error("green", format!("{both} is blue's as well: each colour has a Service of its own"));
    }
    workload
}

/// The name of a component's Service.
pub(super) fn workload_name(section: &Section<'_>, app: &str, component: &str) -> String {
    let name: String = section.or("name", format!("{app}-{component}"));
    // `-green` and the hash of a snapshot follow, in the 63 characters of a name.
    let is_name = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_name {
        section
            .error("name", format!("`{name}` is no name of a Service with room for a colour: [a-z][a-z0-9-]{{0,39}}"));
    }
    name
}

/// The words in braces; braces around anything but a plain word are the program's own.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        (!word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).then_some(word)
    })
}
