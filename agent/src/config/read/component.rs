//! `[components.NAME]`.

use std::path::PathBuf;
use std::time::Duration;

use super::super::section::Section;
use super::super::types::{Component, RouteGroup};
use super::{criteria, is_name, path_check};

/// What may stand in braces in `run` and `stop`.
const PLACEHOLDERS: [&str; 6] = ["version", "port", "colour", "slot", "component", "environment"];

/// The most route groups of a component: a log line carries 1 to 32.
const MAX_ROUTES: usize = 32;

/// Reads one component; `watch` is what its environment says of all.
pub(super) fn read(section: Section<'_>, watch: Section<'_>) -> Component {
    let watch = criteria::of_component(section.table("watch"), watch, criteria::error_rate(&section));
    let component = Component {
        run: section.required("run", "[\"/srv/app/{version}/app\", \"--port\", \"{port}\"]"),
        stop: section.or("stop", Vec::new()),
        env_file: section.optional("env_file"),
        working_dir: section.or::<PathBuf>("working_dir", section.report.base.to_owned()),
        ports: section.required("ports", "\"8100-8109\""),
        replicas: section.or("replicas", 1),
        ready: section.or("ready", "/healthz".to_owned()),
        ready_timeout: section.or("ready_timeout", Duration::from_secs(120)),
        grace: section.or("grace", Duration::from_secs(10)),
        hosts: section.or("hosts", Vec::new()),
        paths: section.or("paths", Vec::new()),
        routes: routes(&section, watch.latency_limit),
        watch,
    };
    if section.has("run") && component.run.is_empty() {
        section.error("run", "a command needs at least its program");
    }
    for (key, command) in [("run", &component.run), ("stop", &component.stop)] {
        for placeholder in command.iter().flat_map(|word| placeholders(word)) {
            if !PLACEHOLDERS.contains(&placeholder) {
                let known = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(" ");
                section.error(key, format!("`{{{placeholder}}}` is not filled in; known: {known}"));
            }
        }
    }
    let room = component.ports.per_colour();
    if component.replicas == 0 {
        section.error("replicas", "this must be at least 1");
    } else if section.has("ports") && room > 0 && component.replicas > room {
        let replicas = component.replicas;
        let message = format!("{replicas} replicas of two colours need {} ports", u32::from(replicas) * 2);
        section.error("ports", format!("`{}` is too short: {message}", component.ports));
    }
    path_check(&section, "ready", &component.ready);
    for path in &component.paths {
        path_check(&section, "paths", path);
    }
    if component.ready_timeout.is_zero() {
        section.error("ready_timeout", "this must be more than 0");
    }
    section.finish();
    component
}

fn routes(section: &Section<'_>, latency: Duration) -> Vec<RouteGroup> {
    let mut routes: Vec<RouteGroup> = Vec::new();
    for route in section.list("routes").unwrap_or_default() {
        let group = RouteGroup {
            name: route.required("name", "\"patients\""),
            path: route.required("path", "\"/api/v1/patients\""),
            latency: route.or("latency", latency),
        };
        if route.has("name") && (!is_name(&group.name) || routes.iter().any(|other| other.name == group.name)) {
            let name = &group.name;
            route.error("name", format!("route name `{name}` must match [a-z][a-z0-9-]{{0,29}} and be unique"));
        }
        if route.has("path") {
            path_check(&route, "path", &group.path);
        }
        if group.latency.is_zero() {
            route.error("latency", "this must be more than 0");
        }
        route.finish();
        routes.push(group);
    }
    if routes.len() > MAX_ROUTES {
        section.error("routes", format!("{} routes are too many: at most {MAX_ROUTES} have a group", routes.len()));
    }
    routes
}

/// The words in braces; braces around anything but a plain word are the program's own.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        (!word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).then_some(word)
    })
}
