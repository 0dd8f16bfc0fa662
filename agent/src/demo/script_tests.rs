//! Whole releases against a scripted agent, whose one server changes version as the real edge would.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use teal_rollout::colour::Colour;
use tokio::net::TcpListener;

use super::*;
use crate::api::Status;
use crate::demo::load::{self, LoadSettings};
use crate::demo::operator::Refused;

/// The scripted agent and its server: a release answers as `status` from the second look on.
#[derive(Clone)]
struct Fake {
    serving: Arc<Mutex<(String, u16)>>,
    looks: Arc<Mutex<u32>>,
    releasing: Arc<Mutex<String>>,
}

impl Fake {
    /// Serves v2.
    async fn start() -> (Self, SocketAddr) {
        let fake = Self {
            serving: Arc::new(Mutex::new(("v2".to_owned(), 200))),
            looks: Arc::default(),
            releasing: Arc::default(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&fake.serving);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = Arc::clone(&serving);
                let service = service_fn(move |_| {
                    let (version, status) = serving.lock().unwrap().clone();
                    let response = http::Response::builder().status(status).header("x-version", version);
                    async move { Ok::<_, Infallible>(response.body(Full::new(bytes::Bytes::from_static(b"ok"))).unwrap()) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        (fake, address)
    }

    fn serve(&self, version: &str, status: u16) {
        *self.serving.lock().unwrap() = (version.to_owned(), status);
    }
}

impl Operator for Fake {
    async fn ready(&self) -> Result<(), Refused> {
        Ok(())
    }

    async fn release(&self, version: &str) -> Result<u64, Refused> {
        if version == "same" {
            return Err(Refused("version same already serves".to_owned()));
        }
        *self.looks.lock().unwrap() = 0;
        *self.releasing.lock().unwrap() = version.to_owned();
        Ok(7)
    }

    async fn look(&self, release: u64) -> Result<Look, Refused> {
        assert_eq!(release, 7);
        let looks = {
            let mut looks = self.looks.lock().unwrap();
            *looks += 1;
            *looks
        };
        let version = self.releasing.lock().unwrap().clone();
        let bad = version == "bad";
        let (phase, ended) = match looks {
            1 => (Phase::Deploying, None),
            2..5 => (Phase::Watching, None),
            _ if bad => (Phase::Idle, Some((Outcome::RolledBack, Some("errors of app".to_owned())))),
            _ => (Phase::Retaining, Some((Outcome::Completed, None))),
        };
        match (looks, bad) {
            (2, true) => self.serve(&version, 500),
            (2, false) => self.serve(&version, 200),
            (5, true) => self.serve("v2", 200),
            _ => {}
        }
        let exclude_above_percent = Some(5.1);
        let from = Some("v2".to_owned());
        let (candidate, log_m) = (Colour::Green, Some((-1.9, 14.5)));
        let status = Status::default();
        Ok(Look { status, phase, candidate, from, log_m, exclude_above_percent, judged: None, ended })
    }

    async fn promote(&self) -> Result<(), Refused> {
        Ok(())
    }
}

async fn play_against_fake(version: &str, fault: &str) -> Result<ReleaseReport, DemoError> {
    let (fake, target) = Fake::start().await;
    let settings = LoadSettings {
        target,
        rps: 500,
        jitter: Some(1),
        paths: vec!["/".to_owned()],
        one_shot_every: 10,
        give_up: Duration::from_secs(20),
    };
    let load = load::start(settings).unwrap();
    let act = Act { version: version.to_owned(), fault: fault.parse().unwrap() };
    play(&act, &fake, &load, &Screen::new(true)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_release_is_reported_with_what_it_cost_and_how_long_it_lasted() {
    let report = play_against_fake("bad", "errors=100%").await.unwrap();
    assert_eq!((report.from.as_deref(), report.to.as_str()), (Some("v2"), "bad"));
    assert_eq!((report.result, report.lost), (Outcome::RolledBack, 0));
    // Served for three looks of a tenth of a second at 500 requests a second.
    assert!(report.bad >= 50 && report.requests > report.bad, "{report:?}");
    assert_eq!(report.requests_to_detect, Some(report.bad));
    assert!(report.time_to_off_ms.is_some_and(|off| off >= 200.0), "{report:?}");
    assert!(report.is_as_expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_release_costs_nothing() {
    let report = play_against_fake("v3", "none").await.unwrap();
    assert_eq!((report.result, report.bad, report.lost), (Outcome::Completed, 0, 0));
    assert_eq!((report.time_to_off_ms, report.requests_to_detect), (None, None));
    assert!(report.requests > 100 && report.is_as_expected(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_release_ends_the_demo_with_the_agents_words() {
    let error = play_against_fake("same", "none").await.unwrap_err();
    assert_eq!(error.to_string(), "the agent: version same already serves");
}
