//! Requests on several connections, each in a thread: as fast as answers come, or at a rate with latency from the intended start.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;

use super::exchange::Connection;

/// What is asked, and where.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) address: SocketAddr,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
}

/// What came of it. Times are in microseconds.
pub(crate) struct Answers {
    pub(crate) per_second: f64,
    pub(crate) latency: Histogram<u64>,
    /// How late requests were that nothing but the generator held up.
    pub(crate) late: Histogram<u64>,
}

/// Asks for so long. `rate` in requests a second over all connections; `None`: each connection asks again at once.
pub(crate) fn ask(
    question: &Question,
    connections: usize,
    length: Duration,
    rate: Option<f64>,
) -> anyhow::Result<Answers> {
    let began = Instant::now() + Duration::from_millis(50);
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            let question = question.clone();
            let pace = rate.map(|rate| {
                let step = Duration::from_secs_f64(connections as f64 / rate);
                (began + step.mul_f64(number as f64 / connections as f64), step)
            });
            std::thread::spawn(move || one(&question, began, length, pace))
        })
        .collect();
    let mut answers = Answers { per_second: 0.0, latency: Histogram::new(3)?, late: Histogram::new(3)? };
    for thread in threads {
        let (latency, late) = thread.join().ok().context("a thread of the generator panicked")??;
        answers.latency.add(latency)?;
        answers.late.add(late)?;
    }
    answers.per_second = answers.latency.len() as f64 / length.as_secs_f64();
    Ok(answers)
}

fn one(
    question: &Question,
    began: Instant,
    length: Duration,
    pace: Option<(Instant, Duration)>,
) -> anyhow::Result<(Histogram<u64>, Histogram<u64>)> {
    let mut connection = Connection::open(question.address)?;
    let request = connection.request(question.method, question.path, question.body);
    let (mut latency, mut late) = (Histogram::new(3)?, Histogram::new(3)?);
    let end = began + length;
    let mut intended = pace.map_or(began, |(first, _)| first);
    let mut free = began;
    while intended < end {
        let now = Instant::now();
        if now < intended {
            std::thread::sleep(intended - now);
        }
        let start = Instant::now();
        if free <= intended {
            late.record(micros(start.saturating_duration_since(intended)))?;
        }
        let (status, _) = connection.ask(&request)?;
        ensure!(status == 200, "{} {}: {status}", question.method, question.path);
        free = Instant::now();
        // A request that waited for the one before it waited for the server.
        let since = if pace.is_some() { intended } else { start };
        latency.record(micros(free.saturating_duration_since(since)))?;
        intended = pace.map_or(free, |(_, step)| intended + step);
    }
    Ok((latency, late))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
