//! Started, replaced, stopped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use teal_agent::platform::local;
use teal_rollout::colour::Colour::{Blue, Green};

use super::site::{Site, TEAL, is_alive, kill, until};

#[tokio::test]
async fn a_colour_is_started_told_ready_and_stopped() {
    let site = Site::new();
    let mut agent = site.agent();
    for colour in [Blue, Green] {
        let first = agent.next(colour).await;
        assert_eq!((first.component, first.version, first.wanted, first.ready), (0, None, 0, 0));
    }
    agent.start(Green, "v2", 7).await;
    let answer = agent.next(Green).await;
    assert_eq!((answer.version.as_deref(), answer.wanted, answer.ready), (Some("v2"), 1, 0));
    let ready = agent.ready(Green, "v2").await;
    assert_eq!((ready.crash_looping, ready.failure), (0, None));
    assert_eq!(site.version(Green).await, "v2 green");

    let running = site.only().await;
    assert_eq!((running.component.as_str(), running.colour, running.slot), ("api", Green, 1));
    assert_eq!((running.version.as_str(), running.release, running.port), ("v2", 7, site.port(Green)));
    let (shim, app) = (running.shim, running.pid.unwrap());
    assert_ne!(session(shim), session(i32::try_from(std::process::id()).unwrap()), "a session of its own");
    assert_eq!(session(shim), session(app));
    assert_ne!(group(shim), group(app), "a process group of its own");

    agent.stop(Green).await;
    let stopped = agent.next(Green).await;
    assert_eq!((stopped.version, stopped.wanted, stopped.ready), (None, 0, 0));
    until("the application ends", async || !is_alive(app) && !is_alive(shim)).await;
    let lines = site.last_lines(Green);
    assert!(lines.contains("started v2, pid") && lines.contains("stopping\n--- teal: exit status 0"), "{lines}");
    agent.end().await;
    assert_eq!(site.list().await, []);
}

fn stat(pid: i32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().map(str::to_owned).collect()
}

fn group(pid: i32) -> String {
    stat(pid).swap_remove(2)
}

fn session(pid: i32) -> String {
    stat(pid).swap_remove(3)
}

