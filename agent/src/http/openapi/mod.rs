//! The OpenAPI 3.1 document of the flags' door, made of the routes that it serves.
//!
//! ```text
//! Routes --each path and method with its Said--> document --> GET /api/openapi.json, docs/openapi.json (a test compares)
//! ```
//! What is read by a table ([`super::query`]) is described by that table; statuses are described by refusals that are really made
//! ([`refusals`]); plain structs derive their schemas, and flags and segments, which the SDK reads by hand, have theirs in [`schemas`].

mod headers;
mod refusals;
mod said;
mod schemas;

use axum::http::Method;
use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, PathItem, PathsBuilder};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApiBuilder};

use super::routes::Described;
pub(super) use headers::Head;
pub(super) use said::Said;

/// Where the document is.
pub(super) const PATH: &str = "/api/openapi.json";

const ABOUT: &str = "Feature flags of Teal: for people and scripts, for SDKs, and for programs without one. \
    docs/flag-service.md says what the answers mean, docs/flags.md what is in a flag.\n\n\
    Every path also answers HEAD where it answers GET, and OPTIONS, with `Allow`. An unknown path is 404 and another method 405, both \
    as problems. What is not HTTP/1.1, or has a head beyond 128 KiB, is refused without a body (400, 414, 431).";

/// What the document says of these routes.
fn document(routes: &[Described]) -> Value {
    let mut paths = PathsBuilder::new();
    for Described { path, method, said } in routes {
        paths = paths.path(*path, PathItem::new(http_method(method), said.operation(path)));
    }
    let info = InfoBuilder::new()
        .title("Teal flags")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let document = OpenApiBuilder::new().info(info).paths(paths.build()).build();
    let mut json = serde_json::to_value(document).unwrap_or_default();
    json["components"]["securitySchemes"]["token"] =
        serde_json::json!({"type": "http", "scheme": "bearer", "bearerFormat": "teal_ID_SECRET"});
    json["security"] = serde_json::json!([{"token": []}]);
    // As they stand: utoipa's own types know fewer keywords than JSON Schema has.
    for (name, schema) in schemas::all() {
        json["components"]["schemas"][name] = schema;
    }
    json
}

/// The document as text, as docs/openapi.json has it.
pub(super) fn text(routes: &[Described]) -> String {
    let text = serde_json::to_string_pretty(&document(routes)).unwrap_or_default();
    format!("{text}\n")
}

const fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
