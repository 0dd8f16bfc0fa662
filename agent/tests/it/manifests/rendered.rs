//! Two readers see the same in each overlay; and what this one must refuse.

use std::process::Command;

use serde_json::Value;

use super::{ALL, folder, kustomize, render};

/// Lists whose order means nothing here, and objects, in one order.
fn sorted(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(sorted),
        Value::Array(items) => {
            items.iter_mut().for_each(sorted);
            items.sort_by_key(Value::to_string);
        }
        _ => {}
    }
}

#[test]
fn kubectl_renders_the_same() {
    for overlay in ALL {
        let mut ours = Value::Array(render(overlay));
        let kubectl = Command::new("kubectl").arg("kustomize").arg(folder().join(overlay)).output();
        let Ok(output) = kubectl else {
            println!("there is no kubectl: {overlay} was rendered by our own reader only");
            continue;
        };
        let error = String::from_utf8_lossy(&output.stderr);
        // What `labels` and `components` are came with kubectl 1.27.
        if error.contains("unknown command") || error.contains("unknown field") {
            println!("this kubectl is too old: {overlay} was rendered by our own reader only");
            continue;
        }
        assert!(output.status.success(), "{overlay}: {error}");
        let mut theirs = Value::Array(kustomize::documents(&String::from_utf8(output.stdout).unwrap()));
        sorted(&mut ours);
        sorted(&mut theirs);
        let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(ours == theirs, "{overlay}:\nours   {ours}\ntheirs {theirs}");
        }
        assert_eq!(ours.len(), theirs.len(), "{overlay}");
    }
}

/// A folder of files, rendered.
fn rendered(files: &[(&str, &str)]) -> Vec<Value> {
    let folder = teal_testkit::folder();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    kustomize::render(&folder.path().join("o"))
}

#[test]
fn what_kustomizations_say_is_done() {
    let files = [
        (
            "b/kustomization.yaml",
            "resources: [d.yaml]\nnameSuffix: -blue\nlabels: [{pairs: {version: blue}, includeSelectors: true}]\n",
        ),
        (
            "b/d.yaml",
            "kind: Deployment\nmetadata: {name: api}\nspec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, \
             spec: {containers: [{name: api, image: r.example/api}], volumes: [{configMap: {name: other}}]}}}\n---\nkind: Service\nmetadata: \
             {name: api}\nspec: {selector: {app: a}}\n",
        ),
        (
            "c/kustomization.yaml",
            "kind: Component\npatches: [{path: p.yaml, target: {kind: Deployment, name: api-(blue|green)}}]\n",
        ),
        ("c/p.yaml", "spec: {template: {spec: {containers: [{name: api, args: [x]}]}}}\n"),
        (
            "o/kustomization.yaml",
            "namespace: space\nresources: [../b]\ncomponents: [../c]\nimages: [{name: r.example/api, newTag: v2}]\n\
             patches: [{target: {kind: Service, name: api-blue}, patch: '[{op: add, path: /spec/type, value: NodePort}]'}]\n",
        ),
    ];
    let objects = rendered(&files);
    let expected: Vec<Value> = kustomize::documents(
        "kind: Deployment\nmetadata: {name: api-blue, namespace: space, labels: {version: blue}}\nspec: {selector: {matchLabels: \
         {app: a, version: blue}}, template: {metadata: {labels: {app: a, version: blue}}, spec: {containers: [{name: api, image: \
         'r.example/api:v2', args: [x]}], volumes: [{configMap: {name: other}}]}}}\n---\nkind: Service\nmetadata: {name: api-blue, \
         namespace: space, labels: {version: blue}}\nspec: {selector: {app: a, version: blue}, type: NodePort}\n",
    );
    assert_eq!(objects, expected);
}

#[test]
fn what_would_silently_do_nothing_is_refused() {
    let check = |text: &'static str, words: &str| {
        let result = std::panic::catch_unwind(|| {
            rendered(&[("o/kustomization.yaml", text), ("o/a.yaml", "kind: A\nmetadata: {name: a}\n")])
        });
        let panic = result.unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains(words), "{text}: {said}");
    };
    check("resources: [a.yaml]\nnamePrefix: x-\n", "does not know `namePrefix`");
    check("resources: [a.yaml, a.yaml]\n", "A/a");
    check("resources: [b.yaml]\n", "b.yaml");
    check("resources: [a.yaml]\npatches: [{target: {kind: B}, patch: '[]'}]\n", "nothing is meant");
    check("configMapGenerator: [{name: m, literals: [a=b]}]\n", "names with a hash");
}
