//! Tokens, for admins: made, listed, revoked; and for everybody, what their own is.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use teal_flags::model::{Timestamp, limits};

use super::{Door, body, rest};
use crate::access::{Record, Role, Roles};
use crate::api::TokenInfo;
use crate::flags::{FieldError, FlagsError, NewToken, now};
use crate::http::access::Caller;
use crate::http::page;
use crate::http::path::Place;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

/// What can be asked of the audit log.
pub(super) const ENTRIES: [Parameter; 2] = [
    page::LIMIT,
    Parameter {
        name: "before",
        about: "Only entries that are older than the one with this id: the last one of the page before.",
        kind: Kind::Whole(0, i64::MAX as u64),
    },
];
/// What can be said of a revocation.
pub(super) const WHY: [Parameter; 1] = rest::WHY;

/// Environments of one token.
const ENVIRONMENTS: usize = 100;
const FIELDS: [&str; 6] = ["name", "roles", "environments", "expires_at", "may_name_people", "reason"];

pub(super) async fn list(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Refused> {
    caller.everywhere()?;
    let directory = door.tokens()?.directory();
    let mut records: Vec<_> = directory.iter().collect();
    records.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    let tokens: Vec<TokenInfo> = records.into_iter().map(|record| info(record)).collect();
    Ok(Json(json!({ "tokens": tokens })))
}

pub(super) async fn create(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Refused> {
    caller.everywhere()?;
    let (new, reason) = read(&body::json(body).await?)?;
    let (token, record) = door.tokens()?.create(new, rest::author(&caller, reason)?).await?;
    let mut said = serde_json::to_value(info(&record)).unwrap_or_default();
    said["token"] = token.reveal().into();
    // It is shown once, and no cache keeps it.
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(said)).into_response())
}

pub(super) async fn show(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(token): Place,
) -> Result<Json<TokenInfo>, Refused> {
    caller.everywhere()?;
    let directory = door.tokens()?.directory();
    let found = token.parse().ok().and_then(|id| directory.get(&id));
    found.map(|record| Json(info(record))).ok_or_else(|| FlagsError::UnknownToken(shortened(&token)).into())
}

pub(super) async fn revoke(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(token): Place,
    RawQuery(query): RawQuery,
) -> Result<Json<TokenInfo>, Refused> {
    caller.everywhere()?;
    let why = Asked::of(query.as_deref(), &WHY)?;
    let author = rest::author(&caller, why.text("reason").unwrap_or_default().to_owned())?;
    Ok(Json(info(&*door.tokens()?.revoke(&shortened(&token), author).await?)))
}

/// What the caller is here.
pub(super) async fn own(Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(match caller.record() {
        Some(record) => serde_json::to_value(info(record)).unwrap_or_default(),
        None => json!({"name": caller.name(), "roles": [Role::Admin.name()], "environments": []}),
    })
}

pub(super) async fn audit(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    caller.everywhere()?;
    let asked = Asked::of(query.as_deref(), &ENTRIES)?;
    let entries = door.tokens()?.audit(asked.parsed("before"), asked.limit(page::USUAL)).await?;
    Ok(Json(json!({ "entries": entries })))
}

/// What may be told of a token: never its digest.
fn info(record: &Record) -> TokenInfo {
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    TokenInfo {
        id: record.id.to_string(),
        name: record.name.clone(),
        roles: record.roles.iter().map(|role| role.name().to_owned()).collect(),
        environments: record.environments.clone(),
        may_name_people: record.may_name_people,
        created_at: record.created.to_string(),
        expires_at: moment(record.expires),
        revoked_at: moment(record.revoked),
        last_used_at: moment(record.used.last()),
    }
}

/// A name or id, which may be anything.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(limits::LABEL).collect()
}

