//! POST to a collection, and what else makes an object.

use serde_json::{Value, json};

use super::super::fields;
use super::super::kinds::Trait;
use super::super::refusal::{Cause, Refusal};
use super::super::store::Key;
use super::super::value::{meta, set_meta};
use super::admit::first_status;
use super::commit::{Ownership, shape};
use super::{Call, Objects, Reply, placed};

impl Objects {
    /// Creates what the body says.
    pub(in super::super) fn create(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let mut object = placed(call, call.body.clone())?;
        if meta(&object, "name").is_empty() && !meta(&object, "generateName").is_empty() {
            let name = format!("{}{}", meta(&object, "generateName"), self.suffix());
            set_meta(&mut object, "name", json!(name));
        }
        let name = meta(&object, "name").to_owned();
        if name.is_empty() {
            let cause = Cause {
                message: "Required value: name or generateName is required".to_owned(),
                ..Cause::required("metadata.name")
            };
            return Err(Refusal::invalid(&call.kind, "", &[cause]));
        }
        if !is_name(&name) {
            let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
            return Err(Refusal::invalid(&call.kind, &name, &[Cause::invalid("metadata.name", &json!(name), why)]));
        }
        if !meta(&object, "resourceVersion").is_empty() {
            return Err(Refusal::internal("resourceVersion should not be set on objects to be created"));
        }
        let call = Call { name, ..call.clone() };
        if self.store.get(&call.key()).is_some() {
            return Err(Refusal::already_exists(&call.kind, &call.name));
        }
        let owner = self.owner(&call, "Update");
        self.insert(&call, object, Ownership::Changed(owner)).map(|object| (201, object))
    }

    /// Keeps a new object: what create, apply and an update that may create have in common.
    pub(super) fn insert(&mut self, call: &Call, mut object: Value, ownership: Ownership) -> Result<Value, Refusal> {
        let kind = &call.kind;
        self.check_namespace(call)?;
        first_status(kind, &mut object, &self.clock.now());
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink", "generation"] {
            set_meta(&mut object, field, Value::Null);
        }
        if kind.kind == "Namespace" {
            let mut labels = object["metadata"]["labels"].clone();
            labels["kubernetes.io/metadata.name"] = json!(call.name);
            set_meta(&mut object, "labels", labels);
            object["spec"] = json!({"finalizers": ["kubernetes"]});
        }
        let uid = self.uid();
        set_meta(&mut object, "uid", json!(uid));
        set_meta(&mut object, "creationTimestamp", json!(self.clock.now()));
        if kind.has(Trait::Generation) {
            set_meta(&mut object, "generation", json!(1));
        }
        let mut object = self.admit(kind, object, None)?;
        let owners = match ownership {
            Ownership::Settled(owners) => owners,
            Ownership::Changed(owner) => {
                let mut sent = object.clone();
                if kind.has(Trait::Status) {
                    super::super::value::map(&mut sent).remove("status");
                }
                fields::after_update(vec![], owner, &Value::Null, &sent, shape(kind))
            }
        };
        set_meta(&mut object, "managedFields", fields::written(owners));
        if call.is_dry_run() {
            return Ok(object);
        }
        Ok(self.keep(kind, call.key(), object))
    }

    /// An object cannot be made in a namespace that is not there.
    fn check_namespace(&self, call: &Call) -> Result<(), Refusal> {
        let Some(namespace) = call.namespace.as_deref().filter(|_| call.kind.is_namespaced()) else { return Ok(()) };
        let key = Key { resource: "namespaces".to_owned(), namespace: String::new(), name: namespace.to_owned() };
        if self.store.get(&key).is_some() {
            return Ok(());
        }
        let namespaces = self.kind("", "v1", "namespaces").ok_or_else(Refusal::no_such_path)?;
        Err(Refusal::not_found(&namespaces, namespace))
    }
}

/// Whether it is a DNS subdomain of at most 253 characters (roles may have colons as well).
fn is_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.len() <= 253
        && name.chars().all(is_good)
        && ends_well(name.chars().next())
        && ends_well(name.chars().next_back())
}
