//! `teal doctor` on a real site: nothing hurts but what is expected, and each planted fault is found. Nothing is changed by it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::{Mode, free_port, get, haproxy_path, until};

use super::runbook::shell;
use crate::levers::set_map;
use crate::site::{Site, TEAL};

/// Who is told, so that nobody being told is no finding.
const TOLD: &str = "[notify]\ncommand = [\"/bin/true\"]\n";

/// The checks that hurt, by name, with what was seen.
fn hurts(site: &Site) -> Vec<(String, String)> {
    let said = site.teal(&["doctor", "prod", "--json"]);
    let json: Value = serde_json::from_str(said.text.lines().last().unwrap()).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    // The test's machine has whatever clock and disk it has.
    let others = findings.iter().filter(|f| f["level"] == "hurts" && f["check"] != "clock" && f["check"] != "disk");
    let found: Vec<_> = others.map(|finding| (text(finding, "check"), text(finding, "seen"))).collect();
    let expected = i32::from(findings.iter().any(|finding| finding["level"] == "hurts"));
    assert_eq!(said.exit, Some(expected), "{}", said.text);
    for finding in findings {
        let has_mend = finding["mend"].as_array().is_some_and(|mend| !mend.is_empty());
        assert!(finding["level"] != "hurts" || has_mend, "it says nothing that mends it: {finding}");
    }
    found
}

#[track_caller]
fn only(site: &Site, check: &str, words: &str) {
    let found = hurts(site);
    let [(name, seen)] = &found[..] else { panic!("`{check}` is not the one that hurts: {found:#?}") };
    assert!(name == check && seen.contains(words), "{found:?}");
}

/// A second HAProxy of the same configuration, ended when dropped.
struct Second(Child);

impl Second {
    async fn of(site: &Site) -> Self {
        let text = fs::read_to_string(site.path("main.cfg")).unwrap();
        // Sockets and ports of its own, as when somebody tries something out; the map is the same.
        let without = |line: &&str| !line.contains("stats socket");
        let text = text.lines().filter(without).collect::<Vec<_>>().join("\n") + "\n";
        let port = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
        fs::write(site.path("second.cfg"), text.replace(&site.edge.to_string(), &port.to_string())).unwrap();
        let mut command = Command::new(haproxy_path());
        command.arg("-f").arg(site.path("second.cfg")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let second = Self(command.spawn().unwrap());
        until("the second HAProxy serves", || async {
            get(port, "/home").await.ok().filter(|reply| reply.status == 200)
        })
        .await;
        second
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn each_planted_fault_is_found_and_nothing_is_changed_by_looking() {
    let mut site = Site::new().more(TOLD).watch(20_000, 30_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let before = (fs::read(site.path("edge.map")).unwrap(), site.running().await);
    assert_eq!(hurts(&site), []);
    let said = site.teal(&["doctor"]);
    said.expect(
        said.exit.unwrap(),
        &["ok  map", "ok  haproxy.cfg", "ok  second HAProxy  there is one", "ok  way back"],
    );
    assert_eq!((fs::read(site.path("edge.map")).unwrap(), site.running().await), before);

    let chmod = |file: &str, mode: u32| {
        let path = site.path(file);
        let was = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        was
    };
    for (file, mode, check, words) in [
        ("edge.map", 0o666, "map", "mode 666: everybody"),
        ("edge.map", 0o000, "map", "mode 000: its owner may not read it"),
        ("edge.sock", 0o666, "socket rights", "mode 666"),
        ("state", 0o755, "state", "mode 755: everybody"),
    ] {
        let was = chmod(file, mode);
        only(&site, check, words);
        fs::set_permissions(site.path(file), was).unwrap();
    }
    let second = Second::of(&site).await;
    only(&site, "second HAProxy", &format!("pid {}: ", second.0.id()));
    drop(second);
    let main = fs::read_to_string(site.path("main.cfg")).unwrap();
    fs::write(site.path("main.cfg"), main.replace("ring teal_prod_log", "ring teal_other_log")).unwrap();
    only(&site, "haproxy.cfg", "`ring teal_prod_log` is missing");
    fs::write(site.path("main.cfg"), format!("{main}\nfrontend broken\n  bind nowhere\n")).unwrap();
    only(&site, "haproxy.cfg", "a restart will fail: ");
    fs::write(site.path("main.cfg"), main).unwrap();
    assert_eq!(hurts(&site), [], "what was mended does not hurt any more");

    site.kill_agent();
    only(&site, "agent", "nobody watches, nothing is taken back");
    // With nobody who puts it back, it stays.
    let mut moved = site.running().await.unwrap();
    moved.routes[0].share = Share::NONE;
    set_map(&site, &moved).await;
    let found = hurts(&site);
    assert_eq!(found.iter().map(|(check, _)| check.as_str()).collect::<Vec<_>>(), ["agent", "reload"], "{found:?}");
    site.haproxy.kill().await;
    let found = hurts(&site);
    assert_eq!(found.iter().map(|(check, _)| check.as_str()).collect::<Vec<_>>(), ["agent", "socket"], "{found:?}");
}

#[tokio::test]
async fn an_agent_that_hangs_or_nobody_who_is_told_is_found_within_seconds() {
    let mut site = Site::new().mode(Mode::Single).start().await;
    only(&site, "notify", "nobody will be told");
    // A reload leaves an old process with the users' open connections.
    site.haproxy.reload().await;
    only(&site, "notify", "nobody will be told");
    let stop = |signal| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(site.agent_pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    stop(rustix::process::Signal::STOP);
    let found = hurts(&site);
    stop(rustix::process::Signal::CONT);
    let agent = &found.iter().find(|(check, _)| check == "agent").unwrap().1;
    assert!(agent.contains(&format!("pid {} drives this edge and does not answer", site.agent_pid())), "{found:?}");
}

#[test]
fn a_configuration_with_mistakes_is_the_one_finding() {
    let folder = teal_testkit::folder();
    let doctor = || crate::said::teal(folder.path(), &["doctor", "prod"]);
    doctor().expect(1, &["!!  configuration", "no configuration", "teal init"]);
    fs::write(folder.path().join("teal.toml"), "ap = \"shop\"\n").unwrap();
    doctor().expect(1, &["!!  configuration", "did you mean `app`?", "teal config check", "1 would hurt a night"]);
}

#[tokio::test]
async fn what_a_site_of_two_components_says_at_the_end_of_the_runbook() {
    let site = Site::new().component("api").component("web").more(TOLD).start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    let said = shell(&site, "teal doctor prod");
    said.expect(said.exit.unwrap(), &["ok  smoke suite", "2 checks", "ok  evidence"]);
    assert!(TEAL.ends_with("teal"));
}
