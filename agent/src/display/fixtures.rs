//! Statuses to render in tests, with a vocabulary.

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::settings::Mode;

use crate::api::{
    Baseline, ColourStatus, ComponentStatus, EdgeStatus, Evidence, Happening, Probes, Record, ReleaseId, Safe, Status,
    WatchStatus,
};

fn colour(colour: Colour, version: &str, ready: u32, wanted: u32) -> ColourStatus {
    let version = Some(version.to_owned());
    ColourStatus { colour: colour.into(), version, ready, wanted, ..ColourStatus::default() }
}

fn component(name: &str, replicas: u32) -> ComponentStatus {
    ComponentStatus {
        name: name.to_owned(),
        stable: colour(Colour::Blue, "v1.2.2", replicas, replicas),
        candidate: Some(colour(Colour::Green, "v1.2.3", 0, replicas)),
        released: Some("v1.2.3".to_owned()),
        share: Share::NONE,
        evidence: None,
    }
}

/// r-0043 of api and web, just being deployed.
pub(crate) fn deploying() -> Status {
    Status {
        environment: "prod".into(),
        app: "physioflow".into(),
        mode: Mode::Act.into(),
        phase: Phase::Deploying.into(),
        release: Some(ReleaseId(43)),
        epoch: "43.0.open".into(),
        by: "ops@laptop".into(),
        since: "2026-01-02T03:04:05.000Z".into(),
        components: vec![component("api", 2), component("web", 1)],
        rollback_safe: Safe::yes(),
        reload_safe: Safe::yes(),
        store: Safe::yes(),
        edges: vec![EdgeStatus {
            name: "edge".into(),
            pid: Some(4242),
            version: Some("2.6.12".into()),
            policy: Some("v1:43.0.open:blue:green:0:blue:green:0:physioflow-prod:0".into()),
            drift: 0,
            evidence_lost: 0,
            feed: "live".into(),
            old_workers: 0,
            problem: None,
        }],
        next: "the new colour must be ready within 288 s".into(),
        agent: "0.1.0".into(),
        ..Status::default()
    }
}

/// Everything on green since 3 minutes.
pub(crate) fn watching() -> Status {
    let mut status = deploying();
    status.phase = Phase::Watching.into();
    status.epoch = "43.1.open".into();
    status.watch = Some(WatchStatus { elapsed: 192.0, min: 300.0, max: 1800.0, deadline: Some(108.0) });
    status.next = "kept when nothing bad is seen".into();
    for (component, requests) in status.components.iter_mut().zip([150, 38]) {
        component.share = Share::ALL;
        let green = component.candidate.as_mut().unwrap();
        (green.ready, green.requests) = (green.wanted, requests);
        component.stable.requests = 9000;
        let baseline = Baseline { n: 31_000, k: 62, source: "history".into(), p0: 0.0075 };
        let log_m = if component.name == "api" { -1.9 } else { -4.2 };
        let (threshold, excludable_percent) = (14.5, Some(6.1));
        component.evidence = Some(Evidence { log_m, threshold, excludable_percent, baseline, ..Evidence::default() });
    }
    status
}

/// The same at night: hardly any request, and probes instead.
pub(crate) fn night() -> Status {
    let mut status = watching();
    for (component, (sent, excluded)) in status.components.iter_mut().zip([(180, 23.1), (60, 39.4)]) {
        component.candidate.as_mut().unwrap().requests = 3;
        let evidence = component.evidence.as_mut().unwrap();
        evidence.excludable_percent = None;
        evidence.probes = Some(Probes { sent, failed: 0, excludable_percent: Some(excluded) });
    }
    status
}

/// Taken back after errors.
pub(crate) fn rolled_back() -> Status {
    let mut status = watching();
    status.phase = Phase::Idle.into();
    status.outcome = Some(Outcome::RolledBack.into());
    status.cause = Some("errors of api".into());
    status.epoch = "43.1.bad".into();
    status.watch = None;
    status.rollback_safe = Safe::no("nothing is under release");
    for component in &mut status.components {
        component.share = Share::NONE;
        component.candidate = None;
        component.evidence = None;
    }
    status.next = String::new();
    status
}

/// A record of r-0043, `seconds` after its start.
pub(crate) fn record(seconds: u32, happening: &Happening) -> Record {
    let at = format!("2026-01-02T03:{:02}:{:02}.000Z", 4 + seconds / 60, seconds % 60);
    Record::new(u64::from(seconds), at, ReleaseId(43), happening)
}
