//! What one object says of another is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ALL, containers, id, kind, list, name, of, pod, render, text, workloads};

/// Secrets that people bring, because nothing that is secret is in a repository.
const BROUGHT: [&str; 6] =
    ["physioflow-api", "teal-edge-tls", "teal-flags-postgres", "teal-flags-tls", "teal-observer", "teal-relay"];

fn labels(workload: &Value) -> &Value {
    &workload["spec"]["template"]["metadata"]["labels"]
}

/// Whether a label selector (or, of a Service, a plain map) chooses these labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let plain = |map: &Value| map.as_object().is_none_or(|map| map.iter().all(|(name, value)| labels[name] == *value));
    if selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none() {
        return plain(selector);
    }
    let is_in = |expression: &Value| {
        assert_eq!(expression["operator"], "In", "{expression}");
        list(&expression["values"]).contains(&labels[text(&expression["key"])])
    };
    plain(&selector["matchLabels"]) && list(&selector["matchExpressions"]).iter().all(is_in)
}

/// Everything that is wrong with what `objects` say of each other.
fn dangling(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let has = |wanted: &str| objects.iter().any(|object| id(object) == wanted);
    let mut needs = |who: &Value, wanted: String| {
        if !has(&wanted) {
            wrong.push(format!("{}: there is no {wanted}", id(who)));
        }
    };
    for workload in workloads(objects) {
        let pod = pod(workload);
        if let Some(account) = pod["serviceAccountName"].as_str() {
            needs(workload, format!("ServiceAccount/{account}"));
        }
        let volumes = list(&pod["volumes"]).iter();
        let sources = containers(pod).into_iter().flat_map(|container| list(&container["envFrom"])).chain(volumes);
        for source in sources {
            for map in ["configMapRef", "configMap"].iter().filter_map(|field| source[field]["name"].as_str()) {
                needs(workload, format!("ConfigMap/{map}"));
            }
            if let Some(claim) = source["persistentVolumeClaim"]["claimName"].as_str() {
                needs(workload, format!("PersistentVolumeClaim/{claim}"));
            }
        }
    }
    for autoscaler in of(objects, "HorizontalPodAutoscaler") {
        let target = &autoscaler["spec"]["scaleTargetRef"];
        needs(autoscaler, format!("{}/{}", text(&target["kind"]), text(&target["name"])));
    }
    for binding in of(objects, "RoleBinding") {
        needs(binding, format!("{}/{}", text(&binding["roleRef"]["kind"]), text(&binding["roleRef"]["name"])));
        for subject in list(&binding["subjects"]) {
            needs(binding, format!("{}/{}", text(&subject["kind"]), text(&subject["name"])));
        }
    }
    let is_elsewhere = |binding: &&Value| {
        list(&binding["subjects"]).iter().any(|subject| subject["namespace"] != binding["metadata"]["namespace"])
    };
    let elsewhere = of(objects, "RoleBinding").into_iter().filter(is_elsewhere);
    wrong.extend(elsewhere.map(|binding| format!("{} binds somebody of another namespace", id(binding))));
    wrong.extend(selectors(objects));
    wrong.extend(ports_and_volumes(objects));
    wrong.extend(unheard_probes(objects));
    wrong
}

