//! Bodies: JSON, bounded in size and in the time that they may take.

use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::Value;
use tokio::time::timeout;

use crate::http::problem::Refused;

/// The largest body; a flag of a hundred rules stays far below.
pub(super) const MOST: usize = 2 << 20;
/// How long it may take to arrive.
const LIMIT: Duration = Duration::from_secs(10);

/// Reads a body.
pub(in crate::http) async fn bytes(body: Body) -> Result<Bytes, Refused> {
    bytes_up_to(body, MOST).await
}

/// Reads a body that may have so many bytes.
pub(in crate::http) async fn bytes_up_to(body: Body, most: usize) -> Result<Bytes, Refused> {
    let bytes = timeout(LIMIT, axum::body::to_bytes(body, most)).await.map_err(|_| Refused::slow(LIMIT))?;
    // Whoever breaks off in the middle does not read the answer.
    bytes.map_err(|_| Refused::too_large(most))
}

/// Reads a body as JSON, whatever type it says to be: `curl -d` says that it is a form.
pub(super) async fn json(body: Body) -> Result<Value, Refused> {
    json_up_to(body, MOST).await
}

/// The same of a body that may be larger.
pub(super) async fn json_up_to(body: Body, most: usize) -> Result<Value, Refused> {
    let bytes = bytes_up_to(body, most).await?;
    crate::http::json::read(&bytes).map_err(|error| Refused::malformed(format!("the body is no JSON: {error}")))
}
