//! The four ways to send a part of an object.

pub(super) mod apply;
mod strategic;

use serde_json::Value;

use super::kinds::Kind;
use super::refusal::Refusal;

/// How the body of a PATCH is meant, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Merge,
    Json,
    Strategic,
    Apply,
}

impl Format {
    /// Custom resources have no strategic merge: nobody told the server how their lists merge.
    pub(super) fn parse(content_type: &str, kind: &Kind) -> Result<Self, Refusal> {
        const ALL: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/json-patch+json" => Ok(Self::Json),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            "application/strategic-merge-patch+json" if !kind.is_custom() => Ok(Self::Strategic),
            _ if kind.is_custom() => Err(Refusal::unsupported_media(ALL)),
            _ => Err(Refusal::unsupported_media(&format!("{ALL}, application/strategic-merge-patch+json"))),
        }
    }
}

/// `object` with `patch` carried out; an apply goes through [`apply`] instead.
pub(super) fn patched(format: Format, object: &Value, patch: &Value) -> Result<Value, Refusal> {
    let mut patched = object.clone();
    match format {
        Format::Merge | Format::Apply => json_patch::merge(&mut patched, patch),
        Format::Strategic => strategic::merge(&mut patched, patch)?,
        Format::Json => {
            let operations: json_patch::Patch = serde_json::from_value(patch.clone())
                .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
            json_patch::patch(&mut patched, &operations).map_err(|_| Refusal::patch_failed())?;
        }
    }
    Ok(patched)
}

/// Carries a strategic merge patch out on an object of a built in type, as the server and `kustomize` do.
///
/// # Panics
/// When the patch is none: the reason.
pub fn strategic_merge(object: &mut Value, patch: &Value) {
    if let Err(refusal) = strategic::merge(object, patch) {
        panic!("{patch}: {refusal:?}");
    }
}
