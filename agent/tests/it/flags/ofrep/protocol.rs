//! What is asked and answered, byte for byte where clients depend on it.

use reqwest::StatusCode;
use serde_json::{Value, json};
use teal_testkit::until;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Agent;

#[tokio::test(flavor = "multi_thread")]
async fn each_question_has_its_answer_or_its_error() {
    let agent = Agent::with_flags().await;
    let check = async |flag: &str, body: &str, status: u16, expected: Value| {
        let answer = agent.ofrep(&format!("/{flag}")).body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{flag} {body}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let mut json: Value = answer.json().await.unwrap();
        assert_eq!(json["key"], flag);
        if status == 200 {
            assert_eq!(json["metadata"], json!({"version": 1}), "{flag}");
        } else {
            assert!(json["errorDetails"].as_str().is_some_and(|details| !details.is_empty()), "{json}");
        }
        let fields = json.as_object_mut().unwrap();
        for field in ["key", "metadata", "errorDetails"] {
            fields.remove(field);
        }
        assert_eq!(json, expected, "{flag} {body}");
    };
    let somebody = r#"{"context": {"targetingKey": "user-7"}}"#;
    let in_vn = r#"{"context": {"targetingKey": "user-7", "country": "vn"}}"#;
    check("switch", somebody, 200, json!({"value": true, "variant": "on", "reason": "STATIC"})).await;
    for body in ["", "{}", r#"{"context": null}"#, r#"{"context": {}}"#] {
        check("switch", body, 200, json!({"value": true, "variant": "on", "reason": "STATIC"})).await;
    }
    check("colour", somebody, 200, json!({"value": "#00f", "variant": "blue", "reason": "DEFAULT"})).await;
    check("colour", in_vn, 200, json!({"value": "#f00", "variant": "red", "reason": "TARGETING_MATCH"})).await;
    check("columns", somebody, 200, json!({"value": 3, "variant": "three", "reason": "STATIC"})).await;
    check("page", somebody, 200, {
        json!({"value": {"columns": 3, "title": "Xin chào"}, "variant": "wide", "reason": "STATIC"})
    })
    .await;
    check("half", somebody, 200, json!({"value": true, "variant": "on", "reason": "SPLIT"})).await;
    check("only-vn", somebody, 200, json!({"value": false, "variant": "off", "reason": "DEFAULT"})).await;
    check("only-prod", somebody, 200, json!({"value": false, "variant": "off", "reason": "DISABLED"})).await;
    check("off-with-value", somebody, 200, json!({"value": 0, "variant": "none", "reason": "DISABLED"})).await;
    // The caller's default counts.
    check("off-without-value", somebody, 200, json!({"variant": null, "reason": "DISABLED"})).await;

    check("half", "", 400, json!({"errorCode": "TARGETING_KEY_MISSING"})).await;
    check("no-such-flag", somebody, 404, json!({"errorCode": "FLAG_NOT_FOUND"})).await;
    check("8", somebody, 404, json!({"errorCode": "FLAG_NOT_FOUND"})).await;
    check("switch", "{\"context\": {", 400, json!({"errorCode": "PARSE_ERROR"})).await;
    check("switch", "[]", 400, json!({"errorCode": "PARSE_ERROR"})).await;
    check("switch", r#"{"context": "user-7"}"#, 400, json!({"errorCode": "INVALID_CONTEXT"})).await;
    check("switch", r#"{"context": {"targetingKey": {}}}"#, 400, json!({"errorCode": "INVALID_CONTEXT"})).await;

    // Numbers with a fraction keep it: to the Python provider `1` is no float.
    for (flag, value) in [("ratio", "\"value\":0.5,"), ("whole-ratio", "\"value\":1.0,")] {
        let text = agent.ofrep(&format!("/{flag}")).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(value), "{text}");
    }
    let huge = agent.ofrep("/switch").body("x".repeat((2 << 20) + 1)).send().await.unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let page = agent.ofrep("/switch").header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    // Whoever was asked for is in no log.
    let log = std::fs::read_to_string(agent.path("agent.log")).unwrap();
    assert!(!log.contains("user-7"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_said_beside_the_context() {
    let agent = Agent::with_flags().await;
    let check = async |rest: &str, header: Option<&str>, expected: bool| {
        let body = json!({"context": {"targetingKey": "user-7", "environment": "prod"}});
        let request = agent.ofrep(&format!("/only-prod{rest}")).json(&body);
        let request =
            header.map_or(request.try_clone(), |name| Some(request.header("x-teal-environment", name))).unwrap();
        let json: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(json["value"], expected, "{rest} {header:?}");
    };
    check("", Some("prod"), true).await;
    check("", Some("dev"), false).await;
    check("?environment=prod", None, true).await;
    check("?environment=prod", Some("dev"), false).await;
    // A member of the context is an attribute, as it is in the SDK.
    check("", None, false).await;
}

/// All answers, and their tag; `None`: what the client knows is still so.
async fn all(agent: &Agent, context: &Value, known: Option<&str>) -> (Option<Value>, String) {
    let mut request = agent.ofrep("").json(&json!({"context": context})).header("x-teal-environment", "prod");
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    let answer = request.send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    match answer.status() {
        StatusCode::NOT_MODIFIED => {
            assert_eq!(answer.text().await.unwrap(), "");
            (None, tag)
        }
        status => {
            assert_eq!(status, StatusCode::OK);
            (Some(answer.json().await.unwrap()), tag)
        }
    }
}

fn answer_of<'a>(all: &'a Value, flag: &str) -> &'a Value {
    all["flags"].as_array().unwrap().iter().find(|one| one["key"] == flag).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_answers_come_at_once_and_only_when_there_is_something_new() {
    let agent = Agent::with_flags().await;
    let user = json!({"targetingKey": "user-7"});
    let (first, tag) = all(&agent, &user, None).await;
    let first = first.unwrap();
    assert_eq!(first["flags"].as_array().unwrap().len(), 10 + super::flags().len());
    for one in first["flags"].as_array().unwrap() {
        let name = one["key"].as_str().unwrap();
        let single = agent.ofrep(&format!("/{name}")).json(&json!({"context": user}));
        let single: Value = single.header("x-teal-environment", "prod").send().await.unwrap().json().await.unwrap();
        assert_eq!(*one, single);
        for rules in ["rules", "conditions", "country", "vn", "rollout_percentage"] {
            assert!(!one.to_string().contains(&format!("\"{rules}\"")), "{one}");
        }
    }
    assert_eq!(all(&agent, &user, Some(&tag)).await, (None, tag.clone()));
    assert_eq!(all(&agent, &user, Some(&format!("\"old\", W/{tag}"))).await, (None, tag.clone()));

    // Another user, who is answered otherwise.
    let (others, other) = all(&agent, &json!({"targetingKey": "user-7", "country": "vn"}), Some(&tag)).await;
    assert_eq!(answer_of(&others.unwrap(), "only-vn")["value"], true);
    assert_ne!(other, tag);
    // Nobody: what is dealt to a share of users has an error, all else an answer.
    let (nobodys, _) = all(&agent, &json!({}), Some(&tag)).await;
    let nobodys = nobodys.unwrap();
    assert_eq!(answer_of(&nobodys, "half")["errorCode"], "TARGETING_KEY_MISSING");
    assert_eq!(answer_of(&nobodys, "switch")["value"], true);

    // A change is seen at once.
    agent.patch("switch", json!({"enabled": false})).await;
    let (second, new) = all(&agent, &user, Some(&tag)).await;
    let second = second.unwrap();
    assert_eq!(
        (&answer_of(&second, "switch")["value"], &answer_of(&second, "switch")["reason"]),
        (&json!(false), &json!("DISABLED"))
    );
    assert_ne!(new, tag);
    // And so is a question that cannot be answered.
    let wrong = agent.ofrep("").body("{").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json::<Value>().await.unwrap()["errorCode"], "PARSE_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_time_changes_has_another_tag() {
    let agent = Agent::started().await;
    let from = |seconds| {
        let from = (OffsetDateTime::now_utc() + time::Duration::seconds(seconds)).format(&Rfc3339).unwrap();
        json!({"from": from})
    };
    agent.create(json!({"name": "from-then-on", "enabled": true, "schedule": from(86_400)})).await;
    let user = json!({"targetingKey": "user-7"});
    // Asked before the moment, however slow the machine is: the flag is the same then and after.
    let tag = until("it is asked before the moment", || async {
        agent.patch("from-then-on", json!({"schedule": from(1)})).await;
        let (before, tag) = all(&agent, &user, None).await;
        (answer_of(&before?, "from-then-on")["reason"] == "DISABLED").then_some(tag)
    })
    .await;
    let after = until("the moment has come", || async { all(&agent, &user, Some(&tag)).await.0 }).await;
    assert_eq!(answer_of(&after, "from-then-on")["value"], true);
}
