//! `[platform]`.

use super::super::section::Section;
use super::super::types::{Platform, PlatformKind};

/// Reads what runs the application.
pub(super) fn read(section: Section<'_>) -> Platform {
    let platform = Platform {
        kind: section.or("kind", PlatformKind::Local),
        kubeconfig: section.optional("kubeconfig"),
        context: section.optional("context"),
    };
    if platform.kind == PlatformKind::Local {
        for key in ["kubeconfig", "context"].into_iter().filter(|key| section.has(key)) {
            section.error(key, format!("`{key}` leads to a cluster: add `kind = \"kubernetes\"`, or remove it"));
        }
    } else if platform.context.is_some() && platform.kubeconfig.is_none() {
        section.error("context", "a context is one of a kubeconfig: add `kubeconfig = \"/etc/teal/kubeconfig\"`");
    }
    section.finish();
    platform
}
