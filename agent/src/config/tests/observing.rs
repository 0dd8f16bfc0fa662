//! Agents on the nodes, and the door of those whom they tell.

use super::*;

pub(super) const DIGEST: &str = "teal_0123456789ab:60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55";

/// An agent on a node.
pub(super) const OBSERVER: &str = r#"
app = "shop"
state = "/var/lib/teal"
[agent]
roles = ["observer"]
name = "n1"
node = "n1"
report_to = ["https://edge-a:9464", "http://127.0.0.1:9464"]
token_file = "/etc/teal/edges/token"
[platform]
kind = "kubernetes"
[environments.prod]
[environments.staging]
namespace = "stage"
[environments.staging.components.web]
name = "web2"
[components.api]
"#;

#[test]
fn an_observer_needs_no_edge_and_knows_whose_pods_it_watches() {
    let config = read(OBSERVER);
    let name = |environment: &str, component: &str| config.observed[environment].components[component].name.clone();
    assert!(config.environments.is_empty());
    assert_eq!((config.observed["prod"].namespace.as_str(), name("prod", "api").as_str()), ("shop-prod", "shop-api"));
    assert_eq!((config.observed["staging"].namespace.as_str(), name("staging", "web").as_str()), ("stage", "web2"));
    assert_eq!(config.observed["staging"].components.len(), 2);
}

#[test]
fn roles_and_doors_that_make_no_sense_are_refused() {
    let check = |text: &str, words: &str| {
        let found = mistakes(text);
        assert!(found.iter().any(|mistake| mistake.contains(words)), "{words}: {found:#?}");
    };
    let observer = |from: &str, to: &str| {
        assert!(OBSERVER.contains(from), "{from}");
        OBSERVER.replacen(from, to, 1)
    };
    check(&observer("\"observer\"", "\"watcher\""), "`watcher` is not one of controller, edge, observer");
    check(&observer("\"observer\"", "\"edge\""), "these do not go together");
    check(&observer("[\"observer\"]", "[]"), "these do not go together");
    check(&observer("\"observer\"", "\"observer\", \"edge\""), "these do not go together");
    check(&observer("roles = [\"observer\"]", ""), "`report_to` is for an observer");
    check(&observer("kind = \"kubernetes\"", ""), "an observer watches the Pods of a node");
    check(&observer("token_file = \"/etc/teal/edges/token\"", ""), "`token_file` is missing");
    check(&observer("\"https://edge-a:9464\"", "\"http://edge-a:9464\""), "the token would travel in clear to edge-a");
    check(&observer("\"https://edge-a:9464\"", "\"https://a:b@edge-a\""), "`token_file`");
    check(&observer("node = \"n1\"", "node = \"a b\""), "this must be a node's name");
    check(
        &observer("[environments.prod]", "[watch]\n[environments.prod]"),
        "an observer watches Pods and does nothing else",
    );
    check(&observer("[environments.prod]", "[environments.prod.edge]\nmap = \"/m\""), "unknown key `edge`");
    check(&observer("[components.api]", "[components.api]\nblue = []"), "unknown key `blue`");
    check(
        &observer("[components.api]", "[notify]\nwebhook = \"https://x\"\n[components.api]"),
        "unknown key `webhook`",
    );

    let door = |more: &str| format!("{KUBERNETES}\n[observers]\n{more}");
    let good = format!("tokens = [\"{DIGEST}\"]");
    read(&door(&good));
    check(&door(""), "`tokens` is missing");
    check(&door("tokens = []"), "nobody could tell anything");
    check(&door("tokens = [\"teal_0123456789ab_5ec7e7\"]"), "never the token itself");
    check(&door(&format!("{good}\nlisten = \"0.0.0.0:9464\"")), "tokens would travel in clear");
    read(&door(&format!("{good}\nlisten = \"0.0.0.0:9464\"\ninsecure_http = true")));
    check(&door(&format!("{good}\nlisten = \"127.0.0.1:9180\"")), "is `agent.listen` as well");
    check(&door(&format!("{good}\ntls_key_file = \"/k\"")), "a key needs its certificate");
    check(&format!("{LEAST}\n[observers]\n{good}"), "observers watch Pods");
}
