use super::*;
use crate::proxy::haproxy::force::{Move, Why, force};
use crate::proxy::haproxy::standing::Author;
use std::fs;
use teal_rollout::machine::event::Feed;

#[tokio::test]
async fn the_first_report_says_what_was_found_and_nothing_is_written() {
    let lab = Lab::start(Mode::Single).await;
    lab.by_hand(NEW).await;
    let rig = Rig::start(&lab.settings);
    let report = rig.report("a first report", |_| true).await;
    assert_eq!((report.running, report.saved, report.manual), (Some(policy(NEW)), Some(policy(OLD)), false));
    assert_eq!(report.backends.len(), 2);
    rig.settled("the feed is live", |report| report.feed == Feed::Live).await;
    assert_eq!(lab.value().await, NEW);
    assert_eq!(map_file::read(&lab.settings.map), Ok(policy(OLD)));
    assert!(!rig.handle().monitor().status().reload_safe);
}

#[tokio::test]
async fn an_order_is_written_to_both_and_acknowledged() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    for (text, direction, colour) in [(NEW, Direction::Forward, "green"), (BAD, Direction::Back, "blue")] {
        rig.order(text, direction).await;
        let both = |r: &EdgeReport| r.running == Some(policy(text)) && r.saved == Some(policy(text)) && !r.manual;
        rig.settled("both hold the order", both).await;
        assert_eq!(lab.value().await, text);
        assert_eq!(map_file::read(&lab.settings.map), Ok(policy(text)));
        assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, colour);
    }
    let status = rig.handle().monitor().status();
    assert!(
        status.reload_safe && status.pid == Some(lab.proxy.pid()) && status.version.unwrap().starts_with(['2', '3'])
    );
    assert!(rig.handle().monitor().counters().ack_micros.get() > 0);
    assert_eq!(rig.handle().monitor().counters().drift.get(), 0);
}

#[tokio::test]
async fn an_order_below_what_was_seen_is_refused() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(BAD, Direction::Back).await;
    rig.settled("the verdict runs", |r| r.running == Some(policy(BAD))).await;
    for text in [NEW, "v1:43.9.open:blue:green:100000:salt:0", OLD] {
        rig.order(text, Direction::Forward).await;
    }
    until("three are refused", || async { (rig.handle().monitor().counters().refused.get() == 3).then_some(()) }).await;
    assert_eq!(lab.value().await, BAD);
    // What the file held at the start counts too.
    rig.stop().await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    until("it is refused", || async { (rig.handle().monitor().counters().refused.get() == 1).then_some(()) }).await;
    assert_eq!(lab.value().await, BAD);
}

#[tokio::test]
async fn a_restart_with_an_old_file_is_mended_and_counted() {
    let mut lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    lab.proxy.kill().await;
    rig.settled("it is gone", |r| r.running.is_none() && r.feed == Feed::Lost && r.backends.is_empty()).await;
    map_file::write(&lab.settings.map, &policy(OLD)).unwrap();
    lab.proxy.restart().await;
    lab.wait_for_value(NEW).await;
    rig.settled("both hold the order", |r| {
        r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW)) && !r.manual && r.feed == Feed::Live
    })
    .await;
    let counters = rig.handle().monitor().counters();
    assert!(counters.reassertions.get() == 1 && counters.drift.get() >= 1);
}

async fn reloads_keep_policy_and_evidence(mode: Mode) {
    let mut lab = Lab::start(mode).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.feed == Feed::Live).await;
    // On disk lies another policy, as if the file could not be written: only the adapter knows better.
    let mut sent = 0;
    for _ in 0..3 {
        map_file::write(&lab.settings.map, &policy(OLD)).unwrap();
        let pid = lab.proxy.reload().await;
        lab.wait_for_value(NEW).await;
        until("the new process is known", || async {
            (rig.handle().monitor().status().pid == Some(pid)).then_some(())
        })
        .await;
        for _ in 0..5 {
            assert_eq!(lab.get("/").await, 200);
            sent += 1;
        }
    }
    let green = |seen: &[Observation]| seen.iter().filter(|o| o.colour == Colour::Green && o.release == 43).count();
    rig.wait_for_requests("each request is seen", |seen| green(seen) >= sent).await;
    assert_eq!(green(&rig.requests()), sent, "and none of them twice");
    assert!(!rig.handle().monitor().status().manual);
}

#[tokio::test]
async fn reloads_of_a_single_process_keep_policy_and_evidence() {
    reloads_keep_policy_and_evidence(Mode::Single).await;
}

#[tokio::test]
async fn reloads_by_a_master_keep_policy_and_evidence() {
    reloads_keep_policy_and_evidence(Mode::MasterWorker).await;
}

