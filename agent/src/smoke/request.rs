//! One check against one target: send, read at most so much, compare.

use std::error::Error;
use std::time::Instant;

use http::HeaderValue;
use reqwest::{Client, Response};

use super::report::Failure;
use super::suite::Check;

/// The most that is read of an answer. A check that looks into a longer one fails; others stop reading there.
const MAX_BODY: usize = 1 << 20;

/// Sends the check's request to `url`, which includes its path, and judges the answer. Not bounded in time.
pub(super) async fn attempt(client: &Client, check: &Check, url: &str) -> Result<(), Failure> {
    let mut request = client.request(check.method.clone(), url).headers(check.headers.clone());
    for (name, file) in &check.header_files {
        let value = secret(file).await.map_err(|error| Failure::HeaderFile {
            header: name.to_string(),
            file: file.display().to_string(),
            error,
        })?;
        request = request.header(name, value);
    }
    if let Some(body) = &check.body {
        request = request.body(body.clone());
    }
    let start = Instant::now();
    let mut response = request.send().await.map_err(unreachable)?;
    let got = response.status().as_u16();
    if !check.status.contains(&got) {
        return Err(Failure::Status { expected: check.status.clone(), got });
    }
    let looks_inside = check.contains.is_some() || !check.json.is_empty();
    let body = read(&mut response, looks_inside).await?;
    let took = start.elapsed();
    compare(check, &body)?;
    match check.latency {
        Some(limit) if took > limit => Err(Failure::Latency { limit, took }),
        _ => Ok(()),
    }
}

async fn read(response: &mut Response, looks_inside: bool) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            return if looks_inside { Err(Failure::TooLong(MAX_BODY)) } else { Ok(body) };
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn compare(check: &Check, body: &[u8]) -> Result<(), Failure> {
    if let Some(text) = &check.contains
        && !body.windows(text.len().max(1)).any(|window| window == text.as_bytes())
    {
        return Err(Failure::Contains { text: text.clone(), length: body.len() });
    }
    if check.json.is_empty() {
        return Ok(());
    }
    let document = serde_json::from_slice(body).map_err(|error| Failure::NotJson(error.to_string()))?;
    check.json.iter().try_for_each(|assertion| assertion.check(&document))
}

/// The first line of the file, marked so that no debug output shows it.
async fn secret(file: &std::path::Path) -> Result<HeaderValue, String> {
    let text = tokio::fs::read_to_string(file).await.map_err(|error| error.to_string())?;
    let mut value = HeaderValue::from_str(text.lines().next().unwrap_or_default().trim())
        .map_err(|_| "its first line cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost reason ("Connection refused"), without the URL, whose query might name somebody.
fn unreachable(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut reason: &dyn Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Failure::Unreachable(reason.to_string())
}
