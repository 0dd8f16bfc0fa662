//! The colour that a Service's selector chooses.

use k8s_openapi::api::core::v1::Service;
use teal_rollout::colour::Colour;

/// By its `version`; none where that is neither colour.
#[must_use]
pub fn colour_of(service: &Service) -> Option<Colour> {
    let version = service.spec.as_ref()?.selector.as_ref()?.get("version")?;
    Colour::BOTH.into_iter().find(|colour| colour.to_string() == *version)
}