/// Selectors that choose nothing, or more than they should.
fn selectors(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let workloads = workloads(objects);
    let chosen = |selector: &Value| -> Vec<&Value> {
        workloads.iter().copied().filter(|workload| selects(selector, labels(workload))).collect()
    };
    for workload in &workloads {
        let own: Vec<String> = chosen(&workload["spec"]["selector"]).iter().map(|chosen| id(chosen)).collect();
        if own != [id(workload)] {
            wrong.push(format!("{} selects {own:?}", id(workload)));
        }
        let spread =
            list(&pod(workload)["topologySpreadConstraints"]).iter().map(|constraint| &constraint["labelSelector"]);
        for selector in spread {
            if chosen(selector).iter().map(|chosen| id(chosen)).collect::<Vec<_>>() != [id(workload)] {
                wrong.push(format!("{} is spread among others: {selector}", id(workload)));
            }
        }
        let preferred = "/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution";
        for term in pod(workload).pointer(preferred).map_or(&[][..], list) {
            if chosen(&term["podAffinityTerm"]["labelSelector"]).len() < 2 {
                wrong.push(format!("{} keeps away from nobody else", id(workload)));
            }
        }
    }
    for service in of(objects, "Service") {
        let found = chosen(&service["spec"]["selector"]);
        if found.is_empty() {
            wrong.push(format!("{} selects no Pod", id(service)));
        }
        for port in list(&service["spec"]["ports"]) {
            let target = text(&port["targetPort"]);
            let named = |workload: &&Value| {
                containers(pod(workload)).iter().any(|c| list(&c["ports"]).iter().any(|port| port["name"] == target))
            };
            if !found.iter().all(named) {
                wrong.push(format!("{}: no port is called {target}", id(service)));
            }
        }
    }
    for budget in of(objects, "PodDisruptionBudget") {
        if chosen(&budget["spec"]["selector"]).is_empty() {
            wrong.push(format!("{} selects no Pod", id(budget)));
        }
        if budget["spec"]["maxUnavailable"] != 1 {
            wrong.push(format!("{}: maxUnavailable is not 1", id(budget)));
        }
    }
    for policy in of(objects, "NetworkPolicy") {
        let peers = ["ingress", "egress"].iter().flat_map(|way| list(&policy["spec"][way]));
        let peers = peers.flat_map(|rule| list(&rule["from"]).iter().chain(list(&rule["to"])));
        let of_here =
            peers.filter(|peer| peer.get("namespaceSelector").is_none()).filter_map(|peer| peer.get("podSelector"));
        for selector in of_here.chain([&policy["spec"]["podSelector"]]) {
            if chosen(selector).is_empty() {
                wrong.push(format!("{}: {selector} selects no Pod", id(policy)));
            }
        }
    }
    wrong
}

/// Ports that probes ask, and that no policy opens to the nodes, where kubelets ask from.
fn unheard_probes(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for workload in workloads(objects) {
        let policies = of(objects, "NetworkPolicy").into_iter();
        let of_it: Vec<&Value> =
            policies.filter(|policy| selects(&policy["spec"]["podSelector"], labels(workload))).collect();
        let opens = |rule: &Value, port: &str| {
            let from = list(&rule["from"]);
            (from.is_empty() || from.iter().any(|from| from.get("ipBlock").is_some()))
                && list(&rule["ports"]).iter().any(|open| open["port"] == port)
        };
        for container in containers(pod(workload)) {
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                let asked =
                    container[probe]["httpGet"]["port"].as_str().or(container[probe]["tcpSocket"]["port"].as_str());
                let Some(port) = asked else { continue };
                if !of_it.iter().flat_map(|policy| list(&policy["spec"]["ingress"])).any(|rule| opens(rule, port)) {
                    wrong.push(format!(
                        "{}: no policy lets the {probe} of {} in",
                        id(workload),
                        text(&container["name"])
                    ));
                }
            }
        }
    }
    wrong
}

fn ports_and_volumes(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for workload in workloads(objects) {
        let pod = pod(workload);
        let volumes: BTreeSet<&str> = list(&pod["volumes"]).iter().map(|volume| text(&volume["name"])).collect();
        let mut used = BTreeSet::new();
        for container in containers(pod) {
            let ports: Vec<&str> = list(&container["ports"]).iter().map(|port| text(&port["name"])).collect();
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                let asked =
                    container[probe]["httpGet"]["port"].as_str().or(container[probe]["tcpSocket"]["port"].as_str());
                if asked.is_some_and(|port| !ports.contains(&port)) {
                    wrong.push(format!("{}: {probe} asks {asked:?}", id(workload)));
                }
            }
            used.extend(list(&container["volumeMounts"]).iter().map(|mount| text(&mount["name"])));
        }
        if used != volumes {
            wrong.push(format!("{}: mounts {used:?} and has {volumes:?}", id(workload)));
        }
        let secrets = list(&pod["volumes"]).iter().filter_map(|volume| volume["secret"]["secretName"].as_str());
        let of_containers = containers(pod);
        let from = of_containers
            .iter()
            .flat_map(|c| list(&c["envFrom"]))
            .filter_map(|from| from["secretRef"]["name"].as_str());
        for secret in secrets.chain(from).filter(|secret| !BROUGHT.contains(secret)) {
            wrong.push(format!("{}: nobody is told to bring Secret {secret}", id(workload)));
        }
    }
    wrong
}

