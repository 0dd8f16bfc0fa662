//! Configurations that ship with the manifests: valid, and of one mind with them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use teal_flags::model::Document;

use super::{folder, list, of, one, read, render, text};

/// Every `teal.toml` in `manifests/`.
const ALL: [&str; 6] = [
    "homelab/teal.toml",
    "components/flag-service/teal.toml",
    "components/edge-agents/a/teal.toml",
    "components/edge-agents/b/teal.toml",
    "components/node-agents/teal.toml",
    "examples/relay-sidecar/teal.toml",
];

fn teal(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_teal")).arg("--config").arg(file).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {}{}", file.display(), text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn every_configuration_is_valid() {
    for file in ALL {
        teal(&folder().join(file), &["config", "check"]);
    }
}

#[test]
fn the_edges_are_told_the_node_ports_of_production() {
    let objects = render("overlays/prod");
    for file in ["homelab/teal.toml", "components/edge-agents/a/teal.toml", "components/edge-agents/b/teal.toml"] {
        let config: toml::Table = read(file).parse().unwrap();
        for (component, settings) in config["components"].as_table().unwrap() {
            for colour in ["blue", "green"] {
                let service = one(&objects, &format!("Service/physioflow-{component}-{colour}")).clone();
                let port = service["spec"]["ports"][0]["nodePort"].to_string();
                let addresses = settings[colour].as_array().unwrap();
                assert!(!addresses.is_empty(), "{file}");
                for address in addresses {
                    let (_, told) = address.as_str().unwrap().rsplit_once(':').unwrap();
                    assert_eq!(told, port, "{file}: {component} {colour}");
                }
            }
            // A sidecar makes several containers: then the one that is the version has to be named.
            let container = settings["container"].as_str().unwrap();
            let deployment = one(&objects, &format!("Deployment/physioflow-{component}-blue")).clone();
            assert_eq!(list(&deployment["spec"]["template"]["spec"]["containers"])[0]["name"], container, "{file}");
        }
    }
}

#[test]
fn the_nodes_agents_tell_the_edges_of_the_cluster_of_their_components() {
    let observer: toml::Table = read("components/node-agents/teal.toml").parse().unwrap();
    let objects = render("examples/larger");
    let addresses = observer["agent"]["report_to"].as_array().unwrap();
    assert_eq!(addresses.len(), 2);
    for (address, edge) in addresses.iter().zip(["a", "b"]) {
        let name = format!("teal-edge-{edge}");
        let service = one(&objects, &format!("Service/{name}"));
        assert_eq!(address.as_str().unwrap(), format!("https://{name}:{}", service["spec"]["ports"][0]["port"]));
        let config: toml::Table = read(&format!("components/edge-agents/{edge}/teal.toml")).parse().unwrap();
        let listen = config["observers"]["listen"].as_str().unwrap();
        let deployment = one(&objects, &format!("Deployment/{name}"));
        let ports = list(&deployment["spec"]["template"]["spec"]["containers"]).iter().flat_map(|c| list(&c["ports"]));
        let opened: Vec<String> =
            ports.filter(|port| port["name"] == "observers").map(|port| port["containerPort"].to_string()).collect();
        assert_eq!(opened, [listen.rsplit_once(':').unwrap().1]);
        let names = |config: &toml::Table| config["components"].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&observer), names(&config));
        let namespace = |config: &toml::Table| config["environments"]["prod"]["namespace"].clone();
        assert_eq!(namespace(&observer), namespace(&config));
    }
}

#[test]
fn both_edges_of_the_cluster_have_the_proxy_that_teal_renders() {
    let path = folder().join("components/edge-agents/haproxy.cfg");
    let [a, b] = ["a", "b"]
        .map(|edge| teal(&folder().join(format!("components/edge-agents/{edge}/teal.toml")), &["proxy", "render"]));
    assert_eq!(a, b, "one configuration is mounted for both");
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, &a).unwrap();
    }
    assert!(
        read("components/edge-agents/haproxy.cfg") == a,
        "{} is old: run this test with UPDATE_MANIFESTS=1",
        path.display()
    );
}

#[test]
fn flags_have_defaults_that_the_sdk_reads() {
    for overlay in super::ALL {
        let objects = render(overlay);
        let defaults = text(&one(&objects, "ConfigMap/physioflow-flag-defaults")["data"]["flags.json"]).to_owned();
        let document = Document::from_json(defaults.as_bytes()).unwrap();
        assert_eq!(document.flags.len(), 2, "{overlay}");
        // What Teal keeps current must not be said by an overlay, or applying it would take a migration back.
        let version = one(&objects, "ConfigMap/physioflow-migration-version");
        assert_eq!(version.get("data"), None, "{overlay}");
        let scaled: Vec<&Value> = of(&objects, "Deployment");
        let says = |deployment: &&&Value| deployment["metadata"]["labels"]["app.kubernetes.io/part-of"] == "physioflow";
        for deployment in scaled.iter().filter(says) {
            assert_eq!(deployment["spec"].get("replicas"), None, "{overlay}: applied again it would scale what serves");
        }
    }
}

/// A `kubectl` that answers as a cluster does, and writes down what it was asked.
const KUBECTL: &str = r#"#!/bin/sh
echo "$*" >>"$0.log"
case "$*" in
*"create token"*) echo "a-bound-token" ;;
*"certificate-authority-data"*) echo "Q0VSVElGSUNBVEU=" ;;
*".server"*) echo "https://192.0.2.11:6443" ;;
esac
"#;

#[test]
fn the_kubeconfig_is_of_one_account_and_its_token_can_be_revoked() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = teal_testkit::folder();
    let kubectl = folder.path().join("kubectl");
    std::fs::write(&kubectl, KUBECTL).unwrap();
    std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o700)).unwrap();
    let out = folder.path().join("out");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let script = super::folder().join("homelab/kubeconfig.sh");
    let run = |arguments: &[&str]| Command::new("sh").arg(&script).args(arguments).env("PATH", &path).output().unwrap();
    let output = run(&["physioflow-prod", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked = std::fs::read_to_string(folder.path().join("kubectl.log")).unwrap();
    assert!(asked.contains("create token teal-controller"), "{asked}");
    assert!(asked.contains("--bound-object-kind Secret --bound-object-name teal-controller-kubeconfig"), "{asked}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("a-bound-token"), "the token is shown");
    for file in ["kubeconfig", "token"] {
        let mode = std::fs::metadata(out.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640, "{file}");
    }
    assert_eq!(std::fs::read_to_string(out.join("token")).unwrap().trim(), "a-bound-token");
    let config = kube::config::Kubeconfig::read_from(out.join("kubeconfig")).unwrap();
    let context = config.contexts[0].context.clone().unwrap();
    assert_eq!(context.namespace.as_deref(), Some("physioflow-prod"));
    let user = config.auth_infos[0].auth_info.clone().unwrap();
    // A file beside it, which the agent reads for each request: a new token needs no restart.
    assert_eq!((user.token.is_none(), user.token_file.as_deref()), (true, out.join("token").to_str()));
    assert!(!run(&[]).status.success(), "a namespace has to be named");
}
