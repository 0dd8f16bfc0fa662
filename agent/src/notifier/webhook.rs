//! `notify.webhook`: each message as a POST of JSON, tried a few times.

use std::error::Error;

use reqwest::{Client, Url, redirect};
use tokio::time::sleep;
use uuid::Uuid;

use super::DeliveryError;
use super::message::Message;
use super::settings::WebhookSettings;

/// Posts until it is accepted, refused for good, or the attempts are used up.
///
/// A receiver may get a message twice when its answer was lost; `x-teal-delivery` is the same in each attempt.
pub(super) async fn post(settings: &WebhookSettings, message: &Message) -> Result<(), DeliveryError> {
    // Made anew for each message: they are rare, and an agent at rest need not hold the system's certificates.
    let client = client(settings).map_err(|error| unreachable(error, 0))?;
    let (delivery, body) = (Uuid::new_v4().to_string(), message.to_json());
    let mut pauses = settings.pauses.iter();
    let mut attempts = 0;
    loop {
        let answer = client
            .post(settings.url.clone())
            .header("content-type", "application/json")
            .header("x-teal-delivery", &delivery)
            .body(body.clone())
            .send()
            .await;
        attempts += 1;
        let (error, again) = match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => {
                let status = answer.status().as_u16();
                (DeliveryError::Refused { status, attempts }, status >= 500 || matches!(status, 408 | 429))
            }
            Err(error) => (unreachable(error, attempts), true),
        };
        match pauses.next().filter(|_| again) {
            Some(pause) => sleep(*pause).await,
            None => return Err(error),
        }
    }
}

fn client(settings: &WebhookSettings) -> reqwest::Result<Client> {
    // `main` installs it at the start; without one the client would panic, and installing twice is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("teal/", env!("CARGO_PKG_VERSION")))
        .timeout(settings.limit)
        .redirect(redirect::Policy::none()); // a message goes where the configuration says
    if is_loopback(&settings.url) { builder.no_proxy() } else { builder }.build()
}

/// A proxy of the environment is for the outside world.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The innermost reason, without the URL, which often holds a token.
fn unreachable(error: reqwest::Error, attempts: u32) -> DeliveryError {
    let error = error.without_url();
    let mut reason: &dyn Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let reason = if error.is_timeout() { "no answer in time".to_owned() } else { reason.to_string() };
    DeliveryError::Unreachable { reason, attempts }
}
