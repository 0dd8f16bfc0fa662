//! Who asks, by bearer token, and whether the roles that the server holds let them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::objects::Objects;
use super::value::{list, meta, text};

/// A person or program that the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

/// What somebody asks to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attempt<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    /// `pods`, `pods/log`.
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// Tokens and whose they are.
#[derive(Debug, Default)]
pub(super) struct Users(BTreeMap<String, User>);

impl Users {
    /// Makes `token` that of a user.
    pub(super) fn add(&mut self, token: &str, name: &str, groups: &[&str]) {
        let mut groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        groups.push("system:authenticated".to_owned());
        if let Some((namespace, _)) = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
        {
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{namespace}"));
        }
        self.0.insert(token.to_owned(), User { name: name.to_owned(), groups });
    }

    pub(super) fn of(&self, token: &str) -> Option<&User> {
        self.0.get(token)
    }
}

/// Whether a role that is bound to `user` allows it. Members of system:masters may do all.
pub(super) fn allows(objects: &Objects, user: &User, attempt: &Attempt<'_>) -> bool {
    if user.groups.iter().any(|group| group == "system:masters") {
        return true;
    }
    let everywhere = bindings(objects, "clusterrolebindings", None);
    let here =
        if attempt.namespace.is_empty() { vec![] } else { bindings(objects, "rolebindings", Some(attempt.namespace)) };
    let of_user = everywhere.iter().chain(&here).filter(|binding| names(binding, user));
    of_user
        .into_iter()
        .any(|binding| rules(objects, &binding["roleRef"], attempt.namespace).iter().any(|rule| covers(rule, attempt)))
}

/// The sentence of a 403.
pub(super) fn refused(user: &User, attempt: &Attempt<'_>) -> String {
    let group = attempt.group;
    let place = if attempt.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", attempt.namespace)
    };
    format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{group}\" {place}",
        user.name, attempt.verb, attempt.resource
    )
}

fn bindings(objects: &Objects, plural: &str, namespace: Option<&str>) -> Vec<Value> {
    let resource = format!("{plural}.rbac.authorization.k8s.io");
    objects.store.all(&resource, namespace).map(|(_, binding)| (**binding).clone()).collect()
}

fn names(binding: &Value, user: &User) -> bool {
    list(&binding["subjects"]).iter().any(|subject| {
        let name = text(&subject["name"]);
        match text(&subject["kind"]) {
            "User" => name == user.name,
            "Group" => user.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                // Without a namespace: one of the namespace where the binding is.
                let namespace = match text(&subject["namespace"]) {
                    "" => meta(binding, "namespace"),
                    namespace => namespace,
                };
                !namespace.is_empty() && user.name == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        }
    })
}

fn rules(objects: &Objects, role: &Value, namespace: &str) -> Vec<Value> {
    let name = text(&role["name"]);
    let is_cluster = role["kind"] == "ClusterRole";
    let (plural, namespace) = if is_cluster { ("clusterroles", None) } else { ("roles", Some(namespace)) };
    let found = bindings(objects, plural, namespace).into_iter().find(|role| role["metadata"]["name"] == json!(name));
    found.map_or_else(Vec::new, |role| list(&role["rules"]).to_vec())
}

fn covers(rule: &Value, attempt: &Attempt<'_>) -> bool {
    let has = |field: &str, wanted: &str| list(&rule[field]).iter().any(|value| value == "*" || value == wanted);
    let names = list(&rule["resourceNames"]);
    let any_subresource = attempt.resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    has("verbs", attempt.verb)
        && has("apiGroups", attempt.group)
        && (has("resources", attempt.resource) || any_subresource.is_some_and(|any| has("resources", &any)))
        && (names.is_empty() || names.iter().any(|name| name == attempt.name))
}