fn read(json: &Value) -> Result<(NewToken, String), FieldError> {
    let fields = json.as_object().ok_or_else(|| FieldError::new("", "a token is a JSON object with name and roles"))?;
    if let Some(field) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        let field: String = field.chars().take(limits::LABEL).collect();
        return Err(FieldError::new(field, format!("is no field of a new token; there are {}", FIELDS.join(", "))));
    }
    let roles = texts(fields, "roles")?;
    let roles: Vec<Role> = roles
        .iter()
        .map(|role| role.parse().map_err(|error| FieldError::new("roles", format!("{error}"))))
        .collect::<Result<_, _>>()?;
    if roles.is_empty() {
        return Err(FieldError::new("roles", "is needed: what the token may do, as in [\"viewer\"]"));
    }
    let environments = texts(fields, "environments")?;
    if environments.len() > ENVIRONMENTS {
        return Err(FieldError::new("environments", format!("has more than {ENVIRONMENTS}")));
    }
    let new = NewToken {
        name: name(fields)?,
        roles: Roles::of(&roles),
        environments,
        expires: expiry(fields)?,
        may_name_people: match fields.get("may_name_people") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(may)) => *may,
            Some(_) => return Err(FieldError::new("may_name_people", "is true or false")),
        },
    };
    Ok((new, text(fields, "reason")?.unwrap_or_default()))
}

fn name(fields: &Map<String, Value>) -> Result<String, FieldError> {
    let name = text(fields, "name")?.unwrap_or_default();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if name.is_empty() || name.len() > limits::LABEL || !name.chars().all(is_fit) {
        let problem = format!("is needed: letters, digits, `-`, `_`, `.` and `@`, {} at most", limits::LABEL);
        return Err(FieldError::new("name", problem));
    }
    Ok(name)
}

fn expiry(fields: &Map<String, Value>) -> Result<Option<Timestamp>, FieldError> {
    let wrong = |problem: String| FieldError::new("expires_at", problem);
    let Some(text) = text(fields, "expires_at")? else { return Ok(None) };
    let at: Timestamp = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if at <= now() { Err(wrong("is over already".to_owned())) } else { Ok(Some(at)) }
}

fn text(fields: &Map<String, Value>, field: &'static str) -> Result<Option<String>, FieldError> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(FieldError::new(field, "is a text")),
    }
}

fn texts(fields: &Map<String, Value>, field: &'static str) -> Result<Vec<String>, FieldError> {
    let wrong = || FieldError::new(field, format!("is a list of texts of 1 to {} characters", limits::LABEL));
    match fields.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| {
                let text = one.as_str().filter(|text| (1..=limits::LABEL).contains(&text.chars().count()));
                text.filter(|text| !text.contains(char::is_control)).map(str::to_owned).ok_or_else(wrong)
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &Value, expected: Result<&str, &str>) {
        let found = read(json).map(|(new, _)| format!("{} {} {:?}", new.name, new.roles, new.environments));
        let found = found.map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{json}: {error}"),
            _ => panic!("{json}: {found:?}"),
        }
    }

    #[test]
    fn a_new_token_says_what_it_may_do_and_nothing_that_is_not_known() {
        check(&json!({"name": "ci", "roles": ["editor", "viewer"]}), Ok("ci viewer, editor []"));
        check(&json!({"name": "ci", "roles": ["sdk"], "environments": ["prod"]}), Ok("ci sdk [\"prod\"]"));
        check(&json!({"name": "ci", "roles": []}), Err("roles: is needed"));
        check(&json!({"name": "ci", "roles": ["root"]}), Err("roles: `root` is no role"));
        check(&json!({"name": "ci", "roles": "sdk"}), Err("roles: is a list of texts"));
        check(&json!({"roles": ["sdk"]}), Err("name: is needed"));
        check(&json!({"name": "a\nb", "roles": ["sdk"]}), Err("name: is needed"));
        check(&json!({"name": "a", "roles": ["sdk"], "environments": [""]}), Err("environments: is a list"));
        check(&json!({"name": "a", "roles": ["sdk"], "expires_at": "2020-01-01T00:00:00Z"}), Err("is over already"));
        check(&json!({"name": "a", "roles": ["sdk"], "expires": "90d"}), Err("expires: is no field of a new token"));
        check(&json!({"name": "a", "roles": ["sdk"], "may_name_people": 1}), Err("is true or false"));
        check(&json!([]), Err("a token is a JSON object"));
    }
}
