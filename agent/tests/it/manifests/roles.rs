//! The roles of the manifests for another application, so that whole releases run within them; and what of them was used.
//!
//! ```text
//! base/rbac --names of the test's application--> fake API server <--requests as a service account-- agent
//!      \---- every right -- minus --- Used ----> rights that nobody needs
//! ```

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teal_testkit::kubernetes::Used;

use super::{kind, list, render, text};

/// Roles, bindings and accounts of `overlays/prod`, for `app` with these components in the namespace `APP-prod`.
pub(crate) fn roles_of(app: &str, components: &[&str]) -> Vec<Value> {
    let ours = ["Role", "RoleBinding", "ServiceAccount"];
    let mut objects: Vec<Value> =
        render("overlays/prod").into_iter().filter(|object| ours.contains(&kind(object))).collect();
    for object in &mut objects {
        object["metadata"]["namespace"] = json!(format!("{app}-prod"));
        for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
            subject["namespace"] = json!(format!("{app}-prod"));
        }
        for rule in object.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(names) = rule.get("resourceNames").map(list).map(<[Value]>::to_vec) else { continue };
            rule["resourceNames"] =
                json!(names.iter().flat_map(|name| renamed(text(name), app, components)).collect::<Vec<_>>());
        }
    }
    objects
}

/// `physioflow-api-blue` for every component of the other application; `physioflow-web-...` is the same again.
fn renamed(name: &str, app: &str, components: &[&str]) -> Vec<String> {
    let of =
        |component: &str| name.replace("physioflow", app).replace(&format!("{app}-api"), &format!("{app}-{component}"));
    match name {
        name if name.starts_with("physioflow-web") => vec![],
        name if name.starts_with("physioflow-api") => components.iter().map(|component| of(component)).collect(),
        name => vec![name.replace("physioflow", app)],
    }
}

/// A right without its names: verb, group, resource.
type Right = (String, String, String);

/// Rights of `account` that none of these requests needed, beside those in `unneeded` (verb, resource).
pub(crate) fn never_used(account: &str, used: &BTreeSet<Used>, unneeded: &[(&str, &str)]) -> BTreeSet<Right> {
    let needed: BTreeSet<Right> =
        used.iter().map(|used| (used.verb.clone(), used.group.clone(), used.resource.clone())).collect();
    let is_excused = |(verb, _, resource): &Right| unneeded.contains(&(verb.as_str(), resource.as_str()));
    rights(account).into_iter().filter(|right| !needed.contains(right) && !is_excused(right)).collect()
}

fn rights(account: &str) -> BTreeSet<Right> {
    let objects = render("overlays/prod");
    let binds = |binding: &&Value| list(&binding["subjects"]).iter().any(|subject| subject["name"] == account);
    let bindings = super::of(&objects, "RoleBinding").into_iter().filter(binds);
    let roles = bindings.map(|binding| super::one(&objects, &format!("Role/{}", text(&binding["roleRef"]["name"]))));
    let rules = roles.flat_map(|role| list(&role["rules"]));
    let one = |rule: &Value| -> Vec<Right> {
        let all = |field: &str| list(&rule[field]).iter().map(|value| text(value).to_owned()).collect::<Vec<_>>();
        let (verbs, groups, resources) = (all("verbs"), all("apiGroups"), all("resources"));
        let pairs = groups.iter().flat_map(|group| resources.iter().map(move |resource| (group, resource)));
        pairs
            .flat_map(|(group, resource)| verbs.iter().map(move |v| (v.clone(), group.clone(), resource.clone())))
            .collect()
    };
    rules.flat_map(one).collect()
}

#[test]
fn roles_are_those_of_the_manifests_with_other_names() {
    let objects = roles_of("site", &["app", "web2"]);
    let controller = super::one(&objects, "Role/teal-controller").clone();
    let names = |resource: &str| {
        let rule = list(&controller["rules"]).iter().find(|rule| rule["resources"] == json!([resource])).unwrap();
        rule["resourceNames"].clone()
    };
    assert_eq!(names("deployments"), json!(["site-app-blue", "site-web2-blue", "site-app-green", "site-web2-green"]));
    assert_eq!(names("services"), json!(["site-app", "site-web2"]));
    let lease = json!(["teal-site"]);
    let edge = super::one(&objects, "Role/teal-edge").clone();
    assert!(list(&edge["rules"]).iter().any(|rule| rule["resourceNames"] == lease), "{edge}");
    let said = serde_json::to_string(&objects).unwrap();
    assert!(!said.contains("physioflow-"), "{said}");
}

#[test]
fn a_right_that_nobody_used_is_seen() {
    let used = |verb: &str, group: &str, resource: &str| Used {
        user: String::new(),
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: String::new(),
    };
    let mut all: BTreeSet<Used> =
        rights("teal-observer").iter().map(|(verb, group, resource)| used(verb, group, resource)).collect();
    assert!(never_used("teal-observer", &all, &[]).is_empty());
    all.remove(&used("watch", "", "pods"));
    assert_eq!(never_used("teal-observer", &all, &[]).len(), 1);
    assert!(never_used("teal-observer", &all, &[("watch", "pods")]).is_empty());
}
