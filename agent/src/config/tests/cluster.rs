//! What belongs to Kubernetes.

use super::*;

#[test]
fn workloads_have_the_names_that_a_namespace_gives_them() {
    let config = read(&KUBERNETES.replace("namespace = \"physioflow-prod\"\n", ""));
    let prod = &config.environments["prod"];
    assert_eq!(prod.namespace.as_deref(), Some("physioflow-prod"));
    let api = prod.components["api"].runs.workload().unwrap();
    assert_eq!((api.name.as_str(), api.replicas, api.secrets), ("physioflow-api", None, true));
    assert_eq!(prod.components["api"].addresses(Colour::Green)[1].to_string(), "192.0.2.12:30181");
}

#[test]
fn where_selectors_switch_no_edge_is_asked_for() {
    let edge = KUBERNETES.split("[environments.prod.edge]").nth(1).unwrap().split("\n\n").next().unwrap();
    let text = KUBERNETES.replace(&format!("[environments.prod.edge]{edge}"), "switch = { by = \"selector\" }");
    assert_eq!(read(&text).environments["prod"].switch.by, SwitchBy::Selector);
}

#[test]
fn every_agent_counts_the_edges_in_the_same_order() {
    let edges = |name: &str, peers: &str| {
        let text = KUBERNETES.replace("user = ", &format!("name = \"{name}\"\npeers = {peers}\nuser = "));
        read(&text).settings("prod").unwrap().edges
    };
    assert_eq!(edges("south", "[\"north\"]"), ["north", "south"]);
    assert_eq!(edges("north", "[\"south\"]"), ["north", "south"]);
}

#[test]
fn a_mistake_about_a_cluster_says_what_belongs_together() {
    let check = |from: &str, to: &str, words: &str| {
        let found = mistakes(&KUBERNETES.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].contains(words), "{to}: {}", found[0]);
    };
    check("container = \"api\"", "run = [\"api\"]", "`run` belongs to `kind = \"local\"`, and [platform] says `kind");
    check("container = \"api\"", "name = \"API\"", "`API` is no name of a Service");
    check("container = \"api\"", "replicas = 0", "leave it away for as many as serve");
    check("[\"192.0.2.11:30180\", \"192.0.2.12:30180\"]", "[]", "at least one address, `node:nodePort`");
    check("192.0.2.11:30181", "192.0.2.11:30180", "192.0.2.11:30180 is blue's as well");
    check("namespace = \"physioflow-prod\"", "namespace = \"Prod\"", "`Prod` is no namespace");
    check("kubeconfig = \"/etc/teal/kubeconfig\"", "context = \"home\"", "a context is one of a kubeconfig");
    check("user = ", "peers = [\"edge\"]\nuser = ", "`edge` stands there twice");
    let found = mistakes(&KUBERNETES.replace("user = ", "[environments.prod.switch]\nby = \"selector\"\n#"));
    assert!(found.len() == 2 && found[0].contains("`map` is an edge's"), "{found:#?}");
    check(
        "user = \"cookie:uid\"",
        "[environments.prod.switch]\nby = \"service\"",
        "`service` is not one of edge, selector",
    );
    let local = |to: &str, words: &str| {
        let found = mistakes(&format!("{LEAST}{to}\n"));
        assert!(found.len() == 1 && found[0].contains(words), "{to}: {found:#?}");
    };
    local("secrets = true", "`secrets` belongs to `kind = \"kubernetes\"`");
    let found = mistakes(&format!("{LEAST}[environments.prod.switch]\nby = \"selector\"\n"));
    assert!(found.iter().any(|found| found.contains("a selector is one of a cluster's Services")), "{found:#?}");
    local("[platform]\nkubeconfig = \"/k\"", "`kubeconfig` leads to a cluster");
    local("[environments.prod]\nnamespace = \"x\"", "a namespace is one of a cluster");
}
