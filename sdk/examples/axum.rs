//! A route that answers by flag: `cargo run -p teal-flags --example axum`, then
//!
//! ```text
//! curl -H 'x-user: user-7' http://127.0.0.1:8080/visit
//! ```
//!
//! Change `sdk/examples/flags.json` while it runs: the next request is answered by what it says then.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Json, Router};
use http::request::Parts;
use serde_json::{Value, json};
use teal_flags::Flags;
use teal_flags::client::Client;
use teal_flags::tower::{FlagsLayer, RequestFlags};

teal_flags::flags! {
    mod flag {
        telehealth = false;
        price_page("price-page") = false;
    }
}

/// All questions of one request are answered by the same flags, also while an update arrives.
async fn visit(Extension(flags): Extension<RequestFlags>) -> Json<Value> {
    let how = if flags.is_enabled(&flag::telehealth) { "by video" } else { "at the clinic" };
    let page = flags.json(&flag::price_page, json!({"columns": 2}));
    Json(json!({"visit": how, "page": page.value}))
}

/// Here a header says who it is, so that curl can; an application takes what its own authentication has found.
fn user(parts: &Parts) -> Option<String> {
    Some(parts.headers.get("x-user")?.to_str().ok()?.to_owned())
}

pub(crate) fn app(flags: Flags) -> Router {
    Router::new().route("/visit", get(visit)).layer(FlagsLayer::new(flags, user))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // From a file only; `Client::builder("https://...")` follows a service, with the file behind it.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flags.json");
    let client = Client::builder(None).environment("prod").file(file).start();
    client.ready(Duration::from_secs(1)).await;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/visit", listener.local_addr()?);
    axum::serve(listener, app(client.flags().clone())).await?;
    client.close().await;
    Ok(())
}
