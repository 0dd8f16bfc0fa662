use super::super::fixtures::{deploying, night, rolled_back, watching};
use super::*;
use crate::api::{EdgeStatus, Part, PartKind};

const NOW: &str = "2026-01-02T03:04:17.000Z";

fn plain(status: &Status, width: usize, glyphs: Glyphs) -> String {
    let lines = panel(status, NOW, width, glyphs).lines();
    lines.iter().map(|line| line.plain().trim_end().to_owned() + "\n").collect()
}

fn draw(status: &Status) -> String {
    plain(status, 80, Glyphs::Lines)
}

fn smoke() -> Status {
    let mut status = deploying();
    status.phase = Phase::Smoke.into();
    status.next = "the smoke suite must end within 58 s".into();
    for component in &mut status.components {
        let green = component.candidate.as_mut().unwrap();
        green.ready = green.wanted;
    }
    status
}

fn switching() -> Status {
    let mut status = smoke();
    status.phase = Phase::Switching.into();
    status.next = "every edge must acknowledge within 10 s".into();
    status
}

fn failing() -> Status {
    let mut status = deploying();
    let green = status.components[0].candidate.as_mut().unwrap();
    green.failure = Some("exit status 1".into());
    status
}

/// A tenth of the traffic, and suspicious.
fn canary() -> Status {
    let mut status = watching();
    for component in &mut status.components {
        component.share = Share::percent(10);
    }
    let api = &mut status.components[0];
    api.candidate.as_mut().unwrap().bad = 3;
    let evidence = api.evidence.as_mut().unwrap();
    evidence.log_m = 9.4;
    evidence.parts =
        vec![Part { kind: PartKind::Group.into(), name: "patients".into(), log_m: 12.0, ..Part::default() }];
    (evidence.baseline.source, evidence.baseline.p0, evidence.excludable_percent) = ("policy".into(), 0.01, None);
    status
}

/// Over the threshold; the old colour is asked.
fn confirming() -> Status {
    let mut status = watching();
    status.components[0].candidate.as_mut().unwrap().bad = 6;
    status.components[0].evidence.as_mut().unwrap().log_m = 15.2;
    status
}

fn rolling_back() -> Status {
    let mut status = confirming();
    status.phase = Phase::RollingBack.into();
    status.cause = Some("errors of api".into());
    status.components.iter_mut().for_each(|component| component.share = Share::NONE);
    status
}

fn held() -> Status {
    let mut status = night();
    status.phase = Phase::Held.into();
    status.watch = None;
    status
}

fn retaining() -> Status {
    let mut status = watching();
    status.phase = Phase::Retaining.into();
    status.outcome = Some(Outcome::Completed.into());
    status.watch = Some(WatchStatus { elapsed: 3700.0, min: 86_400.0, max: 86_400.0, deadline: Some(82_700.0) });
    status
}

fn trouble() -> Status {
    let mut status = watching();
    status.mode = teal_rollout::settings::Mode::Advise.into();
    status.paused = Some("ops@laptop".into());
    status.emergency = vec!["web".into()];
    status.shared_outage = Some("api".into());
    status.store = Safe::no("disk full");
    status.reload_safe = Safe::no("the map's file cannot be written: disk full");
    status.rollback_safe = Safe::no("blue has nothing ready");
    let (name, feed) = ("edge".to_owned(), "lost".to_owned());
    status.edges[0] = EdgeStatus { name, feed, evidence_lost: 12, old_workers: 1, ..EdgeStatus::default() };
    status
}

fn every_phase() -> Vec<(&'static str, Status)> {
    let idle = Status { environment: "prod".into(), next: "waiting for a deploy".into(), ..Status::default() };
    let mut completed = rolled_back();
    (completed.outcome, completed.cause) = (Some(Outcome::Completed.into()), None);
    vec![
        ("idle, before the first release", idle),
        ("deploying", deploying()),
        ("deploying, and failing", failing()),
        ("smoke", smoke()),
        ("switching", switching()),
        ("watching", watching()),
        ("a tenth of the traffic, suspicious", canary()),
        ("at night", night()),
        ("confirming", confirming()),
        ("rolling back", rolling_back()),
        ("rolled back", rolled_back()),
        ("held", held()),
        ("retaining", retaining()),
        ("completed", completed),
        ("trouble", trouble()),
    ]
}

#[test]
fn each_phase_shows_traffic_evidence_the_clock_and_the_way_on() {
    let drawn: Vec<String> = every_phase().iter().map(|(name, status)| format!("{name}\n{}", draw(status))).collect();
    insta::assert_snapshot!(drawn.join("\n"));
}

#[test]
fn a_narrow_terminal_loses_bars_first_and_then_the_ends_of_lines() {
    let drawn = [100, 60, 48, 30].map(|width| format!("{width}\n{}", plain(&canary(), width, Glyphs::Lines)));
    insta::assert_snapshot!(drawn.join("\n"));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut long = canary();
    long.components[0].name = "a-component-with-a-very-long-name".into();
    long.components[0].stable.version = Some("2026-11-28_20-35-00-feature-branch".into());
    let all = every_phase().into_iter().map(|(_, status)| status).chain([long]);
    for (status, glyphs) in all.flat_map(|status| [(status.clone(), Glyphs::Lines), (status, Glyphs::Ascii)]) {
        for width in 0..130 {
            let lines = panel(&status, NOW, width, glyphs).lines();
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
        }
    }
}

#[test]
fn a_terminal_of_ascii_gets_ascii() {
    let drawn = plain(&canary(), 80, Glyphs::Ascii);
    assert!(drawn.is_ascii(), "{drawn}");
    assert!(drawn.contains("##"), "{drawn}");
}

#[test]
fn only_bars_marks_and_bad_news_are_coloured() {
    let lines = panel(&canary(), NOW, 80, Glyphs::Lines).lines();
    let escaped: Vec<String> = lines.iter().map(|line| line.to_string().replace('\u{1b}', "^")).collect();
    insta::assert_snapshot!(escaped.join("\n"));
}
