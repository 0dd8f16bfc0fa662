use super::*;
use std::fs;
use teal_rollout::machine::event::Feed;

/// While it stands, the map file cannot be written, whoever tries: a folder has the temporary file's name.
struct BrokenDisk(PathBuf);

impl BrokenDisk {
    fn new(settings: &EdgeSettings) -> Self {
        let name = settings.map.file_name().unwrap().to_string_lossy().into_owned();
        let path = settings.map.with_file_name(format!(".{name}.new"));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn mend(self) {
        fs::remove_dir(&self.0).unwrap();
    }
}

#[tokio::test]
async fn a_broken_disk_stops_a_forward_order_before_the_proxy_and_it_goes_on_by_itself() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.report("a first report", |r| r.running.is_some() && r.saved.is_some()).await;
    let disk = BrokenDisk::new(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("the file is in doubt", |r| r.saved.is_none() && r.running == Some(policy(OLD))).await;
    assert_eq!(lab.value().await, OLD);
    assert!(rig.handle().monitor().status().file_error.is_some());
    disk.mend();
    rig.settled("both hold it", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    assert!(rig.handle().monitor().status().reload_safe);
}

#[tokio::test]
async fn a_broken_disk_does_not_delay_a_rollback() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW))).await;
    let disk = BrokenDisk::new(&lab.settings);
    rig.order(BAD, Direction::Back).await;
    let report = rig.settled("it runs", |r| r.running == Some(policy(BAD)) && r.saved.is_none()).await;
    assert_eq!(lab.value().await, BAD);
    assert!(!report.manual && !rig.handle().monitor().status().reload_safe);
    disk.mend();
    rig.settled("the file follows", |r| r.saved == Some(policy(BAD))).await;
}

#[tokio::test]
async fn a_rollback_overtakes_a_forward_order_that_waits_for_the_disk() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    let disk = BrokenDisk::new(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.report("the file is in doubt", |r| r.saved.is_none()).await;
    rig.order(BAD, Direction::Back).await;
    rig.settled("it runs", |r| r.running == Some(policy(BAD))).await;
    disk.mend();
    rig.settled("both hold it", |r| r.running == Some(policy(BAD)) && r.saved == Some(policy(BAD))).await;
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "blue");
}

#[tokio::test]
async fn a_dead_proxy_does_not_keep_a_rollback_from_the_file() {
    let mut lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW)) && r.saved == Some(policy(NEW))).await;
    lab.proxy.kill().await;
    rig.order(BAD, Direction::Back).await;
    rig.settled("the file has it", |r| r.saved == Some(policy(BAD)) && r.running.is_none()).await;
    lab.proxy.restart().await;
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "blue", "from the first request on");
    rig.settled("it runs", |r| r.running == Some(policy(BAD))).await;
}

#[tokio::test]
async fn a_frozen_proxy_takes_the_last_order_when_it_wakes_and_nothing_older_is_taken_for_a_hand() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.report("a first report", |r| r.running.is_some()).await;
    lab.proxy.freeze();
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it is silent", |r| r.running.is_none() && r.saved == Some(policy(NEW))).await;
    assert!(rig.handle().monitor().status().runtime_error.unwrap().contains("hangs"));
    rig.order(BAD, Direction::Back).await;
    rig.settled("the file has it", |r| r.saved == Some(policy(BAD))).await;
    lab.proxy.thaw();
    rig.settled("it runs", |r| r.running == Some(policy(BAD))).await;
    // Older writes may still sit in connections that HAProxy only now serves.
    lab.wait_for_value(BAD).await;
    let before = rig.seen.lock().unwrap().reports.len();
    until("more reports", || async { (rig.seen.lock().unwrap().reports.len() >= before + 2).then_some(()) }).await;
    assert_eq!(lab.value().await, BAD);
    assert!(rig.seen.lock().unwrap().reports.iter().all(|r| !r.manual));
}

#[tokio::test]
async fn a_busy_controller_loses_evidence_and_no_order() {
    let lab = Lab::start(Mode::Single).await;
    let (orders, taken) = mpsc::channel(16);
    let (events, mut said) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let handle = spawn(&lab.settings, 0, taken, events, stop.clone()).unwrap();
    while !matches!(said.recv().await, Some(Event::Edge(report)) if report.feed == Feed::Live) {}
    // From here on nobody takes what the adapter says.
    until("requests are lost", || async {
        lab.get("/").await;
        (handle.monitor().counters().lost.get() > 0).then_some(())
    })
    .await;
    orders.send(EdgeOrder { policy: policy(NEW), direction: Direction::Forward }).await.unwrap();
    lab.wait_for_value(NEW).await;
    stop.cancel();
    handle.ended().await;
}

#[tokio::test]
async fn an_ending_adapter_leaves_the_proxy_as_it_is() {
    let lab = Lab::start(Mode::Single).await;
    let rig = Rig::start(&lab.settings);
    rig.order(NEW, Direction::Forward).await;
    rig.settled("it runs", |r| r.running == Some(policy(NEW))).await;
    rig.stop().await;
    assert_eq!(lab.value().await, NEW);
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "green");
}
