//! From an HTTP request to what answers it: who asks, may they, does it fail on order, what is to be done.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::access::{self, Attempt};
use super::faults::Failure;
use super::objects::{Call, Reply};
use super::patch::Format;
use super::record::Used;
use super::refusal::Refusal;
use super::selector::Selector;
use super::state::{Shared, State};
use super::target::{Query, Target};
use super::value::{list, meta, text};
use super::{discovery, events};

/// A request, read to its end.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) content_type: String,
    /// Without `Bearer`.
    pub(super) token: String,
    pub(super) user_agent: String,
    pub(super) body: Bytes,
}

/// What is sent back.
pub(super) enum Outcome {
    Json(Reply),
    Text(String),
    Watch(Box<Call>),
}

/// An outcome, and how the test wants it to go wrong.
pub(super) struct Dispatched {
    pub(super) outcome: Result<Outcome, Refusal>,
    pub(super) failure: Option<Failure>,
}

/// Carries the request out, unless a fault keeps it from being done.
pub(super) fn dispatch(shared: &Arc<Shared>, asked: &Asked) -> Dispatched {
    let mut state = shared.lock();
    let Some(target) = Target::parse(&asked.path) else {
        return Dispatched { outcome: plain(&state, asked), failure: None };
    };
    let used = used(&state, asked, &target);
    let failure = used.as_ref().and_then(|used| state.faults.strike(used));
    let outcome = match failure {
        Some(Failure::TooManyRequests(seconds)) => Err(Refusal::too_many_requests(seconds)),
        Some(Failure::Error(504)) => Err(Refusal::timeout("the test wants it so")),
        Some(Failure::Error(503)) => Err(Refusal::new(503, "ServiceUnavailable", "the test wants it so")),
        Some(Failure::Error(code)) => Err(Refusal::new(code, "InternalError", "the test wants it so")),
        Some(Failure::Conflict) => Err(conflict(&state, &target)),
        Some(Failure::Hang | Failure::Reset) => Err(Refusal::internal("never sent")),
        Some(Failure::Lost | Failure::Slow(_)) | None => carry_out(&mut state, asked, &target, used.as_ref()),
    };
    state.used.extend(used);
    let revision = state.objects.store.revision();
    drop(state);
    shared.announce(revision);
    Dispatched { outcome, failure }
}

fn plain(state: &State, asked: &Asked) -> Result<Outcome, Refusal> {
    match asked.path.as_str() {
        "/healthz" | "/livez" | "/readyz" => Ok(Outcome::Text("ok".to_owned())),
        path => {
            let found = discovery::answer(&state.objects, path).map(|answer| Outcome::Json((200, answer)));
            found.ok_or_else(Refusal::no_such_path)
        }
    }
}

/// As RBAC sees the request; none where nobody known asks.
fn used(state: &State, asked: &Asked, target: &Target) -> Option<Used> {
    let user = state.users.of(&asked.token)?;
    let query = Query::parse(&asked.query);
    let is_watch = query.is_true("watch");
    let verb = match (&asked.method, &target.name) {
        (&Method::GET, _) if is_watch => "watch",
        (&Method::GET, Some(_)) => "get",
        (&Method::GET, None) => "list",
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, Some(_)) => "delete",
        (&Method::DELETE, None) => "deletecollection",
        _ => "other",
    };
    let resource = match target.subresource.as_str() {
        "" => target.plural.clone(),
        subresource => format!("{}/{subresource}", target.plural),
    };
    Some(Used {
        user: user.name.clone(),
        verb: verb.to_owned(),
        group: target.group.clone(),
        resource,
        namespace: target.namespace.clone().unwrap_or_default(),
    })
}

fn conflict(state: &State, target: &Target) -> Refusal {
    let kind = state.objects.kind(&target.group, &target.version, &target.plural);
    kind.map_or_else(Refusal::no_such_path, |kind| Refusal::modified(&kind, target.name.as_deref().unwrap_or_default()))
}

