//! The definition in `manifests/`, the round trip of a document, and the rules as a server enforces them.

use std::collections::BTreeSet;
use std::path::Path;

use kube::CustomResourceExt as _;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Cause, Document, Outcome, Pause, Phase};
use teal_rollout::policy::{Epoch, Salt, Verdict};
use teal_testkit::kubernetes::ApiServer;

use super::{BlueGreen, State};

mod variants;

/// The definition as YAML, with the line that says where it comes from.
fn generated() -> String {
    let definition = serde_json::to_value(BlueGreen::crd()).unwrap();
    format!(
        "# Generated from agent/src/cluster/resource: UPDATE_MANIFESTS=1 cargo test -p teal definition\n{}",
        serde_saphyr::to_string(&definition).unwrap()
    )
}

#[test]
fn no_format_stands_in_the_definition_that_api_servers_do_not_know() {
    let text = serde_json::to_string(&BlueGreen::crd()).unwrap();
    let formats: BTreeSet<&str> =
        text.split("\"format\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(formats.contains("int64"), "{formats:?}");
    let unknown: Vec<&&str> =
        formats.iter().filter(|it| !["int32", "int64", "double", "date-time"].contains(it)).collect();
    assert!(unknown.is_empty(), "kubectl would print a warning: {unknown:?}");
}

#[test]
fn the_definition_in_manifests_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/base/crd.yaml");
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, generated()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == generated(), "{} is old: run this test with UPDATE_MANIFESTS=1", path.display());
    let read: Value = serde_saphyr::from_str(&kept).unwrap();
    assert_eq!(read, serde_json::to_value(BlueGreen::crd()).unwrap(), "YAML that does not say what was meant");
}

