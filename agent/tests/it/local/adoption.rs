//! The agent dies, a shim dies: what serves goes on serving, or comes back.

use teal_agent::platform::local::LocalError;
use teal_rollout::colour::Colour::{Blue, Green};

use super::site::{Site, is_alive, kill, until};

#[tokio::test]
async fn a_new_agent_adopts_what_the_dead_one_left() {
    let site = Site::new();
    let mut first = site.agent();
    first.start(Green, "v1", 3).await;
    first.ready(Green, "v1").await;
    let before = site.only().await;
    drop(first);

    let mut second = site.agent();
    // As the controller does when it begins.
    second.start(Green, "v1", 3).await;
    let word = second.next(Green).await;
    assert_eq!((word.version.as_deref(), word.ready, word.wanted), (Some("v1"), 1, 1), "no false alarm at first");
    assert_eq!(site.only().await, before);
    second.start(Green, "v1", 3).await;
    assert_eq!(second.next(Green).await, word);
    assert_eq!(site.only().await, before);

    kill(before.pid.unwrap());
    assert_eq!(second.next(Green).await.ready, 0);
    second.ready(Green, "v1").await;
    let after = site.only().await;
    assert_eq!((after.shim, after.restarts), (before.shim, 1));
    second.end().await;
    assert!(is_alive(after.pid.unwrap()), "an orderly end leaves it as well");
}

#[tokio::test]
async fn a_child_that_died_without_an_agent_is_restarted_all_the_same() {
    let site = Site::new();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    agent.end().await;
    kill(site.only().await.pid.unwrap());
    until("it is restarted", async || site.only().await.restarts == 1).await;
    let mut next = site.agent();
    next.ready(Blue, "v1").await;
}

#[tokio::test]
async fn one_agent_at_a_time_looks_after_an_environment() {
    let site = Site::new();
    let agent = site.agent();
    let refused = site.try_agent().err().unwrap();
    assert!(matches!(&refused, LocalError::Locked { environment, .. } if environment == "prod"), "{refused}");
    agent.end().await;
    drop(site.agent());
}

#[tokio::test]
async fn a_killed_shim_takes_its_application_along_and_is_replaced() {
    let site = Site::shell("(setsid sleep 1000 &) ; exec $APP");
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    let before = site.only().await;
    kill(before.shim);
    assert_eq!(agent.next(Blue).await.ready, 0);
    agent.ready(Blue, "v1").await;
    let after = site.only().await;
    assert_ne!((after.shim, after.pid), (before.shim, before.pid));
    assert!(!is_alive(before.pid.unwrap()));
    assert_eq!(sleepers(&site), 1, "what had left the process group is found and ended");
}

/// Processes of this site's that sleep: their environment has the port.
fn sleepers(site: &Site) -> usize {
    let port = format!("\0PORT={}\0", site.port(Blue));
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let sleeps = |entry: &std::fs::DirEntry| {
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let environment = [vec![0], read("environ")].concat();
        read("comm") == b"sleep\n" && String::from_utf8_lossy(&environment).contains(&port)
    };
    entries.filter(sleeps).count()
}

#[tokio::test]
async fn a_shim_killed_without_an_agent_leaves_nothing_and_the_next_agent_starts_anew() {
    let site = Site::new();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    agent.end().await;
    let before = site.only().await;
    kill(before.shim);
    until("the kernel kills the application", async || !is_alive(before.pid.unwrap())).await;
    assert_eq!(site.list().await, []);
    let mut next = site.agent();
    next.ready(Blue, "v1").await;
    assert_ne!(site.only().await.shim, before.shim);
}

#[tokio::test]
async fn a_shim_that_hangs_is_not_replaced_while_its_application_serves() {
    use rustix::process::{Pid, Signal, kill_process};
    let site = Site::new();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    agent.end().await;
    let before = site.only().await;
    let shim = Pid::from_raw(before.shim).unwrap();
    kill_process(shim, Signal::STOP).unwrap();
    let mut next = site.agent();
    next.ready(Blue, "v1").await;
    let listed = site.only().await;
    assert_eq!((listed.pid, listed.failure.as_deref()), (before.pid, Some("its shim does not answer")));
    kill_process(shim, Signal::CONT).unwrap();
    until("it answers again", async || site.only().await == before).await;
}
