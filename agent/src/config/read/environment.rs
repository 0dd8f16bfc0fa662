//! `[environments.NAME]` over what is common to all environments.

use std::collections::BTreeMap;
use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::policy::Salt;
use teal_rollout::settings::{MAX_COMPONENTS, Mode};

use super::super::section::Section;
use super::super::types::{Component, Environment, PlatformKind, Smoke, Step, Switch, SwitchBy};
use super::{component, edge, is_name, url_check, watch};

/// Reads one environment; `root` holds the common `[watch]`, `[smoke]` and `[components]`.
pub(super) fn read(
    name: &str,
    section: Section<'_>,
    root: &Section<'_>,
    app: &str,
    kind: PlatformKind,
) -> Option<Environment> {
    let of_all = || section.table("watch").over(root.table("watch"));
    let watch = watch::read(of_all());
    let mut components = BTreeMap::new();
    for (component, component_section) in section.table("components").over(root.table("components")).children() {
        if !is_name(&component) {
            let message = format!("component name `{component}` must match [a-z][a-z0-9-]{{0,29}}");
            root.report.error(&component_section.place, message);
        }
        let read = component::read(component_section, of_all(), kind, app, &component);
        components.insert(component, read);
    }
    component_checks(name, &section, root, &components);

    let switch = switch(section.table("switch"), format!("{app}-{name}"), kind)?;
    let environment = Environment {
        mode: section.or("mode", Mode::Observe),
        confirm: section.optional("confirm"),
        url: section.optional("url"),
        namespace: namespace(name, &section, app, kind),
        edge: edge::read(section.table("edge"), kind, switch.by),
        switch,
        watch,
        smoke: smoke(section.table("smoke").over(root.table("smoke"))),
        components,
    };
    if let Some(url) = &environment.url {
        url_check(&section, "url", url);
    }
    let by_user = !matches!(environment.edge.user, super::super::edge::UserSource::None);
    if !environment.switch.steps.is_empty() && !by_user {
        let message =
            "partial steps need a user's id, or everybody stays on the old colour until 100 %: set `user` in the edge";
        section.report.warn(&section.place_of("switch"), message);
    }
    section.finish();
    Some(environment)
}

pub(super) fn namespace(name: &str, section: &Section<'_>, app: &str, kind: PlatformKind) -> Option<String> {
    let named: Option<String> = section.optional("namespace");
    if kind == PlatformKind::Local {
        if named.is_some() {
            section.error("namespace", "a namespace is one of a cluster: set `kind = \"kubernetes\"` in [platform]");
        }
        return None;
    }
    let namespace = named.unwrap_or_else(|| format!("{app}-{name}"));
    if namespace.len() > 63 || !namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        section.error(
            "namespace",
            format!("`{namespace}` is no namespace: lower-case letters, digits and `-`, at most 63"),
        );
    }
    Some(namespace)
}

fn component_checks(name: &str, section: &Section<'_>, root: &Section<'_>, components: &BTreeMap<String, Component>) {
    let place = if root.has("components") { root.place_of("components") } else { section.place.clone() };
    if components.is_empty() {
        root.report.error(&section.place, "no component: add `[components.app]` with `run` and `ports`");
    } else if components.len() > MAX_COMPONENTS {
        let count = components.len();
        root.report
            .error(&place, format!("environment `{name}` has {count} components, at most {MAX_COMPONENTS} work"));
    }
    let catch_all: Vec<&str> =
        components.iter().filter(|(_, c)| c.hosts.is_empty() && c.paths.is_empty()).map(|(n, _)| n.as_str()).collect();
    if catch_all.len() > 1 {
        let message = format!(
            "{} have neither `hosts` nor `paths`, and only one may take what no other takes: add `paths = [\"/...\"]`",
            catch_all.join(" and ")
        );
        root.report.error(&place, message);
    }
}

fn switch(section: Section<'_>, salt: String, kind: PlatformKind) -> Option<Switch> {
    let mut steps = Vec::new();
    let mut before = Share::NONE;
    for step in section.list("steps").unwrap_or_default() {
        let share: Share = step.required("share", "\"10%\"");
        let hold: Duration = step.required("hold", "\"2m\"");
        if step.has("share") && (share <= before || share >= Share::ALL) {
            step.error("share", format!("{share} is out of order: steps rise, each above 0 % and below 100 %"));
        }
        before = share;
        steps.push(Step { share, hold });
        step.finish();
    }
    let switch = Switch {
        by: section.or("by", SwitchBy::Edge),
        steps,
        timeout: section.or("timeout", Duration::from_secs(5)),
        drain: section.or("drain", Duration::from_secs(30)),
        // Names that make no salt were reported where they stand.
        salt: section.optional("salt").or_else(|| Salt::try_from(salt).ok())?,
    };
    if switch.by == SwitchBy::Selector {
        if kind == PlatformKind::Local {
            section.error("by", "a selector is one of a cluster's Services: set `kind = \"kubernetes\"` in [platform]");
        }
        if !switch.steps.is_empty() {
            section.error("steps", "a selector moves everybody at once: steps need `by = \"edge\"`");
        }
    }
    if switch.timeout.is_zero() {
        section.error("timeout", "this must be more than 0");
    }
    section.finish();
    Some(switch)
}

/// The suite's own keys are passed on; the smoke suite reads them with its own rules.
fn smoke(section: Section<'_>) -> Smoke {
    let suite = section.optional("suite");
    let (report, place) = (section.report, section.place_of("suite"));
    let mut inline = section.into_table();
    inline.remove("suite");
    if suite.is_some() && !inline.is_empty() {
        report.error(&place, "a suite is a file or stands here in place, not both: remove `suite` or the checks");
    }
    Smoke { suite, inline }
}
