//! What a flag answers, for who has no SDK. The user's id goes nowhere but into the answer.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use serde_json::{Value, json};
use teal_flags::OwnedContext;
use teal_flags::model::limits::LABEL;

use super::{Door, body, rest};
use crate::flags::FieldError;
use crate::http::access::Caller;
use crate::http::json;
use crate::http::path::Place;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

/// What can be asked without a body.
pub(super) const ASKED: [Parameter; 3] = [
    Parameter { name: "user_id", about: "Who asks.", kind: Kind::Anything },
    Parameter {
        name: "environment",
        about: "Where. Without it flags that are meant for some environments are off.",
        kind: Kind::Text(LABEL),
    },
    Parameter { name: "attributes", about: "What is known of the user: a JSON object, as text.", kind: Kind::Json },
];

pub(super) async fn by_query(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let asked = Asked::of(query.as_deref(), &ASKED)?;
    let attributes = asked.text("attributes").map_or(Ok(Value::Null), |text| json::read(text.as_bytes()));
    let attributes = attributes.map_err(|error| wrong("attributes", format!("is no JSON: {error}")))?;
    answer(&door, &caller, &flag, asked.text("user_id"), asked.text("environment"), &attributes)
}

pub(super) async fn by_body(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    body: Body,
) -> Result<Json<Value>, Refused> {
    let asked = body::json(body).await?;
    if !asked.is_object() {
        return Err(wrong("", "the question is a JSON object with user_id, environment and attributes".to_owned()));
    }
    let user = match &asked["user_id"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // As the SDK writes a number out.
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => return Err(wrong("user_id", "is a text or a whole number".to_owned())),
    };
    let environment = match &asked["environment"] {
        Value::Null => None,
        Value::String(text) => Some(text.as_str()),
        _ => return Err(wrong("environment", "is a text".to_owned())),
    };
    answer(&door, &caller, &flag, user.as_deref(), environment, &asked["attributes"])
}

fn answer(
    door: &Door,
    caller: &Caller,
    flag: &str,
    user: Option<&str>,
    environment: Option<&str>,
    attributes: &Value,
) -> Result<Json<Value>, Refused> {
    if !(attributes.is_null() || attributes.is_object()) {
        return Err(wrong("attributes", "is a JSON object".to_owned()));
    }
    if environment.is_some_and(|name| name.chars().count() > LABEL) {
        return Err(wrong("environment", format!("is longer than {LABEL} characters")));
    }
    let environment = caller.environment(environment)?;
    let flag = rest::find(door, caller, flag)?;
    let user = OwnedContext::from_json(user, attributes.as_object().into_iter().flatten());
    let answer = door.reads.evaluate(environment.as_deref(), &flag.name, &user);
    door.reads.count(environment.as_deref(), [(&*flag, &answer)]);
    let mut json = json!({
        "id": flag.id,
        "name": flag.name,
        // Where nothing is known the compiled default of `check` is no.
        "enabled": answer.enabled.unwrap_or(false),
        "value": answer.value.map(|value| value.to_json()),
        "variant": answer.variant.as_deref(),
        "reason": answer.reason.as_str(),
        "version": answer.version,
    });
    if let Some(error) = answer.error {
        json["error"] = error.as_str().into();
    }
    Ok(Json(json))
}

fn wrong(field: &str, problem: String) -> Refused {
    FieldError::new(field, problem).into()
}
