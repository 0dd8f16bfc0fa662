//! `[environments.NAME]` of an observer: where the Pods are, and whose they are.

use std::collections::BTreeMap;

use super::super::observing::{Observed, ObservedComponent};
use super::super::section::Section;
use super::super::types::PlatformKind;
use super::{environment, is_name, runs};

/// What an observer has no use for.
const NOT_HERE: [&str; 4] = ["flags", "observers", "watch", "smoke"];

/// All environments of the file.
pub(super) fn read(root: &Section<'_>, app: &str, kind: PlatformKind) -> BTreeMap<String, Observed> {
    for key in NOT_HERE.into_iter().filter(|key| root.has(key)) {
        root.error(key, format!("an observer watches Pods and does nothing else: leave `{key}` away, or its `roles`"));
    }
    // It may stand there, empty, as in what `config show` writes.
    root.table("notify").finish();
    if kind != PlatformKind::Kubernetes {
        let message = "an observer watches the Pods of a node: add `kind = \"kubernetes\"` in [platform]";
        root.report.error(&root.place_of("agent"), message);
    }
    let sections = root.table("environments").children();
    if sections.is_empty() {
        root.report.error(&root.place, "no environment: add `[environments.prod]` with its `namespace`");
    }
    let mut all = BTreeMap::new();
    for (name, section) in sections {
        if !is_name(&name) {
            root.report.error(&section.place, format!("environment name `{name}` must match [a-z][a-z0-9-]{{0,29}}"));
        }
        let mut components = BTreeMap::new();
        for (component, section) in section.table("components").over(root.table("components")).children() {
            let read = ObservedComponent { name: runs::workload_name(&section, app, &component) };
            section.finish();
            components.insert(component, read);
        }
        if components.is_empty() {
            root.report.error(&section.place, "no component: add `[components.app]`, which may be empty");
        }
        let namespace = environment::namespace(&name, &section, app, kind).unwrap_or_default();
        section.finish();
        all.insert(name, Observed { namespace, components });
    }
    all
}