#[tokio::test]
async fn an_old_worker_learns_of_a_rollback_through_the_master() {
    let mut lab = Lab::start(Mode::MasterWorker).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    // A request that takes its time keeps the old worker alive.
    lab.green.answer_on("/slow", teal_testkit::Answer::Hang);
    let (front, old) = (lab.front, lab.proxy.pid());
    let slow = AbortOnDropHandle::new(tokio::spawn(teal_testkit::get(front, "/slow")));
    until("it is in flight", || async { (lab.green.count("/slow") == 1).then_some(()) }).await;
    let new = lab.proxy.reload().await;
    assert_ne!(old, new);
    rig.order(BAD, Direction::Back).await;
    let told =
        || async { rig.handle().monitor().status().old_workers.iter().find(|w| w.pid == old && w.told).cloned() };
    until("the old worker is told", told).await;
    let master = lab.settings.master_socket.clone().unwrap();
    let asked = format!("@!{old} get map {} policy\nquit", lab.settings.map.display());
    assert!(teal_testkit::runtime(&master, &asked).await.unwrap().contains(BAD));
    drop(slow);
    until("it is gone", || async { rig.handle().monitor().status().old_workers.is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_move_by_hand_is_reported_and_left_alone_until_the_next_order() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    let moved = "v1:43.1.open:blue:green:0:salt:0";
    lab.by_hand(moved).await;
    let report = rig.report("the move is seen", |r| r.manual).await;
    assert_eq!(report.running, Some(policy(moved)));
    // Two heartbeats later it still stands.
    let before = rig.seen.lock().unwrap().reports.len();
    until("more reports", || async { (rig.seen.lock().unwrap().reports.len() >= before + 2).then_some(()) }).await;
    assert_eq!(lab.value().await, moved);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("the order stands", |r| r.running == Some(policy(NEW)) && !r.manual).await;
    assert_eq!(rig.handle().monitor().counters().drift.get(), 0);
}

#[tokio::test]
async fn a_forced_rollback_is_kept_against_a_late_forward_order() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW))).await;
    lab.by_hand(BAD).await;
    rig.report("the move is seen", |r| r.manual).await;
    rig.order("v1:43.2.open:blue:green:100000:salt:0", Direction::Forward).await;
    until("it is refused", || async { (rig.handle().monitor().counters().refused.get() == 1).then_some(()) }).await;
    assert_eq!(lab.value().await, BAD);
}

#[tokio::test]
async fn garbage_and_a_lost_key_are_mended_at_once() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW))).await;
    lab.by_hand("green").await;
    lab.wait_for_value(NEW).await;
    lab.proxy.runtime(&format!("clear map {}", lab.settings.map.display())).await;
    lab.wait_for_value(NEW).await;
    until("both are counted", || async { (rig.handle().monitor().counters().drift.get() == 2).then_some(()) }).await;
    assert!(!rig.handle().monitor().status().manual);
}

#[tokio::test]
async fn a_file_that_somebody_changes_or_removes_is_written_again() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("both hold it", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    map_file::write(&lab.settings.map, &policy(OLD)).unwrap();
    let restored = || async { (map_file::read(&lab.settings.map) == Ok(policy(NEW))).then_some(()) };
    until("the file is restored", restored).await;
    fs::remove_file(&lab.settings.map).unwrap();
    until("the file is restored", restored).await;
    assert_eq!(rig.handle().monitor().counters().drift.get(), 2);
    assert_eq!(lab.value().await, NEW);
}

#[tokio::test]
async fn a_second_adapter_is_refused_until_the_first_has_ended() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    let second = || {
        let ((_, orders), (events, _)) = (mpsc::channel(1), mpsc::channel(1));
        spawn(&lab.settings, 0, orders, events, CancellationToken::new())
    };
    let error = second().unwrap_err().to_string();
    assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
    rig.stop().await;
    second().unwrap();
}

#[tokio::test]
async fn a_forced_move_stays_a_persons_through_a_reload() {
    let mut lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("both hold it", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    force(&lab.settings, &Author::Agent, &Move::All(Colour::Blue), &Why { reason: "errors", by: "ops", anyway: false })
        .await
        .unwrap();
    rig.settled("the move is seen", |r| r.manual && r.saved == Some(policy(BAD))).await;
    let pid = lab.proxy.reload().await;
    until("the new process is known", || async { (rig.handle().monitor().status().pid == Some(pid)).then_some(()) })
        .await;
    rig.settled("the move stands", |r| r.manual && r.running == Some(policy(BAD))).await;
    assert_eq!(rig.handle().monitor().counters().drift.get(), 0);
}

#[tokio::test]
async fn an_order_for_other_components_is_refused() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order("v1:43.1.open:blue:green:0:blue:green:0:salt:0", Direction::Forward).await;
    until("it is refused", || async { (rig.handle().monitor().counters().refused.get() == 1).then_some(()) }).await;
    assert_eq!(lab.value().await, OLD);
}
