//! Probes of a component with little traffic: one reading check of the smoke suite at a time, straight to its servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::probe::{self, Limits, ProbeRequest};

/// The longest any probe may take: the machine takes one for lost after 15 s.
const LONGEST: Duration = Duration::from_secs(10);
/// No check is a suspect.
const NONE: usize = usize::MAX;

/// What is asked, in turn. Clones share what they have seen.
#[derive(Clone, Debug)]
pub(super) struct Sampling {
    checks: Arc<Vec<(ProbeRequest, Duration)>>,
    /// The check that failed last and has not passed since.
    suspect: Arc<AtomicUsize>,
}

impl Sampling {
    pub(super) fn new(checks: Vec<(ProbeRequest, Duration)>) -> Self {
        Self { checks: Arc::new(checks), suspect: Arc::new(AtomicUsize::new(NONE)) }
    }

    /// Every check may take this long, or longer where it says so. A slow answer is no failure here, as long as nobody
    /// would have given up; and the limit is bounded.
    pub(super) fn allow(&mut self, limit: Duration) {
        let wider = |(request, own): &(ProbeRequest, Duration)| (request.clone(), (*own).max(limit).min(LONGEST));
        self.checks = Arc::new(self.checks.iter().map(wider).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// The check that the old colour has to be asked about, when this is what made the candidate bad.
    pub(super) fn suspect(&self) -> Option<&(ProbeRequest, Duration)> {
        self.checks.get(self.suspect.load(Ordering::Relaxed))
    }

    /// Sends the round's check to the round's server. Whether it passed, and how long it took.
    pub(super) async fn ask(&self, round: u64, addresses: &[SocketAddr]) -> (bool, Duration) {
        let Some((check, server)) = turn(round, self.checks.len(), addresses.len()) else {
            return (false, Duration::ZERO);
        };
        let (request, total) = &self.checks[check];
        let start = Instant::now();
        let passed = probe::ask(addresses[server], request, Limits { connect: *total, total: *total }).await;
        if passed {
            // Only its own success clears a check: the others pass all the time.
            let _ = self.suspect.compare_exchange(check, NONE, Ordering::Relaxed, Ordering::Relaxed);
        } else {
            self.suspect.store(check, Ordering::Relaxed);
        }
        (passed, start.elapsed().min(*total))
    }
}

/// Which check goes to which server: every check meets every server, also where their numbers have a common divisor.
fn turn(round: u64, checks: usize, servers: usize) -> Option<(usize, usize)> {
    let round = usize::try_from(round.saturating_sub(1)).unwrap_or(0);
    let (lap, check) = (round.checked_div(checks)?, round.checked_rem(checks)?);
    Some((check, check.wrapping_add(lap).checked_rem(servers)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_meets_every_server() {
        let check = |checks: usize, servers: usize| {
            let rounds = 1..=u64::try_from(checks * servers).unwrap();
            let mut met: Vec<_> = rounds.filter_map(|round| turn(round, checks, servers)).collect();
            met.sort_unstable();
            met.dedup();
            assert_eq!(met.len(), checks * servers, "{checks} checks, {servers} servers");
        };
        for checks in 1..8 {
            for servers in 1..6 {
                check(checks, servers);
            }
        }
        assert_eq!((turn(1, 0, 1), turn(1, 1, 0)), (None, None));
    }

    #[tokio::test]
    async fn the_check_that_failed_last_is_the_suspect_until_it_passes() {
        use http::{HeaderMap, Method};
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        // Answers 500 to the first request, then 200 for ever.
        let server = tokio::spawn(async move {
            let mut status = "500 Internal Server Error";
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                status = "200 OK";
            }
        });
        let check = |path| (ProbeRequest::new(Method::GET, path, "teal", HeaderMap::new()).unwrap(), Duration::ZERO);
        let mut sampling = Sampling::new(vec![check("/a"), check("/b")]);
        sampling.allow(Duration::from_secs(20));
        assert_eq!(sampling.checks[0].1, LONGEST, "no limit is above the longest");
        let suspect = || sampling.clone().suspect().cloned();
        assert!(!sampling.ask(2, &[here]).await.0);
        assert_eq!(suspect(), Some((check("/b").0, LONGEST)));
        assert!(sampling.ask(3, &[here]).await.0);
        assert!(suspect().is_some(), "another check clears nothing");
        assert!(sampling.ask(4, &[here]).await.0);
        assert_eq!((suspect(), sampling.ask(5, &[]).await.0), (None, false));
        server.abort();
    }
}
