//! Reads a kustomization as `kubectl kustomize` does, as far as `manifests/` goes; what it does not know it refuses.
//!
//! ```text
//! resources -> components -> generators -> patches -> namespace -> suffix -> labels -> images
//! ```

use std::path::Path;

use serde_json::{Map, Value, json};
use teal_testkit::kubernetes::strategic_merge;

use super::{kind, list, name, text};

/// Everything that a file may say.
const KNOWN: [&str; 10] = [
    "apiVersion",
    "kind",
    "resources",
    "components",
    "configMapGenerator",
    "patches",
    "namespace",
    "nameSuffix",
    "labels",
    "images",
];

/// Kinds that have no namespace.
const OF_THE_CLUSTER: [&str; 4] = ["Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"];

/// The objects of the kustomization in `folder`.
pub(super) fn render(folder: &Path) -> Vec<Value> {
    let mut objects = Vec::new();
    accumulate(folder, &mut objects);
    objects
}

/// Every document of a YAML file.
pub(super) fn documents(text: &str) -> Vec<Value> {
    let parts =
        text.split("\n---\n").filter(|part| part.lines().any(|line| !line.is_empty() && !line.starts_with('#')));
    parts.map(|part| serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{error}:\n{part}"))).collect()
}

fn file(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn accumulate(folder: &Path, objects: &mut Vec<Value>) {
    let path = folder.join("kustomization.yaml");
    let all = documents(&file(&path));
    let [this] = all.as_slice() else { panic!("{} is not one document", path.display()) };
    for field in this.as_object().unwrap().keys() {
        assert!(KNOWN.contains(&field.as_str()), "{}: this reader does not know `{field}`", path.display());
    }
    let before = objects.len();
    for resource in list(&this["resources"]) {
        let at = folder.join(text(resource));
        if at.is_dir() {
            objects.extend(render(&at));
        } else {
            objects.extend(documents(&file(&at)));
        }
    }
    for component in list(&this["components"]) {
        accumulate(&folder.join(text(component)), objects);
    }
    // A component works on all there is, a kustomization on what is its own.
    let first = if kind(this) == "Component" { 0 } else { before };
    for generator in list(&this["configMapGenerator"]) {
        generate(folder, generator, objects);
    }
    let own = &mut objects[first..];
    list(&this["patches"]).iter().for_each(|change| patch(folder, change, own));
    if let Some(namespace) = this["namespace"].as_str() {
        place(namespace, own);
    }
    if let Some(suffix) = this["nameSuffix"].as_str() {
        rename(suffix, own);
    }
    for labels in list(&this["labels"]) {
        own.iter_mut().for_each(|object| label(object, labels));
    }
    for image in list(&this["images"]) {
        own.iter_mut().for_each(|object| set_image(object, image));
    }
    no_two(&path, objects);
}

fn no_two(path: &Path, objects: &[Value]) {
    let mut ids: Vec<String> =
        objects.iter().map(|object| format!("{} {}", super::id(object), object["metadata"]["namespace"])).collect();
    ids.sort();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        panic!("{}: {} is there twice", path.display(), pair[0]);
    }
}

fn generate(folder: &Path, generator: &Value, objects: &mut Vec<Value>) {
    let wanted = text(&generator["name"]);
    assert_eq!(generator["options"]["disableNameSuffixHash"], true, "{wanted}: names with a hash are not read here");
    let literals = list(&generator["literals"]).iter().map(|literal| {
        let (key, value) = text(literal).split_once('=').unwrap();
        (key.to_owned(), json!(value))
    });
    let files =
        list(&generator["files"]).iter().map(|name| (text(name).to_owned(), json!(file(&folder.join(text(name))))));
    let data: Map<String, Value> = literals.chain(files).collect();
    let existing = objects.iter_mut().find(|object| kind(object) == "ConfigMap" && name(object) == wanted);
    match (text(&generator["behavior"]), existing) {
        ("merge", Some(existing)) => existing["data"].as_object_mut().unwrap().extend(data),
        ("" | "create", None) => {
            objects.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": wanted}, "data": data}));
        }
        (behaviour, _) => panic!("cannot `{behaviour}` ConfigMap {wanted}"),
    }
}

/// Whether the whole of `name` is what `pattern` means: names and alternatives in brackets are all that is used.
fn matches(pattern: &Value, name: &str) -> bool {
    let Some(pattern) = pattern.as_str() else { return true };
    let mut names = vec![String::new()];
    for (index, part) in pattern.split(['(', ')']).enumerate() {
        let choices: Vec<&str> = if index % 2 == 1 { part.split('|').collect() } else { vec![part] };
        names = names.iter().flat_map(|name| choices.iter().map(move |choice| format!("{name}{choice}"))).collect();
    }
    names.iter().any(|candidate| candidate == name)
}

fn patch(folder: &Path, change: &Value, objects: &mut [Value]) {
    let source =
        change["path"].as_str().map_or_else(|| text(&change["patch"]).to_owned(), |path| file(&folder.join(path)));
    for patch in documents(&source) {
        let target = &change["target"];
        let is_meant = |object: &Value| match target {
            Value::Null => kind(object) == kind(&patch) && name(object) == name(&patch),
            target => kind(object) == kind(target) && matches(&target["name"], name(object)),
        };
        let mut touched = 0;
        for object in objects.iter_mut().filter(|object| is_meant(object)) {
            touched += 1;
            if patch.is_array() {
                let operations: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
                json_patch::patch(object, &operations).unwrap_or_else(|error| panic!("{}: {error}", super::id(object)));
            } else {
                let metadata = object["metadata"].clone();
                strategic_merge(object, &patch);
                object["metadata"]["name"] = metadata["name"].clone();
            }
        }
        assert!(touched > 0, "{}: nothing is meant by {change}", folder.display());
    }
}

fn place(namespace: &str, objects: &mut [Value]) {
    let accounts: Vec<String> = objects
        .iter()
        .filter(|object| kind(object) == "ServiceAccount")
        .map(|account| name(account).to_owned())
        .collect();
    for object in objects.iter_mut() {
        if !OF_THE_CLUSTER.contains(&kind(object)) {
            object["metadata"]["namespace"] = json!(namespace);
        }
        for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
            if accounts.iter().any(|account| account == text(&subject["name"])) {
                subject["namespace"] = json!(namespace);
            }
        }
    }
}

