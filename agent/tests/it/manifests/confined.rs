//! What every Pod may not do, as a table.

use serde_json::{Value, json};

use super::{ALL, containers, id, of, pod, render, text, workloads};

/// A rule of a container (with its Pod): what it is called, and whether it is kept.
type Rule = (&'static str, fn(&Value, &Value) -> bool);

const OF_CONTAINERS: [Rule; 10] = [
    ("has requests of cpu and memory", |_, c| {
        ["cpu", "memory"].iter().all(|of| c["resources"]["requests"][of].is_string())
    }),
    ("has limits of cpu and memory", |_, c| {
        ["cpu", "memory"].iter().all(|of| c["resources"]["limits"][of].is_string())
    }),
    ("has a read-only root", |_, c| c["securityContext"]["readOnlyRootFilesystem"] == true),
    ("gains no privileges", |_, c| c["securityContext"]["allowPrivilegeEscalation"] == false),
    ("drops all capabilities", |_, c| c["securityContext"]["capabilities"] == json!({"drop": ["ALL"]})),
    ("is not privileged", |_, c| c["securityContext"].get("privileged").is_none()),
    ("is of a version", |_, c| {
        let image = text(&c["image"]).rsplit('/').next().unwrap_or_default().to_owned();
        image.contains('@') || image.split_once(':').is_some_and(|(_, tag)| tag != "latest")
    }),
    ("is no user but its own", |pod, c| {
        let own = c["securityContext"]["runAsUser"].as_u64().or(pod["securityContext"]["runAsUser"].as_u64());
        own.is_some_and(|user| user >= 10_000)
    }),
    ("is asked whether it lives, unless it ends by itself", |pod, c| {
        let ends = super::list(&pod["initContainers"]).contains(c) && c["restartPolicy"] != "Always";
        ends || c["livenessProbe"].is_object()
    }),
    ("opens no port of the node", |_, c| super::list(&c["ports"]).iter().all(|port| port.get("hostPort").is_none())),
];

/// The same of a Pod.
type PodRule = (&'static str, fn(&Value) -> bool);

const OF_PODS: [PodRule; 7] = [
    ("is not root", |pod| pod["securityContext"]["runAsNonRoot"] == true),
    ("has the runtime's seccomp profile", |pod| pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"),
    ("sees nothing of the node", |pod| {
        ["hostNetwork", "hostPID", "hostIPC"].iter().all(|field| pod.get(field).is_none())
            && super::list(&pod["volumes"]).iter().all(|volume| volume.get("hostPath").is_none())
    }),
    ("says whether it has a token", |pod| pod["automountServiceAccountToken"].is_boolean()),
    ("has time to end", |pod| {
        let sleep = |c: &&Value| c["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64();
        let sleeps = containers(pod).iter().filter_map(sleep).max().unwrap_or(0);
        pod["terminationGracePeriodSeconds"].as_u64().is_some_and(|grace| grace >= sleeps + 10)
    }),
    ("has bounds on what it writes", |pod| {
        super::list(&pod["volumes"])
            .iter()
            .all(|volume| volume.get("emptyDir").is_none_or(|dir| dir["sizeLimit"].is_string()))
    }),
    ("keeps secrets from others", |pod| {
        super::list(&pod["volumes"])
            .iter()
            .all(|volume| volume.get("secret").is_none_or(|secret| secret["defaultMode"] == 0o440))
    }),
];

/// Which Pods may hold a token of the API server.
const WITH_A_TOKEN: [&str; 3] = ["DaemonSet/teal-observer", "Deployment/teal-edge-a", "Deployment/teal-edge-b"];

fn broken(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for workload in workloads(objects) {
        let pod = pod(workload);
        let mut say = |what: &str, who: &str| wrong.push(format!("{}{who}: not so: it {what}", id(workload)));
        for (what, _) in OF_PODS.iter().filter(|(_, is_kept)| !is_kept(pod)) {
            say(what, "");
        }
        if (pod["automountServiceAccountToken"] == true) != WITH_A_TOKEN.contains(&id(workload).as_str()) {
            say("has a token only where it asks the API server", "");
        }
        for container in containers(pod) {
            for (what, _) in OF_CONTAINERS.iter().filter(|(_, is_kept)| !is_kept(pod, container)) {
                say(what, &format!(" {}", text(&container["name"])));
            }
        }
    }
    for account in
        of(objects, "ServiceAccount").into_iter().filter(|account| account["automountServiceAccountToken"] != false)
    {
        wrong.push(format!("{} gives its token to whoever does not ask", id(account)));
    }
    let denies = |policy: &&Value| policy["spec"] == json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    if !of(objects, "NetworkPolicy").iter().any(denies) {
        wrong.push("what no policy names is not denied".to_owned());
    }
    wrong
}

#[test]
fn every_pod_is_confined() {
    for overlay in ALL {
        let wrong = broken(&render(overlay));
        assert!(wrong.is_empty(), "{overlay}:\n{}", wrong.join("\n"));
        for namespace in of(&render(overlay), "Namespace") {
            let enforced = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
            assert_eq!(enforced, "restricted", "{overlay}");
        }
    }
}

#[test]
fn a_door_left_open_is_seen() {
    let check = |of: &str, path: &str, to: Value, words: &str| {
        let mut objects = render("examples/larger");
        let object = objects.iter_mut().find(|object| id(object) == of).unwrap();
        let (parent, field) = path.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap_or_else(|| panic!("{of} has no {parent}"))[field] = to;
        let wrong = broken(&objects);
        assert!(wrong.len() == 1 && wrong[0].contains(words), "{of}{path}: {wrong:?}");
    };
    let of = "Deployment/physioflow-api-blue";
    let pod = "/spec/template/spec";
    let container = format!("{pod}/containers/0");
    let sidecar = format!("{pod}/initContainers/0");
    check(of, &format!("{container}/resources/limits"), json!({"cpu": "1"}), "limits of cpu and memory");
    check(of, &format!("{sidecar}/resources/requests"), json!({}), "requests");
    check(of, &format!("{container}/securityContext/readOnlyRootFilesystem"), json!(false), "read-only root");
    check(of, &format!("{sidecar}/securityContext/allowPrivilegeEscalation"), json!(true), "gains no privileges");
    check(
        of,
        &format!("{container}/securityContext/capabilities"),
        json!({"drop": ["ALL"], "add": ["NET_ADMIN"]}),
        "capabilities",
    );
    check(of, &format!("{container}/securityContext/privileged"), json!(true), "is not privileged");
    check(of, &format!("{container}/image"), json!("registry.example:5000/api"), "of a version");
    check(of, &format!("{container}/image"), json!("registry.example/api:latest"), "of a version");
    check(of, &format!("{container}/livenessProbe"), Value::Null, "whether it lives");
    check(of, &format!("{sidecar}/livenessProbe"), Value::Null, "whether it lives");
    check(of, &format!("{container}/securityContext/runAsUser"), json!(0), "no user but its own");
    check(of, &format!("{pod}/securityContext/runAsNonRoot"), json!(false), "is not root");
    check(of, &format!("{pod}/securityContext/seccompProfile"), json!({"type": "Unconfined"}), "seccomp");
    check(of, &format!("{pod}/hostNetwork"), json!(true), "nothing of the node");
    check(of, &format!("{pod}/automountServiceAccountToken"), json!(true), "has a token only where");
    check(of, &format!("{pod}/terminationGracePeriodSeconds"), json!(12), "time to end");
    check(of, &format!("{pod}/volumes/0/emptyDir"), json!({}), "bounds");
    check("Deployment/teal-flags", &format!("{pod}/volumes/1/secret/defaultMode"), json!(0o444), "keeps secrets");
    check("ServiceAccount/teal-edge", "/automountServiceAccountToken", json!(true), "gives its token");
    check("NetworkPolicy/deny", "/spec/policyTypes", json!(["Ingress"]), "denied");
}
