//! SDK = HTTP: the SDK's vectors, asked of a real agent by OFREP and by `check`.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Agent;

/// Groups of vectors for which the agent's own clock would have to stand at another moment.
fn needs_another_moment(group: &Value) -> bool {
    let text = group["document"].to_string();
    text.contains("\"schedule\"") || text.contains("current_time")
}

/// Makes a group's segments and flags. Returns those that the service has refused: it takes nothing that cannot be used.
async fn make(agent: &Agent, http: &reqwest::Client, group: &Value) -> BTreeMap<String, StatusCode> {
    for segment in group["document"]["segments"].as_array().into_iter().flatten() {
        let address = format!("http://{}/api/v1/feature-flags/segments", agent.address);
        let made = http.post(address).json(segment).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED, "{segment}: {}", made.text().await.unwrap());
    }
    let mut refused = BTreeMap::new();
    // Prerequisites have to be there before what stands on them.
    let mut waiting: Vec<Value> = group["document"]["flags"].as_array().unwrap().clone();
    while !waiting.is_empty() {
        let before = waiting.len();
        refused.clear();
        let mut left = Vec::new();
        for flag in waiting {
            let address = format!("http://{}/api/v1/feature-flags", agent.address);
            let status = http.post(address).json(&flag).send().await.unwrap().status();
            if status != StatusCode::CREATED {
                refused.insert(flag["name"].as_str().unwrap().to_owned(), status);
                left.push(flag);
            }
        }
        waiting = left;
        if waiting.len() == before {
            break;
        }
    }
    assert!(refused.values().all(|status| *status == StatusCode::UNPROCESSABLE_ENTITY), "{refused:?}");
    refused
}

/// What a provider makes of an answer for a caller who wants a type, or the whole answer.
fn told(case: &Value, answer: &Value) -> Value {
    let value = answer.get("value").cloned();
    let value =
        if case["type"].is_null() { value.unwrap_or_default() } else { value.unwrap_or(case["default"].clone()) };
    json!({
        "value": value,
        "variant": answer["variant"],
        "reason": answer.get("reason").cloned().unwrap_or("ERROR".into()),
        "error": answer["errorCode"],
    })
}

/// Whether two values are the same; a caller who wants a float gets one of a whole number.
fn is_same(case: &Value, one: &Value, other: &Value) -> bool {
    one == other || (case["type"] == "float" && one.as_f64() == other.as_f64())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_vectors_are_answered_the_same_by_ofrep_and_by_check() {
    let agent = Agent::open_here().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for id in 1..=10 {
        let deleted = agent.request(Method::DELETE, &format!("/{id}")).send().await.unwrap();
        assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    }
    let file: Value = serde_json::from_str(include_str!("../../../../../sdk/tests/vectors/evaluations.json")).unwrap();
    let (mut asked, mut left_out) = (0, 0);
    for group in file["groups"].as_array().unwrap() {
        let cases = group["cases"].as_array().unwrap();
        if needs_another_moment(group) {
            left_out += cases.len();
            continue;
        }
        let refused = make(&agent, &http, group).await;
        // What stands on a flag that is not there is another flag.
        let stands_on_others = |flag: &Value| !flag["prerequisites"].is_null() && !refused.is_empty();
        let flags = group["document"]["flags"].as_array().unwrap();
        let other: Vec<&str> =
            flags.iter().filter(|flag| stands_on_others(flag)).filter_map(|flag| flag["name"].as_str()).collect();
        let environment = group["environment"].as_str();
        for case in cases {
            let flag = case["flag"].as_str().unwrap();
            // What type the caller wants is not asked over HTTP, and a path has no place for no name.
            if refused.contains_key(flag)
                || other.contains(&flag)
                || case["expected"]["error"] == "TYPE_MISMATCH"
                || flag.is_empty()
            {
                left_out += 1;
                continue;
            }
            asked += 1;
            let attributes = case["user"]["attributes"].as_object().unwrap();
            let mut context = attributes.clone();
            if let Some(id) = case["user"]["id"].as_str() {
                context.insert("targetingKey".to_owned(), id.into());
            }
            let address = format!("http://{}/ofrep/v1/evaluate/flags/{flag}", agent.address);
            let mut question = http.post(address).json(&json!({"context": context}));
            if let Some(environment) = environment {
                question = question.header("x-teal-environment", environment);
            }
            let answer: Value = question.send().await.unwrap().json().await.unwrap();
            let told = told(case, &answer);
            for field in ["value", "variant", "reason", "error"] {
                let is_same = is_same(case, &told[field], &case["expected"][field]);
                assert!(is_same, "{}: {field} of {answer} by OFREP: {case}", group["name"]);
            }
            if !case["type"].is_null() {
                continue;
            }

            let address = format!("http://{}/api/v1/feature-flags/{flag}/check", agent.address);
            let question = json!({"user_id": case["user"]["id"], "environment": environment, "attributes": attributes});
            let answer = http.post(address).json(&question).send().await.unwrap();
            if case["expected"]["error"] == "FLAG_NOT_FOUND" {
                assert_eq!(answer.status(), StatusCode::NOT_FOUND);
                continue;
            }
            let answer: Value = answer.json().await.unwrap();
            let enabled = case["expected"]["enabled"].as_bool().unwrap_or(false);
            assert_eq!(answer["enabled"], enabled, "{}: {answer} by check: {case}", group["name"]);
            for field in ["value", "variant", "reason", "error"] {
                assert_eq!(
                    answer[field], case["expected"][field],
                    "{}: {field} of {answer} by check: {case}",
                    group["name"]
                );
            }
        }
        // Those first that stand on others, which were made last.
        for flag in agent.get("?limit=1000&sort=-id").await["flags"].as_array().unwrap() {
            agent.request(Method::DELETE, &format!("/{}", flag["id"])).send().await.unwrap();
        }
        for segment in agent.get("/segments").await["segments"].as_array().unwrap() {
            let place = format!("/segments/{}", segment["name"].as_str().unwrap());
            let deleted = agent.request(Method::DELETE, &place).send().await.unwrap();
            assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
        }
    }
    assert!(asked >= 1_000, "{asked} of {} vectors were asked", asked + left_out);
}
