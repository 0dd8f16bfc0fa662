//! `export`, `import`, `compare`, `stale`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::Agent;

const OURS: &str = r#"
segments:
- name: staff
  include: [user-1, user-2]
flags:
- name: new-editor
  enabled: true
  rollout_percentage: 12.345
  rules:
  - conditions: [{segment: staff}]
- name: video-billing
  enabled: true
  prerequisites: [{flag: z-first}]
- name: z-first
  enabled: true
- name: telehealth
  description: Telehealth
  enabled: true
"#;

impl Agent {
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_comes_back_exactly_and_a_second_import_does_nothing() {
    let agent = Agent::started().await;
    let file = agent.file("ours.yaml", OURS);
    let import = ["import", &file];
    agent.flags(&[&import[..], &["--dry-run"]].concat()).expect(
        0,
        &[
            "(Teal's own): 4 to create, 1 to change",
            "+ segment staff",
            "~ flag telehealth\n    enabled    off -> on",
            "--  dry run: nothing was changed",
        ],
    );
    assert_eq!(agent.get("").await["total"], 10);
    agent.flags(&import).expect(2, &["nobody is at the terminal", "--yes"]);
    agent.flags(&[&import[..], &["--yes"]].concat()).expect(0, &["ok  5 done"]);
    assert_eq!(agent.get("/telehealth/audit-log").await["entries"][0]["reason"], format!("imported from {file}"));
    agent.flags(&[&import[..], &["--yes"]].concat()).expect(0, &["5 the same", "ok  nothing to do"]);

    for name in ["all.json", "all.yaml"] {
        let path = agent.path(name).display().to_string();
        agent.flags(&["export", "--output", &path]).expect(0, &["13 flags, 1 segments", "2 ids of users"]);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(!before.contains("version") && !before.contains("created_at"), "{before}");
        // Whatever is changed meanwhile is put back, and what is there beside it stays.
        for flag in ["new-editor", "video-billing", "z-first"] {
            agent.flags(&["delete", flag, "--yes", "--reason", "x"]).expect(0, &[]);
        }
        let odd =
            json!({"schedule": {"until": "2027-01-01T00:00:00Z"}, "rules": [{"off": true}], "environments": ["dev"]});
        agent.patch("telehealth", odd).await;
        agent.flags(&["import", &path, "--yes"]).expect(0, &["3 to create, 1 to change, 10 the same", "ok  4 done"]);
        agent.flags(&["export", "--output", &path]).expect(0, &[]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    }
    let printed = agent.flags(&["export", "--json"]);
    let line = printed.text.lines().find(|line| line.starts_with('{')).unwrap();
    let exported: Value = serde_json::from_str(line).unwrap();
    assert_eq!(exported["flags"].as_array().unwrap().len(), 13);
    agent.flags(&["export", "--json", "--format", "yaml"]).expect(2, &["--format yaml"]);
    let printed = agent.flags(&["export", "--format", "yaml"]);
    printed.expect(0, &["rollout_percentage: 12.345"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_refused_in_the_plan_and_the_rest_is_brought_in() {
    let agent = Agent::started().await;
    let text = r#"{"flags": [{"name": "good", "enabled": true}, {"name": "bad", "rollout_percentage": 101},
        {"name": "needy", "prerequisites": [{"flag": "bad"}]}, {"name": "odd", "colour": "red"}]}"#;
    let file = agent.file("mixed.json", text);
    agent.flags(&["import", &file, "--yes"]).expect(
        1,
        &[
            "1 to create, 3 refused",
            "! flag bad\n    flags[1].rollout_percentage: ",
            "there is no flag `bad`",
            "colour: is no field of a flag",
            "ok  1 done; what was refused is left out",
        ],
    );
    assert_eq!(agent.get("").await["total"], 11);
    let check =
        |name: &str, text: &str, words: &[&str]| agent.flags(&["import", &agent.file(name, text)]).expect(2, words);
    check("broken.json", "{", &["broken.json: is no JSON"]);
    check("other.json", "{\"a\": 1}", &["--format says what it is"]);
    agent.flags(&["import", "/nowhere.json"]).expect(2, &["/nowhere.json: No such file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_unleash_and_flagd_come_with_a_report() {
    let agent = Agent::started().await;
    let unleash = json!({"version": 2, "features": [
        {"name": "Feature.A", "enabled": true, "strategies": [{"name": "flexibleRollout",
            "parameters": {"rollout": "30", "stickiness": "default", "groupId": "Feature.A"}}]},
        {"name": "telehealth", "enabled": true, "strategies": [{"name": "myOwn", "parameters": {}}]}]});
    let file = agent.file("unleash.json", &unleash.to_string());
    let said = agent.flags(&["import", &file, "--prefix", "old.", "--yes"]);
    said.expect(
        0,
        &[
            "(Unleash): 2 to create; 2 findings",
            "Feature.A: its name is not allowed here; it is called feature.a",
            "telehealth: ",
        ],
    );
    let plan = said.text.find("+ flag").zip(said.text.find("2 findings to read above"));
    assert!(plan.is_some_and(|(plan, summary)| plan < summary), "{}", said.text);
    assert_eq!(agent.get("/old.feature.a").await["enabled"], true);
    assert_eq!(agent.get("/telehealth").await["version"], 1);
    let flagd = agent.file(
        "flagd.yaml",
        "flags:\n  Dark:\n    state: ENABLED\n    variants: {on: true, off: false}\n    defaultVariant: 'on'\n",
    );
    agent.flags(&["import", &flagd, "--yes"]).expect(0, &["(flagd): 1 to create", "it is called dark"]);
    let told = agent.flags_json(&["import", &flagd, "--yes"]);
    assert_eq!((&told["plan"][0]["action"], &told["applied"]), (&json!("same"), &json!(0)));
}

/// A service that answers like PhysioFlow's check: on for users whose number is even, of the flags that it knows.
async fn physioflow(known: &'static [&'static str]) -> (String, Arc<Mutex<u64>>, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<u64>>::default();
    let count = asked.clone();
    let app = Router::new().fallback(move |request: Request| async move {
        let (head, _) = request.into_parts();
        let path = head.uri.path().to_owned();
        let flag = path.strip_prefix("/api/v1/feature-flags/").and_then(|rest| rest.strip_suffix("/check"));
        if head.method != Method::GET || !flag.is_some_and(|flag| known.contains(&flag)) {
            return (StatusCode::NOT_FOUND, "not found".to_owned()).into_response();
        }
        *count.lock().unwrap() += 1;
        let user = head.uri.query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("user_id=user-"));
        let is_even = user.and_then(|number| number.parse::<u64>().ok()).is_some_and(|number| number.is_multiple_of(2));
        json!({"success": true, "data": {"enabled": is_even}}).to_string().into_response()
    });
    let task = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    (url, asked, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_change_side_is_counted_against_a_service_like_physioflows() {
    let agent = Agent::started().await;
    let (url, asked, task) = physioflow(&["telehealth", "billing_integration"]).await;
    let ids: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let users = agent.file("users.txt", &ids.join("\n"));
    let compare = ["compare", "--old", &url, "--users", &users];
    // telehealth is off for all here, billing_integration on for all; each is right for half of them.
    let said = agent.flags(&compare);
    said.expect(
        1,
        &[
            "on -> off 50",
            "off -> on 50",
            "not known there",
            "!!  100 of 100 users would change side",
            "--json names them",
        ],
    );
    assert!(!said.text.contains("user-7") && !said.text.contains('\u{1b}'), "{}", said.text);
    assert!(*asked.lock().unwrap() >= 200);

    let told = agent.flags(&[&compare[..], &["--flag", "telehealth", "--json"]].concat());
    told.expect(1, &[]);
    let told: Value = serde_json::from_str(told.text.lines().last().unwrap()).unwrap();
    assert_eq!((told["movers"].as_array().unwrap().len(), &told["kind"]), (50, &json!("REST check by GET")));
    assert_eq!(told["movers"][1], json!({"user": "user-2", "flag": "telehealth", "old": "on", "new": "off"}));

    let even: Vec<&str> = ids.iter().map(String::as_str).step_by(2).collect();
    let users = agent.file("even.txt", &even.join("\n"));
    let renamed = ["compare", "--old", &url, "--users", &users, "--flag", "telehealth=billing_integration"];
    agent.flags(&renamed).expect(0, &["ok  nobody changes side: 50 users"]);
    agent
        .flags(&["compare", "--old", &url, "--users", &users, "--flag", "telehelth"])
        .expect(2, &["did you mean telehealth?"]);
    let nobody = ["compare", "--old", &url, "--users", &users, "--flag", "advanced_reporting"];
    agent.flags(&nobody).expect(1, &["answers for none of these flags", "--old-kind"]);
    task.abort();
    let gone = ["compare", "--old", "http://127.0.0.1:1", "--users", &users];
    agent.flags(&gone).expect(5, &["http://127.0.0.1:1 cannot be reached"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_compared_with_a_service_that_speaks_ofrep() {
    let agent = Agent::started().await;
    let variants =
        json!({"name": "price-page", "enabled": true, "variants": [{"name": "wide", "value": {"columns": 3}}]});
    assert!(agent.request(Method::POST, "").json(&variants).send().await.unwrap().status().is_success());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(async |request: Request| {
        let (head, body) = request.into_parts();
        if head.uri.path() != "/ofrep/v1/evaluate/flags/price-page" {
            return (StatusCode::NOT_FOUND, r#"{"errorCode": "FLAG_NOT_FOUND"}"#.to_owned());
        }
        let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        let columns = if body["context"]["clinic"] == "hcm-3" { 2.0 } else { 3.0 };
        (StatusCode::OK, json!({"key": "price-page", "value": {"columns": columns}, "reason": "STATIC"}).to_string())
    });
    let task = tokio::spawn(async move { axum::serve(listener, app).await });
    let users = agent.file("users.jsonl", "{\"user_id\": \"u1\"}\n{\"user_id\": \"u2\", \"clinic\": \"hcm-3\"}\n");
    let told = agent.flags(&["compare", "--old", &url, "--users", &users, "--flag", "price-page", "--json"]);
    told.expect(1, &[]);
    let told: Value = serde_json::from_str(told.text.lines().last().unwrap()).unwrap();
    let mover = json!({"user": "u2", "flag": "price-page", "old": "{\"columns\":2}", "new": "{\"columns\":3}"});
    assert_eq!((&told["movers"], &told["kind"]), (&json!([mover]), &json!("OFREP")));
    task.abort();
}
