//! `[components.NAME]`.

use std::time::Duration;

use super::super::section::Section;
use super::super::types::{Component, PlatformKind, RouteGroup};
use super::{criteria, is_name, path_check, runs};

/// The most route groups of a component: a log line carries 1 to 32.
const MAX_ROUTES: usize = 32;

/// Reads the component called `name`; `watch` is what its environment says of all.
pub(super) fn read(section: Section<'_>, watch: Section<'_>, kind: PlatformKind, app: &str, name: &str) -> Component {
    let beside = criteria::error_rate(&section);
    let watch = criteria::of_component(section.table("watch"), watch, beside);
    if beside.is_some() {
        section.shown_as("acceptable_error_rate", "watch.acceptable_error_rate");
    }
    let component = Component {
        runs: runs::read(&section, kind, app, name),
        ready: section.or("ready", "/healthz".to_owned()),
        ready_timeout: section.or("ready_timeout", Duration::from_secs(120)),
        hosts: section.or("hosts", Vec::new()),
        paths: section.or("paths", Vec::new()),
        routes: routes(&section, watch.latency_limit),
        watch,
    };
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
