//! What the server does to its objects, one file a verb.
//!
//! ```text
//! create, replace, patch, scale --> admit: status or spec kept, defaults, validation --> commit: owners, generation, no-op
//! delete --> finalizers, grace --> commit or gone                                             \--> Store
//! ```

mod admit;
mod bind;
mod commit;
mod create;
mod delete;
mod evict;
mod list;
mod scale;
mod update;

use std::sync::Arc;

use serde_json::{Value, json};

use super::clock::Clock;
use super::kinds::{self, Kind};
use super::patch::Format;
use super::refusal::Refusal;
use super::store::{Key, Store};
use super::target::Query;
use super::value::{set_meta, text};

/// One request about a kind that exists.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) kind: Arc<Kind>,
    pub(super) namespace: Option<String>,
    /// "" for the whole collection.
    pub(super) name: String,
    /// "" for the object itself.
    pub(super) subresource: String,
    pub(super) query: Query,
    /// The JSON that was sent; null for none.
    pub(super) body: Value,
    /// Of a PATCH.
    pub(super) format: Option<Format>,
    /// Who owns what is written.
    pub(super) manager: String,
}

impl Call {
    fn key(&self) -> Key {
        Key::new(&self.kind, self.namespace.as_deref().unwrap_or_default(), &self.name)
    }

    fn is_dry_run(&self) -> bool {
        self.query.get("dryRun") == "All"
    }
}

/// HTTP status and object.
pub(super) type Reply = (u16, Value);

#[derive(Debug)]
pub(super) struct Objects {
    pub(super) store: Store,
    pub(super) clock: Clock,
    kinds: Vec<Arc<Kind>>,
    /// For what the server makes up: names, uids, addresses, ports.
    made_up: u32,
}

impl Objects {
    /// With the namespaces and the definition that every cluster begins with.
    pub(super) fn new() -> Self {
        let mut objects =
            Self { store: Store::default(), clock: Clock::default(), kinds: kinds::built_in(), made_up: 0 };
        for name in ["default", "kube-system"] {
            let uid = objects.uid();
            let now = objects.clock.now();
            let key = Key { resource: "namespaces".to_owned(), namespace: String::new(), name: name.to_owned() };
            let metadata = json!({
                "name": name, "uid": uid, "creationTimestamp": now,
                "labels": {"kubernetes.io/metadata.name": name},
            });
            let status = json!({"phase": "Active"});
            let spec = json!({"finalizers": ["kubernetes"]});
            let namespace =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "spec": spec, "status": status});
            objects.store.put(key, namespace);
        }
        objects
    }

    pub(super) fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    pub(super) fn kind(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        let is_it = |kind: &&Arc<Kind>| kind.group == group && kind.version == version && kind.plural == plural;
        self.kinds.iter().find(is_it).cloned()
    }

    pub(super) fn get(&self, call: &Call) -> Result<Reply, Refusal> {
        let object = self.existing(call)?;
        match call.subresource.as_str() {
            "" | "status" => Ok((200, (*object).clone())),
            "scale" => Ok((200, scale::of(&object))),
            _ => Err(Refusal::no_such_path()),
        }
    }

    fn existing(&self, call: &Call) -> Result<Arc<Value>, Refusal> {
        self.store.get(&call.key()).ok_or_else(|| Refusal::not_found(&call.kind, &call.name))
    }

    /// Definitions have come or gone: which kinds there are now.
    fn reread_kinds(&mut self) {
        self.kinds = kinds::built_in();
        let custom = self.store.all("customresourcedefinitions.apiextensions.k8s.io", None);
        self.kinds.extend(custom.filter_map(|(_, definition)| kinds::custom(definition)).map(Arc::new));
    }

    fn next(&mut self) -> u32 {
        self.made_up += 1;
        self.made_up
    }

    fn uid(&mut self) -> String {
        format!("7ea1b1e0-0000-4000-8000-{:012x}", self.next())
    }

    /// Five letters, as generated names end with.
    fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut rest = self.next().wrapping_mul(2_654_435_761);
        let mut letter = || {
            let at = usize::try_from(rest % 27).unwrap_or_default();
            rest /= 27;
            char::from(LETTERS[at])
        };
        (0..5).map(|_| letter()).collect()
    }
}

/// Checks that the body is of the kind and place that the URL names, and writes both into it.
fn placed(call: &Call, mut object: Value) -> Result<Value, Refusal> {
    let kind = &call.kind;
    if !object.is_object() {
        return Err(Refusal::bad_request("the body of the request is no object"));
    }
    let (api_version, name) = (kind.api_version(), &call.name);
    let said = (text(&object["apiVersion"]), text(&object["kind"]));
    let differs = |said: &str, wanted: &str| !said.is_empty() && said != wanted;
    if differs(said.0, &api_version) || differs(said.1, &kind.kind) {
        let message = format!(
            "{} in version \"{}\" cannot be handled as a {}: expected {api_version} {}",
            said.1, said.0, kind.kind, kind.kind
        );
        return Err(Refusal::bad_request(message));
    }
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind.kind);
    if let Some(namespace) = &call.namespace {
        if differs(text(&object["metadata"]["namespace"]), namespace) {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::bad_request(message));
        }
        set_meta(&mut object, "namespace", json!(namespace));
    }
    if !name.is_empty() {
        let said = text(&object["metadata"]["name"]);
        if differs(said, name) {
            let message = format!("the name of the object ({said}) does not match the name on the URL ({name})");
            return Err(Refusal::bad_request(message));
        }
        set_meta(&mut object, "name", json!(name));
    }
    Ok(object)
}
