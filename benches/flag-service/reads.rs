//! How fast the service answers, beside a plain handler in the same run.

use serde_json::{Value, json};

use super::load::{self, Answers, Question};
use super::process::{Agent, FLAGS};
use super::{Settings, exchange, plain};

/// Name, method, path, body.
const QUESTIONS: [(&str, &str, &str, &str); 4] = [
    ("check", "GET", "/api/v1/feature-flags/telehealth/check?user_id=user-1&environment=prod", ""),
    (
        "check-post",
        "POST",
        "/api/v1/feature-flags/telehealth/check",
        r#"{"user_id":"user-1","environment":"prod","attributes":{"clinic":"hcm-3"}}"#,
    ),
    ("ofrep", "POST", "/ofrep/v1/evaluate/flags/telehealth", r#"{"context":{"targetingKey":"user-1"}}"#),
    ("ofrep-bulk", "POST", "/ofrep/v1/evaluate/flags", r#"{"context":{"targetingKey":"user-1"}}"#),
];

pub(crate) fn play(settings: &Settings, take: &mut impl FnMut(Value)) -> anyhow::Result<()> {
    let service = Agent::start(&settings.program, "")?;
    service.fill(settings.flags)?;
    let mut connection = exchange::Connection::open(service.address)?;
    let change = r#"{"enabled":true,"rollout_percentage":25}"#;
    connection.json("PATCH", &format!("{FLAGS}/telehealth"), change)?;
    let plain = plain::start()?;
    let constant = Question { address: plain.address, method: "GET", path: "/constant", body: "" };
    let mut all = vec![("plain", constant)];
    for (name, method, path, body) in QUESTIONS {
        all.push((name, Question { address: service.address, method, path, body }));
    }
    for round in 1..=settings.rounds {
        for (name, question) in &all {
            let request = connection.request(question.method, question.path, question.body);
            let bytes = exchange::Connection::open(question.address)?.ask(&request)?.1.len();
            let fast = load::ask(question, settings.connections, settings.length, None)?;
            let steady = load::ask(question, settings.connections, settings.length, Some(settings.rate))?;
            take(json!({
                "what": "reads", "series": name, "round": round, "connections": settings.connections,
                "flags": settings.flags + 10, "bytes": bytes,
                "seconds": settings.length.as_secs_f64(),
                "fastest": figures(&fast), "steady": figures(&steady), "intended_per_second": settings.rate,
            }));
        }
    }
    Ok(())
}

fn figures(answers: &Answers) -> Value {
    let Answers { per_second, latency, late } = answers;
    json!({
        "per_second": per_second.round(),
        "p50_us": latency.value_at_quantile(0.5), "p99_us": latency.value_at_quantile(0.99), "worst_us": latency.max(),
        "generator_late_p99_us": late.value_at_quantile(0.99),
    })
}
