//! What goes wrong around a site that serves: nothing of it is half done, and it heals by itself.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use teal_agent::config;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};

use crate::site::Site;

fn port(site: &Site, colour: Colour) -> u16 {
    let configured = config::load(Some(&site.path("teal.toml"))).unwrap().config;
    configured.environments["prod"].components["app"].addresses(colour)[0].port()
}

#[tokio::test]
async fn a_port_in_use_ends_a_release_before_it_moves_anything() {
    let site = Site::new().start().await;
    let idle = site.running().await.unwrap().routes[0].stable;
    let port = port(&site, idle);
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mine = format!("port {port} is in use by pid {}", std::process::id());
    site.teal(&["deploy", "prod", "v2"]).expect(1, &["!!  aborted", &mine]);
    drop(squatter);
    // The platform is told to end what could not start, and until it has, its word is still about that.
    let forgotten = |status: &teal_agent::api::Status| {
        let candidate = status.components[0].candidate.as_ref()?;
        (candidate.failure.is_none() && candidate.wanted == 0).then_some(())
    };
    site.wait_status("what could not start is ended", forgotten).await;
    let again = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(again).await, Outcome::Completed);
    let all = site.traffic.counts().all;
    assert_eq!((all.bad, all.lost), (0, 0));
}

#[tokio::test]
async fn a_hung_haproxy_stops_what_goes_forward_and_is_told() {
    let site = Site::new().start().await;
    site.haproxy.freeze();
    site.wait_status("the edge is seen to hang", |status| status.edges[0].problem.clone()).await;
    let asked = Instant::now();
    site.teal(&["deploy", "prod", "v2"]).expect(5, &["edge `edge` cannot be asked just now", "a rollback still works"]);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    site.teal(&["status", "prod"]).expect(5, &["cannot be reached", "did not answer"]);
    site.haproxy.thaw();
    site.wait_status("the edge is back", |status| status.edges[0].problem.is_none().then_some(())).await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
}

#[tokio::test]
async fn a_runtime_socket_that_is_gone_is_named_and_used_again_when_it_is_back() {
    let site = Site::new().start().await;
    let (socket, away) = (site.path("edge.sock"), site.path("away.sock"));
    fs::rename(&socket, &away).unwrap();
    let gone = |status: &teal_agent::api::Status| status.edges[0].problem.clone();
    let problem = site.wait_status("the socket is missed", gone).await;
    assert!(problem.contains("no socket at ") && problem.contains("`stats socket`"), "{problem}");
    site.teal(&["deploy", "prod", "v2"]).expect(5, &["edge `edge` cannot be asked just now"]);
    fs::rename(&away, &socket).unwrap();
    site.wait_status("the edge is back", |status| status.edges[0].problem.is_none().then_some(())).await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
}

/// Everybody may do everything to root, so this looks from a user without rights; where there is no way to become
/// one, the test has nothing to look with.
#[tokio::test]
async fn a_socket_without_permission_says_whose_member_to_become() {
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/setpriv").exists() {
        println!("not root, or no setpriv: permissions are not tried");
        return;
    }
    let site = Site::new().start().await;
    for open in ["", "edge.map", "teal.toml"] {
        fs::set_permissions(site.path(open), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(site.path("edge.sock"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(site.path("state"), fs::Permissions::from_mode(0o700)).unwrap();
    let program = site.path("teal");
    fs::copy(env!("CARGO_BIN_EXE_teal"), &program).unwrap();
    let as_nobody = |words: &[&str]| {
        let mut command = std::process::Command::new("/usr/bin/setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(words);
        crate::said::Said::from(command.current_dir(site.path("")).output().unwrap())
    };
    as_nobody(&["rollback", "prod"]).expect(5, &["you may not open", "become a member of its group or use sudo"]);
    let before = (site.running().await, site.saved());
    let said = as_nobody(&["edge", "force", "prod", "blue", "--reason", "x"]);
    said.expect(5, &["nothing was moved", "edge.sock", "edge.map"]);
    assert_eq!((site.running().await, site.saved()), before);
}

/// A disk of its own for the map, a few blocks large; `None` where nobody may mount one.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = std::process::Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let full = (0..64).any(|number| fs::write(self.0.join(format!("filler-{number}")), [0; 4096]).is_err());
        assert!(full, "the disk is larger than ordered");
    }

    fn empty(&self) {
        for entry in fs::read_dir(self.0).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("filler") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily, because the agent still holds its lock there.
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_a_rollback_happens_and_the_file_follows_when_there_is_room() {
    let mut site = Site::new().watch(20_000, 30_000).start().await;
    site.stop_agent();
    // The map moves to a disk of its own; HAProxy knows it by its old name.
    let folder = site.path("small");
    let Some(disk) = Disk::mount(&folder) else {
        println!("nothing can be mounted here: a full disk is not tried");
        return;
    };
    let (map, moved) = (site.path("edge.map"), folder.join("edge.map"));
    fs::copy(&map, &moved).unwrap();
    let rewrite = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        text.replace(&map.display().to_string(), &moved.display().to_string())
    };
    fs::write(site.path("teal.toml"), rewrite(&site.path("teal.toml"))).unwrap();
    site.haproxy.rewrite(&rewrite(&site.path("main.cfg")));
    site.haproxy.reload().await;
    site.start_agent().await;

    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    disk.fill();
    site.fault("v2", "errors=100%");
    let share = async || {
        let line = format!("show map {}", moved.display());
        let answer = teal_testkit::runtime(&site.haproxy.admin_socket(), &line).await.unwrap();
        answer.split_whitespace().last().unwrap().parse::<teal_rollout::policy::Policy>().unwrap().routes[0].share
    };
    teal_testkit::until("traffic is back", || async { (share().await == Share::NONE).then_some(()) }).await;
    // The running proxy is ahead of its file for a moment in any case; the reason follows when the write has failed.
    let told = |status: &teal_agent::api::Status| {
        let safe = &status.reload_safe;
        (!safe.yes && safe.reason.contains("no space left to write")).then_some(())
    };
    site.wait_status("a reload is not safe for want of space", told).await;
    site.teal(&["status", "prod"]).expect(0, &["reload-safe    no"]);
    disk.empty();
    site.wait_status("a reload is safe again", |status| status.reload_safe.yes.then_some(())).await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    assert_eq!(teal_agent::proxy::haproxy::map_file::read(&moved).unwrap().routes[0].share, Share::NONE);
    site.stop_agent();
}