#[tokio::test]
async fn the_state_is_for_this_user_only() {
    let site = Site::new();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    let mut looked_at = 0;
    let mut paths = vec![site.settings.state_dir.join("local")];
    while let Some(path) = paths.pop() {
        let data = fs::symlink_metadata(&path).unwrap();
        assert_eq!(data.permissions().mode() & 0o077, 0, "{}", path.display());
        looked_at += 1;
        if data.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(looked_at > 8);
}

#[tokio::test]
async fn the_same_version_again_changes_nothing_and_another_one_replaces_it() {
    let site = Site::new();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    let first = site.only().await;
    agent.start(Blue, "v1", 2).await;
    agent.ready(Blue, "v1").await;
    assert_eq!(site.only().await, first);
    agent.start(Blue, "v2", 3).await;
    agent.ready(Blue, "v2").await;
    assert_eq!(site.version(Blue).await, "v2 blue");
    let second = site.only().await;
    assert_eq!((second.version.as_str(), second.release), ("v2", 3));
    assert!(!is_alive(first.pid.unwrap()));
}

#[tokio::test]
async fn replicas_are_separate_instances() {
    let mut site = Site::new();
    site.component().replicas = 2;
    let mut agent = site.agent();
    agent.start(Green, "v1", 1).await;
    assert_eq!(agent.ready(Green, "v1").await.wanted, 2);
    let all = site.list().await;
    let ports: Vec<_> = site.settings.addresses(0, Green).iter().map(std::net::SocketAddr::port).collect();
    assert_eq!(all.iter().map(|r| (r.slot, r.port)).collect::<Vec<_>>(), [(1, ports[0]), (2, ports[1])]);
    kill(all[1].pid.unwrap());
    agent.until(Green, |capacity| capacity.ready == 1).await;
    agent.until(Green, |capacity| capacity.ready == 2).await;
    assert!(site.last_lines(Green).contains("s2 | --- teal: killed by signal 9 (SIGKILL)"));
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_after_its_grace() {
    let mut site = Site::shell("trap '' TERM; $APP & while :; do sleep 1000; done");
    site.component().grace = Duration::from_millis(100);
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    let running = site.only().await;
    agent.stop(Blue).await;
    until("it is killed", async || !is_alive(running.shim)).await;
    assert!(!is_alive(running.pid.unwrap()));
    let lines = site.last_lines(Blue);
    assert!(lines.contains("killed: it had not ended in time\n--- teal: killed by signal 9"), "{lines}");
}

#[tokio::test]
async fn a_stop_command_takes_the_place_of_sigterm() {
    let mut site = Site::shell("trap '' TERM; echo $$ > pid; $APP & wait; while :; do sleep 1000; done");
    site.component().working_dir = Some(site.dir.path().to_owned());
    let stop = ["/bin/sh", "-c", "echo goodbye from {colour}; kill -KILL -$(cat pid)"];
    site.component().stop = Some(stop.map(str::to_owned).to_vec());
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    let running = site.only().await;
    agent.stop(Blue).await;
    until("it is stopped", async || !is_alive(running.shim)).await;
    let lines = site.last_lines(Blue);
    assert!(lines.contains("goodbye from blue") && !lines.contains("not ended in time"), "{lines}");
}

#[tokio::test]
async fn the_environment_file_stays_as_it_was_at_the_start() {
    let mut site = Site::shell("echo key=$KEY colour=$TEAL_COLOUR cargo=$CARGO_PKG_NAME; exec $APP");
    let env_file = site.dir.path().join("env");
    fs::write(&env_file, "KEY='old value'\n").unwrap();
    site.component().env_file = Some(env_file.clone());
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    fs::write(&env_file, "KEY=new\n").unwrap();
    kill(site.only().await.pid.unwrap());
    agent.until(Blue, |capacity| capacity.ready == 0).await;
    agent.ready(Blue, "v1").await;
    let lines = site.last_lines(Blue);
    assert_eq!(lines.matches("key=old value colour=blue cargo=").count(), 2, "{lines}");
    agent.stop(Blue).await;
    agent.start(Blue, "v1", 2).await;
    agent.until(Blue, |capacity| capacity.version.is_none()).await;
    agent.ready(Blue, "v1").await;
    assert!(site.last_lines(Blue).contains("key=new colour=blue"));
}

#[tokio::test]
async fn everything_can_be_stopped_without_an_agent_or_past_one() {
    let site = Site::new();
    let mut agent = site.agent();
    for (colour, version) in [(Blue, "v1"), (Green, "v2")] {
        agent.start(colour, version, 1).await;
        agent.ready(colour, version).await;
    }
    let before = site.list().await;
    assert_eq!(local::stop_all(&site.settings.state_dir, Some("staging"), None).await.unwrap(), 0);
    assert_eq!(site.list().await, before, "another environment is another matter");

    assert_eq!(local::stop_all(&site.settings.state_dir, Some("prod"), None).await.unwrap(), 2);
    assert_eq!(site.list().await, []);
    assert!(before.iter().all(|running| !is_alive(running.shim) && !is_alive(running.pid.unwrap())));
    agent.until(Blue, |capacity| capacity.version.is_none() && capacity.wanted == 0).await;

    agent.start(Blue, "v1", 2).await;
    agent.ready(Blue, "v1").await;
    agent.end().await;
    assert_eq!(local::stop_all(&site.settings.state_dir, None, None).await.unwrap(), 1);
    assert_eq!(local::stop_all(&site.settings.state_dir, None, None).await.unwrap(), 0);
    let mut next = site.agent();
    assert_eq!(next.next(Blue).await.version, None, "the next agent does not bring it back");
}

#[tokio::test]
async fn the_binary_may_be_replaced_under_a_running_shim() {
    let mut site = Site::new();
    let installed: PathBuf = site.dir.path().join("teal");
    copy_program(Path::new(TEAL), &installed);
    site.settings.teal_binary.clone_from(&installed);
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.ready(Blue, "v1").await;
    fs::remove_file(&installed).unwrap();
    let before = site.only().await;
    kill(before.pid.unwrap());
    agent.until(Blue, |capacity| capacity.ready == 0).await;
    agent.ready(Blue, "v1").await;
    let after = site.only().await;
    assert_eq!((after.shim, after.restarts), (before.shim, 1));
}

/// A copy through another process: a file this one had open for writing could not be run while a child of another
/// test's still holds it.
fn copy_program(from: &Path, to: &Path) {
    assert!(std::process::Command::new("/bin/cp").args([from, to]).status().unwrap().success());
}