#[test]
fn what_objects_say_of_each_other_is_so() {
    for overlay in ALL {
        let wrong = dangling(&render(overlay));
        assert!(wrong.is_empty(), "{overlay}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_broken_reference_is_seen() {
    let check = |of: &str, path: &str, to: &str, words: &str| {
        let mut objects = render("examples/larger");
        let object = objects.iter_mut().find(|object| id(object) == of).unwrap();
        let value = object.pointer_mut(path).unwrap_or_else(|| panic!("{of} has no {path}"));
        *value = Value::from(to);
        let wrong = dangling(&objects);
        assert!(wrong.iter().any(|line| line.contains(words)), "{of}{path}: {wrong:?}");
    };
    let pod = "/spec/template/spec";
    check(
        "Deployment/physioflow-api-blue",
        &format!("{pod}/containers/0/envFrom/0/configMapRef/name"),
        "x",
        "ConfigMap/x",
    );
    check("Deployment/teal-flags", &format!("{pod}/serviceAccountName"), "x", "ServiceAccount/x");
    check(
        "Deployment/teal-edge-a",
        &format!("{pod}/volumes/3/persistentVolumeClaim/claimName"),
        "x",
        "PersistentVolumeClaim/x",
    );
    check("Deployment/teal-edge-a", &format!("{pod}/volumes/0/name"), "x", "mounts");
    check("Deployment/teal-flags", &format!("{pod}/containers/0/readinessProbe/httpGet/port"), "x", "readinessProbe");
    check("Deployment/teal-flags", &format!("{pod}/volumes/1/secret/secretName"), "x", "Secret x");
    check("HorizontalPodAutoscaler/physioflow-api-green", "/spec/scaleTargetRef/name", "x", "Deployment/x");
    check("Service/physioflow-web-green", "/spec/selector/version", "x", "selects no Pod");
    check("Service/physioflow-api", "/spec/ports/0/targetPort", "x", "no port is called x");
    check("PodDisruptionBudget/physioflow-api-blue", "/spec/selector/matchLabels/version", "x", "selects no Pod");
    check("NetworkPolicy/api-to-flags", "/spec/egress/0/to/0/podSelector/matchLabels/app", "x", "selects no Pod");
    check(
        "NetworkPolicy/relay-metrics",
        "/spec/ingress/0/ports/0/port",
        "x",
        "lets the livenessProbe of flag-relay in",
    );
    check("RoleBinding/teal-edge", "/subjects/0/name", "x", "ServiceAccount/x");
    check("RoleBinding/teal-edge", "/roleRef/name", "x", "Role/x");
    check("RoleBinding/teal-edge", "/subjects/0/namespace", "x", "another namespace");
}

#[test]
fn node_ports_belong_to_one_service_of_the_cluster() {
    let mut taken: BTreeMap<u64, String> = BTreeMap::new();
    for overlay in ["overlays/dev", "overlays/staging", "overlays/prod"] {
        let objects = render(overlay);
        let mut count = 0;
        for service in of(&objects, "Service") {
            let is_colour = ["-blue", "-green"].iter().any(|colour| name(service).ends_with(colour));
            assert_eq!(service["spec"]["type"] == "NodePort", is_colour, "{overlay} {}", id(service));
            for port in list(&service["spec"]["ports"]).iter().filter_map(|port| port["nodePort"].as_u64()) {
                count += 1;
                assert!((30_000..=32_767).contains(&port), "{overlay} {}: {port}", id(service));
                if let Some(other) = taken.insert(port, format!("{overlay} {}", id(service))) {
                    panic!("{port} is that of {other} and of {overlay} {}", id(service));
                }
            }
        }
        assert_eq!(count, 4, "{overlay}: each colour of each component has a port of the nodes");
    }
}

#[test]
fn everything_lives_in_the_namespace_of_its_environment() {
    for (overlay, namespace) in
        ALL.iter().zip(["physioflow-dev", "physioflow-staging", "physioflow-prod", "physioflow-prod"])
    {
        for object in &render(overlay) {
            match kind(object) {
                "Namespace" => assert_eq!(name(object), namespace, "{overlay}"),
                // Deleting one environment would end what belongs to the cluster.
                "CustomResourceDefinition" | "ClusterRole" | "ClusterRoleBinding" => {
                    panic!("{overlay} has {}", id(object))
                }
                _ => assert_eq!(object["metadata"]["namespace"], namespace, "{overlay} {}", id(object)),
            }
        }
    }
}
