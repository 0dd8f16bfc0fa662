//! The JSON of every answer, pinned: clients in other languages are written against it.

use reqwest::Method;
use serde_json::{Value, json};

use super::Agent;

/// What differs from run to run is blotted out.
fn settled(mut json: Value) -> String {
    fn blot(json: &mut Value) {
        match json {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "created_at" | "updated_at" | "at" | "since" | "remembered_since" if value.is_string() => {
                            *value = "(moment)".into();
                        }
                        "instance" => *value = "(instance)".into(),
                        _ => blot(value),
                    }
                }
            }
            Value::Array(members) => members.iter_mut().for_each(blot),
            _ => {}
        }
    }
    blot(&mut json);
    serde_json::to_string_pretty(&json).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_its_shape() {
    let agent = Agent::started().await;
    let mut said = String::new();
    let mut note = |what: &str, status: u16, json: Value| {
        said.push_str(&format!("--- {what}\n{status}\n{}\n", settled(json)));
    };
    let ask = async |method: Method, rest: &str, header: Option<(&str, &str)>, body: Option<Value>| {
        let mut request = agent.request(method, rest).header("x-teal-user", "ops@box");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        if status >= 400 {
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (status, tag, answer.json::<Value>().await.unwrap_or_default())
    };

    let (status, _, json) = ask(Method::GET, "?limit=2&offset=7", None, None).await;
    note("GET ?limit=2&offset=7", status, json);
    let (status, tag, json) = ask(Method::GET, "/telehealth", None, None).await;
    note("GET /telehealth", status, json);
    let tag = tag.unwrap();
    let known = ask(Method::GET, "/8", Some(("if-none-match", &tag)), None).await;
    assert_eq!((known.0, known.1.as_ref()), (304, Some(&tag)));

    let change = json!({"enabled": true, "rollout_percentage": 12.5, "reason": "a quarter of the clinics"});
    let (status, _, json) = ask(Method::PATCH, "/8", Some(("if-match", &tag)), Some(change.clone())).await;
    note("PATCH /8 with If-Match", status, json);
    let (status, newer, json) = ask(Method::PATCH, "/8", Some(("if-match", &tag)), Some(change)).await;
    note("PATCH /8 with If-Match of before", status, json);
    assert_ne!(newer.unwrap(), tag);
    let (status, _, json) = ask(Method::PATCH, "/8", None, Some(json!({"rollout_percentage": "12.3456"}))).await;
    note("PATCH /8 too fine", status, json);
    let (status, _, json) = ask(Method::GET, "/99", None, None).await;
    note("GET /99", status, json);

    let (status, _, json) = ask(Method::POST, "", None, Some(json!({"name": "new-editor"}))).await;
    note("POST", status, json);
    let (status, _, json) = ask(Method::POST, "", None, Some(json!({"name": "new-editor"}))).await;
    note("POST again", status, json);

    let (status, _, json) = ask(Method::GET, "/telehealth/check?user_id=user-1&environment=prod", None, None).await;
    note("GET /telehealth/check", status, json);
    let question = json!({"user_id": 17, "environment": "prod", "attributes": {"clinic": "hcm-3"}});
    let (status, _, json) = ask(Method::POST, "/3/check", None, Some(question)).await;
    note("POST /3/check", status, json);
    let (status, _, json) = ask(Method::GET, "/8/check", None, None).await;
    note("GET /8/check of nobody", status, json);

    assert_eq!(ask(Method::DELETE, "/new-editor?reason=unused", None, None).await.0, 204);
    let (status, _, json) = ask(Method::GET, "/8/audit-log?limit=1", None, None).await;
    note("GET /8/audit-log?limit=1", status, json);
    let (status, _, json) = ask(Method::GET, "/new-editor/audit-log", None, None).await;
    note("GET /new-editor/audit-log of a deleted flag", status, json);

    let (status, _, json) = ask(Method::GET, "/audit-log?limit=2&action=create&before=12", None, None).await;
    note("GET /audit-log?limit=2&action=create&before=12", status, json);
    let staff = json!({"name": "staff", "include": ["user-17"], "reason": "they test first"});
    let (status, tag, json) = ask(Method::POST, "/segments", None, Some(staff)).await;
    note("POST /segments", status, json);
    let change = json!({"any": [[{"attribute": "role", "value": "staff"}]]});
    let (status, _, json) =
        ask(Method::PATCH, "/segments/staff", Some(("if-match", &tag.unwrap())), Some(change)).await;
    note("PATCH /segments/staff with If-Match", status, json);
    let rule = json!({"rules": [{"conditions": [{"segment": "staff"}]}]});
    assert_eq!(ask(Method::PATCH, "/8", None, Some(rule)).await.0, 200);
    let (status, _, json) = ask(Method::GET, "/segments", None, None).await;
    note("GET /segments", status, json);
    let (status, _, json) = ask(Method::DELETE, "/segments/staff", None, None).await;
    note("DELETE /segments/staff which a flag needs", status, json);
    let (status, _, json) = ask(Method::GET, "/segments/nobody", None, None).await;
    note("GET /segments/nobody", status, json);
    let nobody = json!({"rules": [{"conditions": [{"segment": "nobody"}]}]});
    let (status, _, json) = ask(Method::PATCH, "/8", None, Some(nobody)).await;
    note("PATCH /8 with a rule on a segment that is not there", status, json);
    let (status, _, json) = ask(Method::GET, "/audit-log?segment=staff&limit=1", None, None).await;
    note("GET /audit-log?segment=staff&limit=1", status, json);
    let report = json!({
        "report": "0c1f6f0e-1", "environment": "prod", "until": "2026-11-28T09:01:00Z",
        "counts": [{"flag": "telehealth", "version": 1, "variant": "off", "count": 12}],
    });
    assert_eq!(ask(Method::POST, "/exposures", None, Some(report)).await.0, 204);
    let (status, _, json) = ask(Method::GET, "/stale?days=1", None, None).await;
    note("GET /stale?days=1 of flags that are new", status, json);
    let (status, _, json) = ask(Method::GET, "?enabeld=true", None, None).await;
    note("GET ?enabeld=true", status, json);
    let (status, _, json) = ask(Method::PUT, "/8", None, None).await;
    note("PUT /8", status, json);
    let (status, _, json) = ask(Method::GET, "/8/nothing", None, None).await;
    note("GET /8/nothing", status, json);

    let (_, tag, whole) = ask(Method::GET, "/snapshot?environment=prod", None, None).await;
    assert_eq!((whole["flags"].as_array().unwrap().len(), &whole["deleted"]), (10, &json!(["new-editor"])));
    assert_eq!(ask(Method::GET, "/snapshot", Some(("if-none-match", &tag.unwrap())), None).await.0, 304);
    insta::assert_snapshot!(said);
}