fn carry_out(state: &mut State, asked: &Asked, target: &Target, used: Option<&Used>) -> Result<Outcome, Refusal> {
    let Some(used) = used else { return Err(Refusal::unauthorized()) };
    let is_newer_event = target.group == events::GROUP;
    let group = if is_newer_event { "" } else { target.group.as_str() };
    let found = state.objects.kind(group, &target.version, &target.plural);
    let kind = found.ok_or_else(Refusal::no_such_path)?;
    let name = target.name.clone().unwrap_or_default();
    let query = Query::parse(&asked.query);
    let asked_for = name_asked_for(&used.verb, &name, &query);
    let attempt = Attempt {
        verb: &used.verb,
        group: &used.group,
        resource: &used.resource,
        namespace: &used.namespace,
        name: &asked_for,
    };
    if let Some(user) = state.users.of(&asked.token)
        && !access::allows(&state.objects, user, &attempt)
    {
        return Err(Refusal::forbidden(&kind, &asked_for, &access::refused(user, &attempt)));
    }
    let is_patch = asked.method == Method::PATCH;
    let format = if is_patch { Some(Format::parse(&asked.content_type, &kind)?) } else { None };
    let mut body = read(&asked.body, format)?;
    if is_newer_event && !body.is_null() {
        events::to_core(&mut body);
    }
    let manager = match query.get("fieldManager") {
        "" => asked.user_agent.split('/').next().unwrap_or_default().to_owned(),
        manager => manager.to_owned(),
    };
    let namespace = target.namespace.clone();
    let subresource = target.subresource.clone();
    let call = Call { kind, namespace, name, subresource, query, body, format, manager };
    let mut outcome = answer(state, &used.verb, call)?;
    if let (true, Outcome::Json((_, object))) = (is_newer_event, &mut outcome) {
        events::from_core(object);
    }
    Ok(outcome)
}

/// The name that roles are asked about: a list or watch of the one object of a name is about that object.
fn name_asked_for(verb: &str, name: &str, query: &Query) -> String {
    if !name.is_empty() || !matches!(verb, "list" | "watch") {
        return name.to_owned();
    }
    let selector = Selector::parse("", query.get("fieldSelector")).unwrap_or_default();
    selector.name().unwrap_or_default().to_owned()
}

fn answer(state: &mut State, verb: &str, call: Call) -> Result<Outcome, Refusal> {
    let objects = &mut state.objects;
    match (verb, call.subresource.as_str()) {
        ("get", "log") => {
            let (_, pod) = objects.get(&Call { subresource: String::new(), ..call.clone() })?;
            log(state, &call, &pod)
        }
        ("create", "eviction") => objects.evict(&call).map(Outcome::Json),
        ("create", "binding") => objects.bind(&call).map(Outcome::Json),
        (_, subresource) if !call.kind.serves(subresource) => Err(Refusal::no_such_path()),
        ("watch", _) => Ok(Outcome::Watch(Box::new(call))),
        ("get", _) => objects.get(&call).map(Outcome::Json),
        ("list", _) => objects.list(&call).map(Outcome::Json),
        ("create", "") => objects.create(&call).map(Outcome::Json),
        ("update", _) => objects.put(&call).map(Outcome::Json),
        ("patch", _) => objects.patch(&call).map(Outcome::Json),
        ("delete", "") => objects.delete(&call).map(Outcome::Json),
        ("deletecollection", "") => objects.delete_all(&call).map(Outcome::Json),
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn log(state: &State, call: &Call, pod: &Value) -> Result<Outcome, Refusal> {
    let previous = call.query.is_true("previous");
    let container = container(pod, call.query.get("container"))?;
    let place = format!(
        "{}{}/{}/{container}",
        if previous { "previous " } else { "" },
        call.namespace.as_deref().unwrap_or_default(),
        call.name,
    );
    let Some(text) = state.logs.get(&place) else {
        let message = format!(
            "{}container \"{container}\" in pod \"{}\" is waiting to start or does not exist",
            if previous { "previous terminated " } else { "" },
            call.name
        );
        return Err(Refusal::bad_request(message));
    };
    let lines: Vec<&str> = text.lines().collect();
    let tail = call.query.number("tailLines").and_then(|tail| usize::try_from(tail).ok()).unwrap_or(lines.len());
    let wanted = &lines[lines.len().saturating_sub(tail)..];
    Ok(Outcome::Text(wanted.iter().flat_map(|line| [line, "\n"]).collect()))
}

/// The container whose log is meant: the one that is named, or the only one.
fn container<'a>(pod: &'a Value, named: &'a str) -> Result<&'a str, Refusal> {
    let names: Vec<&str> = list(&pod["spec"]["containers"]).iter().map(|container| text(&container["name"])).collect();
    let pod = meta(pod, "name");
    match names.as_slice() {
        _ if names.contains(&named) => Ok(named),
        [only] if named.is_empty() => Ok(only),
        _ if named.is_empty() => Err(Refusal::bad_request(format!(
            "a container name must be specified for pod {pod}, choose one of: [{}]",
            names.join(" ")
        ))),
        _ => Err(Refusal::bad_request(format!("container {named} is not valid for pod {pod}"))),
    }
}

/// The body as JSON; an apply may be YAML, of which JSON is a part.
fn read(body: &Bytes, format: Option<Format>) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if let Ok(json) = serde_json::from_slice(body) {
        return Ok(json);
    }
    let is_apply = format == Some(Format::Apply);
    let text = String::from_utf8_lossy(body);
    let yaml = is_apply.then(|| serde_saphyr::from_str::<Value>(&text).ok()).flatten();
    yaml.ok_or_else(|| Refusal::bad_request("the body of the request could not be read as JSON"))
}
