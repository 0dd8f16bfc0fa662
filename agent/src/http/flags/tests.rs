//! The document is the router's, and as it is committed.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::*;
use crate::access::{Directory, RULES};
use crate::flags::{Place, Service, Settings};
use crate::http::serve::Peer;

/// What a method of the door answers, asked as a client on this machine does.
async fn ask(router: &Router, method: Method, path: &str) -> (StatusCode, String, String) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost").body(Body::from("{}"));
    let mut request = request.unwrap();
    request.extensions_mut().insert(Peer::Address([127, 0, 0, 1].into()));
    let answer = TowerToHyperService::new(router.clone()).call(request).await.unwrap();
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status(), header("allow"), header("content-type"))
}

async fn door() -> (tempfile::TempDir, Router, CancellationToken) {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let settings = Settings {
        place: Place::File(folder.path().join("flags.db")),
        seen: folder.path().join("flags.seen"),
        may_migrate: true,
    };
    let (service, _) = Service::open(settings, stop.clone()).await.unwrap();
    let counters = Arc::<Counters>::default();
    let access = Arc::new(Access::new(open_here(), true, counters.clone()));
    let places = Places::new(9, 9, counters);
    let (tokens, _) = service.keep_tokens(None, stop.clone()).await;
    (folder, router(Keeper::Service(service), Some(tokens), access, places, stop.clone()), stop)
}

/// As in `--dev`.
fn open_here() -> access::Settings {
    access::Settings {
        tokens: tokio::sync::watch::channel(Arc::<Directory>::default()).1,
        from_here: access::FromHere::Nothing,
        legacy: Vec::new(),
        trusted_proxies: Vec::new(),
        person_header: http::HeaderName::from_static("x-teal-user"),
        hosts: Vec::new(),
        origins: Vec::new(),
        per_token: 1000,
        per_address: 1000,
    }
}

#[tokio::test]
async fn who_comes_from_nowhere_is_nobody() {
    let (_folder, router, stop) = door().await;
    let request = Request::builder().uri(ALL).header("host", "localhost").body(Body::empty()).unwrap();
    let answer = TowerToHyperService::new(router).call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    stop.cancel();
}

/// What is not in the table nobody may do; what is there and not served is said for nothing.
#[test]
fn every_path_of_the_door_has_its_rule_and_every_rule_its_path() {
    let served: BTreeSet<String> =
        routes().described().iter().map(|served| format!("{} {}", served.method, served.path)).collect();
    let ruled: BTreeSet<String> = RULES.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    assert_eq!(served, ruled);
}

fn document() -> Value {
    serde_json::from_str(&openapi::text(routes().described())).unwrap()
}

#[test]
fn the_document_is_the_committed_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = openapi::text(routes().described());
    if std::env::var_os("TEAL_UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "docs/openapi.json is not what the code says: run this test with TEAL_UPDATE_OPENAPI=1");
}

#[tokio::test]
async fn the_router_answers_what_the_document_has_and_nothing_else() {
    let (_folder, router, _stop) = door().await;
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let at = path.replace("{flag}", "telehealth").replace("{key}", "telehealth").replace("{segment}", "staff");
        let mut documented: BTreeSet<String> =
            methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        if documented.contains("GET") {
            documented.insert("HEAD".into());
        }
        documented.insert("OPTIONS".into());
        let allowed = documented.iter().cloned().collect::<Vec<_>>().join(", ");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let (status, allow, kind) = ask(&router, method.parse().unwrap(), &at).await;
            let is_known = documented.contains(method);
            assert_eq!(status == StatusCode::METHOD_NOT_ALLOWED, !is_known, "{method} {path}");
            if !is_known || method == "OPTIONS" {
                assert_eq!(allow, allowed, "{method} {path}");
            }
            if !is_known {
                assert_eq!(kind, "application/problem+json", "{method} {path}");
            }
            let said = &methods[method.to_lowercase()]["responses"];
            assert!(said.is_null() || said[status.as_str()].is_object(), "{method} {path}: {status} is not documented");
        }
    }
}

#[tokio::test]
async fn what_is_no_path_of_the_door_is_a_problem() {
    let (_folder, router, _stop) = door().await;
    for path in [
        "/",
        "/api",
        "/api/v1/feature-flags/",
        "/api/v1/feature-flags/8/",
        "/api/v1/feature-flags/8/checks",
        "/api/v1/feature-flags//check",
    ] {
        let (status, _, kind) = ask(&router, Method::GET, path).await;
        assert_eq!((status, kind.as_str()), (StatusCode::NOT_FOUND, "application/problem+json"), "{path}");
    }
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = &document["components"]["schemas"];
    // Every reference leads somewhere.
    let text = document.to_string();
    let named: BTreeSet<&str> =
        text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(schemas[name].is_object(), "{name}");
    }
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap() {
            assert!(ids.insert(said["operationId"].as_str().unwrap()), "{method} {path}: its id is there twice");
            for status in ["400", "401", "403", "429", "503"] {
                assert!(said["responses"][status].is_object(), "{method} {path} {status}");
            }
            for name in path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
                let parameters = said["parameters"].as_array().unwrap();
                let place = parameters.iter().find(|one| one["name"] == name && one["in"] == "path").unwrap();
                assert!(!place["description"].as_str().unwrap().is_empty(), "{path}: nobody says what `{name}` is");
            }
            for (status, answer) in said["responses"].as_object().unwrap() {
                let kind = &answer["content"]["application/json"]["schema"]["$ref"];
                let is_by_ofrep = path.starts_with("/ofrep/") && kind == "#/components/schemas/OfrepError";
                if status.as_str() >= "400" && !is_by_ofrep {
                    let problem = &answer["content"]["application/problem+json"]["example"];
                    assert!(problem["title"].is_string(), "{method} {path} {status}");
                }
            }
        }
    }
}
