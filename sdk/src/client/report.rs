//! Sends the counts of what was served to the service, each minute and at the end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::backoff::about;
use super::error::ClientError;
use super::exposures::Report;
use super::http::{Request, Service};
use super::now;
use super::shared::Shared;
use super::status::Area;
use super::stop::Stop;

/// Reports until told to stop, and then once more. A report whose answer was lost is sent again: the service knows it by its id.
pub(super) async fn run(shared: &Arc<Shared>, service: &Service, every: Duration, stop: Stop) {
    shared.pending().begin(now());
    let mut end = None;
    loop {
        stop.sleep(about(every, fastrand::u64(..))).await;
        let is_last = stop.is_over();
        match in_time(send(shared, service), service.limits.close, &stop, &mut end).await {
            Ok(()) => shared.well(Area::Exposures),
            Err(error) => shared.trouble(Area::Exposures, error),
        }
        if is_last {
            return;
        }
    }
}

/// Lets something be done, but once it is time to stop for no longer than `limit`, which begins at the first time that is seen.
async fn in_time(
    sending: impl Future<Output = Result<(), ClientError>>,
    limit: Duration,
    stop: &Stop,
    end: &mut Option<Instant>,
) -> Result<(), ClientError> {
    let late = async {
        stop.wait().await;
        tokio::time::sleep_until(*end.get_or_insert_with(|| Instant::now() + limit)).await;
    };
    tokio::select! {
        biased;
        sent = sending => sent,
        () = late => Err(ClientError::TimedOut { what: "the last counts to be taken", limit }),
    }
}

/// Sends what the service has not answered, then what was counted since.
async fn send(shared: &Arc<Shared>, service: &Service) -> Result<(), ClientError> {
    // The users first: whoever is seen has been counted.
    #[cfg(feature = "unique-users")]
    shared.see_users();
    let exposures = shared.flags.take_exposures();
    shared.pending().add(exposures, now());
    loop {
        let report = shared.pending().report(service.environment.as_deref());
        match report {
            Some(report) => send_one(shared, service, &report).await?,
            None => return Ok(()),
        }
    }
}

/// Sends a report, whoever counted.
pub(super) async fn post(service: &Service, body: Vec<u8>) -> Result<(), ClientError> {
    let request = Request {
        method: Method::POST,
        resource: "exposures",
        with_environment: false,
        headers: HeaderMap::new(),
        body: Some(body),
    };
    let limit = service.limits.connect + service.limits.first_byte;
    service.send(request, limit, "the counts to be taken").await.map(drop)
}

async fn send_one(shared: &Shared, service: &Service, report: &Report) -> Result<(), ClientError> {
    match post(service, report.body.to_string().into_bytes()).await {
        Ok(()) => shared.pending().sent(),
        Err(error) => {
            // The service read them and does not want them: it would not another time either.
            if matches!(error, ClientError::Status { status: 400 | 413 | 422 }) {
                shared.pending().refused();
            }
            return Err(error);
        }
    }
    Ok(())
}
