//! OFREP of a real agent: the protocol itself, the same answers as the SDK's, and clients that others have written.

mod conformance;
mod go;
mod protocol;
mod providers;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Agent;

/// One of each type, and what goes wrong.
fn flags() -> Vec<Value> {
    let variants = |values: Value| -> Value {
        let one = |(name, value): (&String, &Value)| json!({"name": name, "value": value, "weight": 0});
        let mut variants: Vec<Value> = values.as_object().unwrap().iter().map(one).collect();
        variants[0]["weight"] = 1.into();
        variants.into()
    };
    let vn = json!([{"attribute": "country", "value": "vn"}]);
    vec![
        json!({"name": "switch", "enabled": true}),
        json!({"name": "colour", "enabled": true, "variants": variants(json!({"blue": "#00f", "red": "#f00"})),
            "rules": [{"conditions": vn, "variant": "red"}]}),
        json!({"name": "columns", "enabled": true, "variants": variants(json!({"three": 3}))}),
        json!({"name": "ratio", "enabled": true, "variants": variants(json!({"half": 0.5}))}),
        json!({"name": "whole-ratio", "enabled": true, "variants": variants(json!({"one": 1.0}))}),
        json!({"name": "page", "enabled": true, "variants": variants(json!({"wide": {"columns": 3, "title": "Xin chào"}}))}),
        json!({"name": "half", "enabled": true, "rollout_percentage": 50}),
        json!({"name": "only-vn", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": vn}]}),
        json!({"name": "only-prod", "enabled": true, "environments": ["prod"]}),
        json!({"name": "off-with-value", "off_variant": "none", "variants": variants(json!({"all": 10, "none": 0}))}),
        json!({"name": "off-without-value", "variants": variants(json!({"all": 10}))}),
    ]
}

impl Agent {
    /// An agent that has them.
    async fn with_flags() -> Self {
        let agent = Self::open_here().await;
        for flag in flags() {
            agent.create(flag).await;
        }
        agent
    }

    async fn create(&self, flag: Value) {
        let answer = self.request(Method::POST, "").json(&flag).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{flag}: {}", answer.text().await.unwrap());
    }

    /// A question by OFREP; `rest` is what stands behind `/ofrep/v1/evaluate/flags`.
    fn ofrep(&self, rest: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("http://{}/ofrep/v1/evaluate/flags{rest}", self.address))
    }
}
