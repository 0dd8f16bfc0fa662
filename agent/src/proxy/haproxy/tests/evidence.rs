use super::*;
use std::time::Instant;
use teal_rollout::machine::event::{Access, Feed};
use teal_testkit::Answer;

/// An adapter under which green serves release 43 and evidence flows.
async fn watching(lab: &Lab) -> Rig {
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.feed == Feed::Live).await;
    rig
}

#[tokio::test]
async fn each_finished_request_becomes_one_observation() {
    let lab = Lab::start(Mode::Single).await;
    let rig = watching(&lab).await;
    for (answer, status) in
        [(Answer::Status(200), 200), (Answer::Status(500), 500), (Answer::Status(404), 404), (Answer::Close, 502)]
    {
        lab.green.answer(answer);
        assert_eq!(lab.get("/").await, status);
        assert_ne!(lab.get("/quiet").await, 0);
    }
    let seen = rig.wait_for_requests("four requests", |seen| seen.len() >= 4).await;
    assert!(seen.iter().all(|o| o.access == Access::Read && o.server == 1));
    assert_eq!(seen.iter().map(|o| o.wait_ms.is_some()).collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(seen.iter().map(|o| o.bad).collect::<Vec<_>>(), [false, true, false, true]);
    assert!(seen.iter().all(|o| (o.component, o.colour, o.release, o.group) == (0, Colour::Green, 43, 2)));
    let counters = rig.handle().monitor().counters();
    assert_eq!((counters.garbled.get(), counters.lost.get()), (0, 0));
}

#[tokio::test]
async fn a_colour_that_refuses_connections_is_bad() {
    let mut lab = Lab::start(Mode::Single).await;
    let rig = watching(&lab).await;
    lab.green.stop().await;
    assert_eq!(lab.get("/").await, 503);
    rig.wait_for_requests("one request", |seen| seen.len() == 1 && seen[0].bad).await;
    rig.settled("no server is up", |r| r.backends.iter().any(|b| b.colour == Colour::Green && b.up == 0)).await;
    lab.green.listen().await;
    rig.settled("it is up", |r| r.backends.iter().all(|b| b.up == 1)).await;
}

#[tokio::test]
async fn a_hang_shows_before_any_request_ends_and_none_is_counted_twice() {
    a_hang_shows(Lab::start(Mode::Single).await).await;
}

#[tokio::test]
async fn a_hang_shows_also_where_the_configuration_is_an_older_one() {
    let mut lab = Lab::start(Mode::Single).await;
    lab.reconfigure(LINE, LINE_BEFORE);
    lab.proxy.restart().await;
    a_hang_shows(lab).await;
}

async fn a_hang_shows(lab: Lab) {
    let rig = watching(&lab).await;
    assert_eq!(lab.get("/").await, 200);
    rig.wait_for_requests("the good request", |seen| seen.len() == 1).await;
    lab.green.answer(Answer::Hang);
    let front = lab.front;
    let began = Instant::now();
    let hanging: Vec<_> = (0..10)
        .map(|_| tokio::spawn(async move { teal_testkit::get(front, "/").await.map_or(0, |reply| reply.status) }))
        .collect();
    rig.wait_for_requests("ten are overdue", |seen| bad(seen, Colour::Green) >= 10).await;
    // The log says so only when HAProxy's time-out of 2 s ends them.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(rig.handle().monitor().counters().overdue.get(), 10);
    for request in hanging {
        assert_eq!(request.await.unwrap(), 504);
    }
    // One more that fails at once comes behind them in the log.
    lab.green.answer(Answer::Status(500));
    lab.get("/").await;
    let seen = rig.wait_for_requests("the last one", |seen| bad(seen, Colour::Green) >= 11).await;
    assert_eq!(bad(&seen, Colour::Green), 11);
}

#[tokio::test]
async fn some_requests_that_hang_show_among_many_that_do_not() {
    let lab = Lab::start(Mode::Single).await;
    let rig = watching(&lab).await;
    lab.green.answer_on("/hang", Answer::Hang);
    let front = lab.front;
    let mut hanging = Vec::new();
    for round in 0..200 {
        if round % 20 == 10 {
            hanging.push(tokio::spawn(async move { teal_testkit::get(front, "/hang").await.map_or(0, |r| r.status) }));
        }
        assert_eq!(lab.get("/").await, 200);
    }
    // No sum of arrivals and answers shows them: for each one that hangs there are twenty that came later.
    let seen = rig.wait_for_requests("ten are overdue", |seen| bad(seen, Colour::Green) >= 10).await;
    assert_eq!((seen.len(), rig.handle().monitor().counters().overdue.get()), (210, 10));
    for request in hanging {
        assert_eq!(request.await.unwrap(), 504);
    }
    lab.green.answer(Answer::Status(500));
    lab.get("/").await;
    let seen = rig.wait_for_requests("the last one", |seen| bad(seen, Colour::Green) >= 11).await;
    assert_eq!((bad(&seen, Colour::Green), seen.len()), (11, 211));
    let counters = rig.handle().monitor().counters();
    assert_eq!((counters.garbled.get(), counters.lost.get()), (0, 0));
}

#[tokio::test]
async fn a_restart_loses_no_line_of_the_new_process() {
    let mut lab = Lab::start(Mode::Single).await;
    let rig = watching(&lab).await;
    let mut sent = 0;
    for _ in 0..3 {
        lab.proxy.restart().await;
        for _ in 0..5 {
            assert_eq!(lab.get("/").await, 200);
            sent += 1;
        }
        rig.wait_for_requests("all of them", |seen| seen.len() >= sent).await;
    }
    assert_eq!(rig.requests().len(), sent, "and none twice");
}

#[tokio::test]
async fn requests_from_before_the_adapter_are_not_replayed() {
    let lab = Lab::start(Mode::Single).await;
    lab.blue.answer(Answer::Status(500));
    for _ in 0..5 {
        assert_eq!(lab.get("/").await, 500);
    }
    let rig = Rig::start(&lab.settings);
    rig.settled("the feed is live", |r| r.feed == Feed::Live).await;
    lab.blue.answer(Answer::Status(200));
    lab.get("/").await;
    let seen = rig.wait_for_requests("one request", |seen| !seen.is_empty()).await;
    assert_eq!((seen.len(), seen[0].bad), (1, false));
}

#[tokio::test]
async fn a_ring_that_haproxy_does_not_have_is_a_lost_feed_with_its_reason() {
    let mut lab = Lab::start(Mode::Single).await;
    lab.settings.environment = "other".into();
    let rig = Rig::start(&lab.settings);
    let reason = until("the reason is known", || async { rig.handle().monitor().status().feed_error }).await;
    assert!(reason.contains("teal_other_log") || reason.contains("ring"), "{reason}");
    assert_eq!(rig.handle().monitor().status().feed, Feed::Lost);
}

#[tokio::test]
async fn a_socket_without_the_rights_is_a_lost_feed_and_still_takes_orders() {
    let mut lab = Lab::start(Mode::Single).await;
    lab.reconfigure("level operator", "level user");
    lab.proxy.restart().await;
    let rig = Rig::start(&lab.settings);
    let reason = until("the reason is known", || async { rig.handle().monitor().status().feed_error }).await;
    assert!(reason.contains("level operator"), "{reason}");
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.feed == Feed::Lost).await;
}

#[tokio::test]
async fn an_idle_log_connection_that_is_cut_is_no_lost_feed() {
    let mut lab = Lab::start(Mode::Single).await;
    lab.reconfigure("stats maxconn 64", "stats maxconn 64\n  stats timeout 200ms");
    lab.proxy.restart().await;
    let rig = watching(&lab).await;
    let reports = || rig.seen.lock().unwrap().reports.len();
    let before = reports();
    until("two heartbeats", || async { (reports() >= before + 2).then_some(()) }).await;
    assert!(rig.seen.lock().unwrap().reports[before..].iter().all(|r| r.feed == Feed::Live));
    assert_eq!(lab.get("/").await, 200);
    rig.wait_for_requests("one request", |seen| seen.len() == 1).await;
}
