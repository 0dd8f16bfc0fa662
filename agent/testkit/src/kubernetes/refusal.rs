//! Every way in which the server says no, as the real one's `Status` objects.

use serde_json::{Value, json};

use super::kinds::Kind;

/// A request that was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

/// One field that is wrong: its path, the reason as the server names it, and a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cause {
    pub(super) field: String,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Cause {
    pub(super) fn required(field: impl Into<String>) -> Self {
        Self { field: field.into(), reason: "FieldValueRequired", message: "Required value".to_owned() }
    }

    pub(super) fn invalid(field: impl Into<String>, shown: &Value, why: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueInvalid", message: format!("Invalid value: {shown}: {why}") }
    }

    pub(super) fn duplicate(field: impl Into<String>, shown: &Value) -> Self {
        Self { field: field.into(), reason: "FieldValueDuplicate", message: format!("Duplicate value: {shown}") }
    }

    pub(super) fn unsupported(field: impl Into<String>, shown: &Value, allowed: &[Value]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let message = format!("Unsupported value: {shown}: supported values: {}", allowed.join(", "));
        Self { field: field.into(), reason: "FieldValueNotSupported", message }
    }
}

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, kind: &Kind, name: &str) -> Self {
        self.details = json!({"name": name, "group": kind.group, "kind": kind.plural});
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = if name.is_empty() {
            format!("{} is forbidden: {why}", kind.resource())
        } else {
            format!("{} \"{name}\" is forbidden: {why}", kind.resource())
        };
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.resource())).about(kind, name)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    pub(super) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.resource())).about(kind, name)
    }

    /// A write to a version that is not the current one, or whose precondition does not hold.
    pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// The usual [`Refusal::conflict`].
    pub(super) fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// An apply that would take fields from other managers: who and which, per field.
    pub(super) fn owned_by_others(conflicts: &[(String, String)]) -> Self {
        let sentence = |(manager, field): &(String, String)| format!("conflict with {manager}: {field}");
        let plural = if conflicts.len() == 1 { "conflict" } else { "conflicts" };
        let all: Vec<String> = conflicts.iter().map(sentence).collect();
        let message = format!("Apply failed with {} {plural}: {}", conflicts.len(), all.join("; "));
        let cause = |pair: &(String, String)| {
            let message = format!("conflict with {}", pair.0);
            json!({"reason": "FieldManagerConflict", "message": message, "field": pair.1})
        };
        let mut refusal = Self::new(409, "Conflict", message);
        refusal.details = json!({"causes": conflicts.iter().map(cause).collect::<Vec<_>>()});
        refusal
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(super) fn unsupported_media(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(super) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let all: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let all = if all.len() == 1 { all.concat() } else { format!("[{}]", all.join(", ")) };
        let cause = |cause: &Cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field});
        let mut refusal = Self::new(422, "Invalid", format!("{} \"{name}\" is invalid: {all}", kind.qualified_kind()));
        refusal.details = json!({
            "name": name, "group": kind.group, "kind": kind.kind,
            "causes": causes.iter().map(cause).collect::<Vec<_>>(),
        });
        refusal
    }

    /// A patch that cannot be carried out on the object as it is.
    pub(super) fn patch_failed() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request")
    }

    pub(super) fn too_many_requests(retry_after: u64) -> Self {
        let message = "Too many requests, please try again later.";
        Self::new(429, "TooManyRequests", message).retry_after(retry_after)
    }

    /// A drain that a PodDisruptionBudget holds up.
    pub(super) fn disruption_budget(name: &str) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut refusal = Self::new(429, "TooManyRequests", message);
        let cause = format!("The disruption budget {name} does not allow this disruption now");
        refusal.details = json!({"causes": [{"reason": "DisruptionBudget", "message": cause}]});
        refusal
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", message)
    }

    pub(super) fn timeout(message: impl Into<String>) -> Self {
        Self::new(504, "Timeout", message).retry_after(1)
    }

    /// Seconds after which the caller should try again; also a header.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        if !self.details.is_object() {
            self.details = json!({});
        }
        self.details["retryAfterSeconds"] = json!(seconds);
        self
    }

    pub(super) fn seconds(&self) -> Option<u64> {
        self.details["retryAfterSeconds"].as_u64()
    }

    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}