/// Where one object names another of this kind.
fn named_kind(holder: &str, field: &str) -> Option<&'static str> {
    match (holder, field) {
        ("configMap" | "configMapRef" | "configMapKeyRef", "name") => Some("ConfigMap"),
        ("persistentVolumeClaim", "claimName") => Some("PersistentVolumeClaim"),
        ("scaleTargetRef", "name") => Some("Deployment"),
        _ => None,
    }
}

fn rename(suffix: &str, objects: &mut [Value]) {
    let mut renamed = Vec::new();
    for object in objects.iter_mut().filter(|object| !OF_THE_CLUSTER.contains(&kind(object))) {
        renamed.push((kind(object).to_owned(), name(object).to_owned()));
        object["metadata"]["name"] = json!(format!("{}{suffix}", name(object)));
    }
    for object in objects.iter_mut() {
        follow("", object, &renamed, suffix);
    }
}

fn follow(holder: &str, value: &mut Value, renamed: &[(String, String)], suffix: &str) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let is_renamed = |kind: &str, name: &str| renamed.iter().any(|(k, n)| k == kind && n == name);
                match (named_kind(holder, field), value.as_str()) {
                    (Some(kind), Some(name)) if is_renamed(kind, name) => *value = json!(format!("{name}{suffix}")),
                    _ => follow(field, value, renamed, suffix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| follow(holder, item, renamed, suffix)),
        _ => {}
    }
}

fn label(object: &mut Value, labels: &Value) {
    let pairs = labels["pairs"].as_object().unwrap();
    let selectors = labels["includeSelectors"] == true;
    let templates = selectors || labels["includeTemplates"] == true;
    let add = |to: &mut Value| {
        let target = to.as_object_mut().unwrap();
        target.extend(pairs.iter().map(|(name, value)| (name.clone(), value.clone())));
    };
    if !object["metadata"]["labels"].is_object() {
        object["metadata"]["labels"] = json!({});
    }
    add(&mut object["metadata"]["labels"]);
    let is_workload = matches!(kind(object), "Deployment" | "DaemonSet");
    if templates && is_workload {
        add(&mut object["spec"]["template"]["metadata"]["labels"]);
    }
    if !selectors {
        return;
    }
    match kind(object) {
        "Service" => add(&mut object["spec"]["selector"]),
        "Deployment" | "DaemonSet" => {
            add(&mut object["spec"]["selector"]["matchLabels"]);
            let spec = &mut object["spec"]["template"]["spec"];
            // Only where there are plain labels already.
            for constraint in
                spec.get_mut("topologySpreadConstraints").and_then(Value::as_array_mut).into_iter().flatten()
            {
                constraint["labelSelector"].get_mut("matchLabels").into_iter().for_each(add);
            }
            let preferred = "/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution";
            for term in spec.pointer_mut(preferred).and_then(Value::as_array_mut).into_iter().flatten() {
                term.pointer_mut("/podAffinityTerm/labelSelector/matchLabels").into_iter().for_each(add);
            }
        }
        "PodDisruptionBudget" | "NetworkPolicy" => {
            let selector = if kind(object) == "NetworkPolicy" { "podSelector" } else { "selector" };
            object["spec"][selector].get_mut("matchLabels").into_iter().for_each(add);
        }
        _ => {}
    }
}

fn set_image(object: &mut Value, image: &Value) {
    if !matches!(kind(object), "Deployment" | "DaemonSet") {
        return;
    }
    let spec = &mut object["spec"]["template"]["spec"];
    for field in ["initContainers", "containers"] {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(now) = container["image"].as_str() else { continue };
            let (from, tag) = match now.rsplit_once(':') {
                Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
                _ => (now, None),
            };
            if from == text(&image["name"]) {
                let to = image["newName"].as_str().unwrap_or(from);
                let tag = image["newTag"].as_str().or(tag);
                container["image"] = json!(tag.map_or_else(|| to.to_owned(), |tag| format!("{to}:{tag}")));
            }
        }
    }
}
