//! A provider for the crate `open-feature`: the flags of a [`Flags`] behind OpenFeature's own client.
//!
//! ```text
//! Client --evaluation context--> Provider --Asker (borrows it)--> Flags --Evaluation--> ResolutionDetails, or an error code
//! ```

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationError, EvaluationErrorCode, EvaluationReason,
    EvaluationResult, FlagMetadata, FlagMetadataValue, StructValue, Value,
};

use crate::context::{Attribute, Scratch, Subject};
use crate::flags::Flags;
use crate::value::{ErrorCode, Evaluation, FlagValue, Reason};

/// Flags for OpenFeature. Its name is `teal`; it is always ready, since a flag that is not known yet is an answer
/// (`FLAG_NOT_FOUND`, and the caller's default counts).
///
/// * The targeting key is the user's id; custom fields are attributes. A date and time is one for `before` and `after`, and a
///   structure that is a `Vec<String>` is a list; any other structure is an attribute that is not there.
/// * A flag's version is in the metadata, as `version`.
/// * A flag that is off and names no variant for that serves nothing: the error code `FLAG_DISABLED`, and the caller's default
///   counts. A plain switch serves false.
/// * JSON's null has no counterpart in OpenFeature: it is left out of objects, and a list with one is of another type.
///
/// OpenFeature's client copies the evaluation context and takes several locks for each question. Where that matters, ask
/// [`Flags`] itself.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use open_feature::{EvaluationContext, OpenFeature};
/// use teal_flags::{openfeature::Provider, testing::TestFlags};
///
/// let flags = TestFlags::new().on("telehealth").into_flags();
/// let mut api = OpenFeature::default();
/// api.set_provider(Provider::new(flags)).await;
/// let user = EvaluationContext::default().with_targeting_key("user-7");
/// let is_on = api.create_client().get_bool_value("telehealth", Some(&user), None).await;
/// assert_eq!(is_on, Ok(true));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Provider {
    flags: Flags,
    metadata: ProviderMetadata,
}

impl Provider {
    /// A provider of these flags; they go on being updated.
    #[must_use]
    pub fn new(flags: Flags) -> Self {
        Self { flags, metadata: ProviderMetadata::new("teal") }
    }

    /// Evaluates a flag and reads its value.
    fn resolve<T>(
        &self,
        flag: &str,
        context: &EvaluationContext,
        type_name: &str,
        read: impl FnOnce(&FlagValue) -> Option<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let Evaluation { value, variant, reason, error, version, .. } = self.flags.evaluate(Asker(context), flag);
        if let Some(error) = error {
            return Err(failed(error, flag));
        }
        let Some(value) = value else {
            let code = EvaluationErrorCode::General("FLAG_DISABLED".to_owned());
            return Err(failure(code, format!("`{flag}` is off and names no variant for that")));
        };
        let Some(value) = read(&value) else {
            return Err(failure(EvaluationErrorCode::TypeMismatch, format!("`{flag}` does not serve {type_name}")));
        };
        let version = FlagMetadataValue::Int(i64::try_from(version).unwrap_or(i64::MAX));
        Ok(ResolutionDetails {
            value,
            variant: variant.map(|name| name.to_string()),
            reason: Some(reason_of(reason)),
            flag_metadata: Some(FlagMetadata::default().with_value("version", version)),
        })
    }
}

#[async_trait]
impl FeatureProvider for Provider {
    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(flag_key, evaluation_context, "a bool", |value| match value {
            FlagValue::Bool(value) => Some(*value),
            _ => None,
        })
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(flag_key, evaluation_context, "a whole number", |value| match value {
            FlagValue::Integer(value) => Some(*value),
            _ => None,
        })
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(flag_key, evaluation_context, "a number", |value| match value {
            FlagValue::Float(value) => Some(*value),
            #[expect(clippy::cast_precision_loss, reason = "what a number without a fraction is as a float")]
            FlagValue::Integer(value) => Some(*value as f64),
            _ => None,
        })
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(flag_key, evaluation_context, "text", |value| match value {
            FlagValue::Text(text) => Some(text.to_string()),
            _ => None,
        })
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(flag_key, evaluation_context, "an object", |value| match value {
            FlagValue::Json(json) => structure(json),
            _ => None,
        })
    }
}

/// An evaluation context as a user.
struct Asker<'a>(&'a EvaluationContext);

impl Subject for Asker<'_> {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        self.0.targeting_key.as_deref()
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        Some(match self.0.custom_fields.get(name)? {
            EvaluationContextFieldValue::Bool(value) => Attribute::Bool(*value),
            EvaluationContextFieldValue::Int(value) => Attribute::Integer(*value),
            EvaluationContextFieldValue::Float(value) => Attribute::Float(*value),
            EvaluationContextFieldValue::String(text) => Attribute::Text(text),
            EvaluationContextFieldValue::DateTime(moment) => {
                Attribute::Integer(moment.unix_timestamp() * 1000 + i64::from(moment.millisecond()))
            }
            EvaluationContextFieldValue::Struct(structure) => {
                Attribute::Texts(structure.downcast_ref::<Vec<String>>()?)
            }
        })
    }
}

/// A JSON object as OpenFeature's structure; `None` if it is no object, or has a list with null in it.
fn structure(json: &serde_json::Value) -> Option<StructValue> {
    let mut structure = StructValue::default();
    for (name, member) in json.as_object()?.iter().filter(|(_, member)| !member.is_null()) {
        structure.add_field(name, value(member)?);
    }
    Some(structure)
}

fn value(json: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(members) => Value::Array(members.iter().map(value).collect::<Option<_>>()?),
        Json::Object(_) => Value::Struct(structure(json)?),
    })
}

const fn reason_of(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Static => EvaluationReason::Static,
        Reason::Default => EvaluationReason::Default,
        Reason::TargetingMatch => EvaluationReason::TargetingMatch,
        Reason::Split => EvaluationReason::Split,
        Reason::Disabled => EvaluationReason::Disabled,
        Reason::Error => EvaluationReason::Error,
    }
}

const fn failure(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}

fn failed(error: ErrorCode, flag: &str) -> EvaluationError {
    match error {
        ErrorCode::FlagNotFound => failure(EvaluationErrorCode::FlagNotFound, format!("no flag `{flag}` is known")),
        ErrorCode::TargetingKeyMissing => failure(
            EvaluationErrorCode::TargetingKeyMissing,
            format!("`{flag}` serves a share of users; give a targeting key, or the attribute that it deals by"),
        ),
        ErrorCode::TypeMismatch => {
            failure(EvaluationErrorCode::TypeMismatch, format!("`{flag}` serves another type than was asked for"))
        }
        ErrorCode::ParseError => {
            failure(EvaluationErrorCode::ParseError, format!("`{flag}` cannot be used as it is defined"))
        }
    }
}
