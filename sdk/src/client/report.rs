//! Sends the counts of what was served to the service, each minute and at the end.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::backoff::about;
use super::error::ClientError;
use super::http::{Request, Service};
use super::now;
use super::shared::Shared;
use super::status::Area;
use super::stop::Stop;

/// Reports until told to stop, and then once more. Counts that an answer was lost for are sent again: they may be counted twice.
pub(super) async fn run(shared: &Arc<Shared>, service: &Service, every: Duration, stop: Stop) {
    shared.pending().begin(now());
    while !stop.is_over() {
        stop.sleep(about(every, fastrand::u64(..))).await;
        let over = stop.is_over();
        let sending = send(shared, service);
        let outcome = if over {
            let limit = service.limits.close;
            let late = ClientError::TimedOut { what: "the last counts to be taken", limit };
            tokio::time::timeout(limit, sending).await.unwrap_or(Err(late))
        } else {
            sending.await
        };
        match outcome {
            Ok(()) => shared.well(Area::Exposures),
            Err(error) => shared.trouble(Area::Exposures, error),
        }
    }
}

async fn send(shared: &Arc<Shared>, service: &Service) -> Result<(), ClientError> {
    let exposures = shared.flags.take_exposures();
    let report = {
        let mut pending = shared.pending();
        pending.add(exposures, now());
        pending.report(service.environment.as_deref())
    };
    let Some(report) = report else { return Ok(()) };
    let request = Request {
        method: Method::POST,
        resource: "exposures",
        with_environment: false,
        headers: HeaderMap::new(),
        body: Some(report.to_string().into_bytes()),
    };
    let limit = service.limits.connect + service.limits.first_byte;
    match service.send(request, limit, "the counts to be taken").await {
        Ok(_) => shared.pending().sent(),
        Err(error) => {
            // The service read them and does not want them: it would not another time either.
            if matches!(error, ClientError::Status { status: 400 | 413 | 422 }) {
                shared.pending().drop_all();
            }
            return Err(error);
        }
    }
    Ok(())
}