#[test]
fn every_list_map_and_text_has_a_limit() {
    fn unlimited(schema: &Value, path: &str, found: &mut Vec<String>) {
        let limit = match schema["type"].as_str() {
            Some("array") => Some("maxItems"),
            Some("string") if schema.get("enum").is_none() && schema.get("pattern").is_none() => Some("maxLength"),
            Some("object") if schema.get("additionalProperties").is_some() => Some("maxProperties"),
            _ => None,
        };
        if let Some(limit) = limit.filter(|limit| schema.get(*limit).is_none()) {
            found.push(format!("{path} has no {limit}"));
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            unlimited(inner, &format!("{path}.{name}"), found);
        }
        if schema["items"].is_object() {
            unlimited(&schema["items"], &format!("{path}[]"), found);
        }
    }
    let definition = serde_json::to_value(BlueGreen::crd()).unwrap();
    let root = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let mut found = Vec::new();
    unlimited(&root["spec"], "spec", &mut found);
    unlimited(&root["status"], "status", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn docs_privacy_md_names_every_stored_field() {
    let privacy = include_str!("../../../../docs/privacy.md");
    let definition = serde_json::to_value(BlueGreen::crd()).unwrap();
    let root = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let names = |schema: &Value| -> Vec<String> {
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let spec = &root["spec"];
    let mut fields: Vec<String> = Vec::new();
    for name in names(spec) {
        let inner = names(&spec["properties"][&name]);
        if inner.is_empty() {
            fields.push(format!("`spec.{name}`"));
        }
        fields.extend(inner.into_iter().map(|inner| format!("`spec.{name}.{inner}`")));
    }
    fields.extend(names(&root["status"]).into_iter().map(|name| format!("`status.{name}`")));
    assert!(fields.len() > 25, "{fields:?}");
    let missing: Vec<&String> = fields.iter().filter(|field| !privacy.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "docs/privacy.md does not say what these hold: {missing:?}");
}

fn document() -> Document {
    let salt = Salt::try_from("r-7".to_owned()).unwrap();
    let mut document = Document::new(["api".to_owned(), "web".to_owned()], salt, vec!["edge".to_owned()]);
    document.revision = 12;
    document.epoch = Epoch { release: 7, verdict: Verdict::Open, step: 2 };
    document.components[0].candidate.colour = Colour::Green;
    document.components[0].candidate.version = Some("v1.2.3".to_owned());
    document.components[0].share = Share::percent(10);
    document.share = Share::percent(10);
    document.phase = Phase::Watching;
    document
}

#[test]
fn a_document_survives_the_resource() {
    let mut full = document();
    full.outcome = Some(Outcome::RolledBack);
    full.cause = Some(Cause::NotReady { reason: "api: image pull".to_owned() });
    full.paused = Some(Pause { by: "ops".to_owned() });
    full.emergency = vec!["api".to_owned()];
    for document in [document(), full, Document::new(["api".to_owned()], Salt::default(), vec![])] {
        let written = serde_json::to_string(&State::from(&document)).unwrap();
        let read: State = serde_json::from_str(&written).unwrap();
        assert_eq!(Document::from(read), document);
    }
}

/// A server that knows the definition.
async fn server() -> (ApiServer, Api<BlueGreen>) {
    let server = ApiServer::start();
    let definitions = Api::all(server.client());
    definitions.create(&PostParams::default(), &BlueGreen::crd()).await.unwrap();
    let api = Api::default_namespaced(server.client());
    (server, api)
}

/// An environment in the state of `document`.
async fn create(api: &Api<BlueGreen>, name: &str, document: &Document) -> kube::Result<BlueGreen> {
    let mut made = BlueGreen::new(name, super::BlueGreenSpec::default());
    made.spec.state = Some(State::from(document));
    api.create(&PostParams::default(), &made).await
}

/// An environment on a server of its own, in the state of [`document`].
async fn environment() -> (ApiServer, Api<BlueGreen>) {
    let (server, api) = server().await;
    create(&api, "prod", &document()).await.unwrap();
    (server, api)
}

#[tokio::test]
async fn the_server_keeps_the_invariants_whoever_writes() {
    let check = async |change: Value, message: &str| {
        let (_server, api) = environment().await;
        let mut change = change;
        if change["state"].is_object() && change["state"].get("revision").is_none() {
            change["state"]["revision"] = json!(13);
        }
        let patch = Patch::Merge(json!({"spec": change}));
        let result = api.patch("prod", &PatchParams::default(), &patch).await;
        match result {
            Ok(_) => assert!(message.is_empty(), "{change} was taken, wanted: {message}"),
            Err(kube::Error::Api(status)) => {
                assert!(!message.is_empty() && status.message.contains(message), "{change}: {}", status.message);
                assert_eq!(status.code, 422, "{change}: {}", status.message);
            }
            Err(other) => panic!("{change}: {other}"),
        }
    };
    let component = |stable: &str, candidate: &str, share: u32| json!({"name": "api", "stable": {"colour": stable}, "candidate": {"colour": candidate}, "share": share});
    // Forward, and bad.
    check(json!({"state": {"step": 3}}), "").await;
    check(json!({"state": {"release": 8, "step": 0, "edges": ["a", "b"]}}), "").await;
    check(json!({"state": {"verdict": "bad", "step": 0}}), "").await;
    // Never back.
    check(json!({"state": {"release": 6}}), "a release number never goes down").await;
    check(json!({"state": {"step": 1}}), "a step never goes down within a release").await;
    check(json!({"state": {"edges": ["a", "b"]}}), "the edges are fixed while a release is under way").await;
    check(json!({"state": {"step": 3, "revision": 12}}), "every write counts the revision up").await;
    check(json!({"state": null}), "the state cannot be removed").await;
    // What makes no sense.
    check(json!({"state": {"components": [component("blue", "blue", 1)]}}), "takes no part has no share").await;
    check(json!({"state": {"components": [component("blue", "red", 1)]}}), "supported values").await;
    check(json!({"state": {"components": [component("blue", "green", 100_001)]}}), "100000").await;
    check(json!({"state": {"salt": "a b"}}), "spec.state.salt").await;
    check(json!({"mode": "sometimes"}), "supported values").await;
    // Orders.
    let intent = |order: &str, versions: Value| json!({"intent": {"id": "i-1", "order": order, "versions": versions, "by": "ops"}});
    check(intent("deploy", json!({"api": "v2"})), "").await;
    check(intent("rollback", json!({})), "").await;
    check(intent("deploy", json!({})), "a deploy names versions").await;
    check(intent("rollback", json!({"api": "v2"})), "a deploy names versions").await;
    check(intent("dance", json!({})), "supported values").await;
}

#[tokio::test]
async fn bad_never_becomes_good() {
    let (_server, api) = environment().await;
    let write = async |state: Value| {
        let patch = Patch::Merge(json!({"spec": {"state": state}}));
        api.patch("prod", &PatchParams::default(), &patch).await.map_err(|error| error.to_string())
    };
    write(json!({"verdict": "bad", "revision": 13})).await.unwrap();
    let refused = write(json!({"verdict": "open", "revision": 14})).await.unwrap_err();
    assert!(refused.contains("bad never becomes good"), "{refused}");
    write(json!({"release": 8, "verdict": "open", "step": 0, "revision": 14})).await.unwrap();
}

#[tokio::test]
async fn an_order_is_given_once_under_its_id() {
    let (_server, api) = environment().await;
    let order = async |id: &str, order: &str| {
        let patch = Patch::Merge(json!({"spec": {"intent": {"id": id, "order": order, "by": "ops"}}}));
        api.patch("prod", &PatchParams::default(), &patch).await.map_err(|error| error.to_string())
    };
    order("i-1", "pause").await.unwrap();
    order("i-1", "pause").await.unwrap();
    let refused = order("i-1", "resume").await.unwrap_err();
    assert!(refused.contains("another order needs another id"), "{refused}");
    order("i-2", "resume").await.unwrap();
    let gone = Patch::Merge(json!({"spec": {"intent": null}}));
    let refused = api.patch("prod", &PatchParams::default(), &gone).await.unwrap_err().to_string();
    assert!(refused.contains("an order stays until the next one"), "{refused}");
}
