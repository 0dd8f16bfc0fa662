//! Who asked for what: what RBAC manifests are compared with.

/// One request, as RBAC sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Used {
    /// The user of the bearer token.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// API group; "" for the core.
    pub group: String,
    /// `pods`, `pods/log`.
    pub resource: String,
    /// "" for the whole cluster.
    pub namespace: String,
}

impl Used {
    /// Whether it changes nothing.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}
