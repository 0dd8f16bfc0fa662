//! `docs/runbooks/rollback.md`, carried out: every command on it, with everything dead but HAProxy and the application.

use std::path::Path;
use std::process::{Command, Stdio};

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;

use crate::levers::serves_only;
use crate::said::Said;
use crate::site::{Site, TEAL};

/// Each block of commands with the name in the comment before it.
fn blocks() -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbooks/rollback.md");
    let text = std::fs::read_to_string(file).unwrap();
    let blocks = text.match_indices("```sh\n").map(|(at, fence)| {
        let before = text[..at].trim_end().lines().next_back().unwrap();
        let name = before.strip_prefix("<!-- run: ").and_then(|rest| rest.strip_suffix(" -->"));
        let name = name.unwrap_or_else(|| panic!("a block of commands that no test runs, after `{before}`"));
        let (block, _) = text[at + fence.len()..].split_once("\n```").unwrap();
        (name.to_owned(), block.to_owned())
    });
    blocks.collect()
}

/// The commands of a block as they stand there.
pub(crate) fn commands(name: &str) -> String {
    blocks().into_iter().find_map(|(named, text)| (named == name).then_some(text)).unwrap()
}

/// The commands of a block, for this site: its paths instead of the usual ones.
fn block(site: &Site, name: &str) -> String {
    let text = commands(name);
    let path = |name: &str| site.path(name).to_str().unwrap().to_owned();
    text.replace("/etc/haproxy/teal/prod.map", &path("edge.map"))
        .replace("/run/haproxy/teal.sock", &path("edge.sock"))
        .replace("/var/lib/teal", &path("state"))
}

/// As somebody on the edge's machine types it.
pub(super) fn shell(site: &Site, line: &str) -> Said {
    let path = format!("{}:{}", Path::new(TEAL).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg("-c").arg(line).current_dir(site.path("")).env("PATH", path).env("TEAL_CONFIG", site.path("teal.toml"));
    Said::from(command.stdin(Stdio::null()).output().unwrap())
}

/// A site whose old colour is blue, with v2, and whose new one is green, with v3; then all but HAProxy and the application is
/// dead, and the store is gone.
pub(super) async fn dead() -> Site {
    let mut site = Site::new().start().await;
    for version in ["v2", "v3"] {
        let release = site.deploy(version).await;
        assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    }
    assert_eq!(site.running().await.unwrap().routes[0].stable, Colour::Blue);
    site.kill_agent();
    for file in ["teal.db", "teal.db-wal", "teal.db-shm", "agent.sock"] {
        let _ = std::fs::remove_file(site.path("state").join(file));
    }
    site
}

#[test]
fn every_block_of_the_page_is_run() {
    let names: Vec<String> = blocks().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["the first ten minutes", "the page", "by hand", "back to normal", "services"]);
}

#[tokio::test]
async fn the_first_three_commands_bring_the_old_colour_back() {
    let site = dead().await;
    serves_only(&site, "v3").await;
    let commands = block(&site, "the first ten minutes");
    let [rollback, status, force] = commands.lines().collect::<Vec<_>>()[..] else { panic!("{commands}") };
    shell(&site, rollback).expect(5, &["no agent: ", "teal edge force prod back"]);
    shell(&site, status).expect(5, &["this is what the edge itself says", "blue ", "1/1 ready", "100 %"]);
    shell(&site, force).expect(0, &["ok   HAProxy routes by it", "ok   a restart of HAProxy routes by it too"]);
    serves_only(&site, "v2").await;
    assert_eq!(site.running().await, site.saved());
    assert_eq!(site.traffic.counts().all.bad, 0);
}

#[tokio::test]
async fn by_hand_it_is_one_command_to_haproxy_and_one_line_of_a_file_and_a_new_agent_adopts_it() {
    let mut site = dead().await;
    let said = shell(&site, &block(&site, "by hand"));
    said.expect(0, &[" policy v1:3."]);
    let moved = site.running().await.unwrap();
    assert_eq!((moved.routes[0].share, moved.epoch.verdict), (Share::NONE, Verdict::Bad), "{}", said.text);
    assert_eq!(site.saved(), Some(moved.clone()));
    serves_only(&site, "v2").await;

    // As long as nobody watches, somebody may still reload.
    site.haproxy.reload().await;
    serves_only(&site, "v2").await;

    site.start_agent().await;
    let commands = block(&site, "back to normal");
    let [start, status, history, _doctor] = commands.lines().collect::<Vec<_>>()[..] else { panic!("{commands}") };
    assert!(start.contains("teal agent &"), "this machine has no unit of it, so the test started it: {start}");
    site.wait_status("the agent knows what serves", |status| status.reload_safe.yes.then_some(())).await;
    shell(&site, status).expect(0, &["reload-safe    yes"]);
    shell(&site, history).expect(0, &[]);
    serves_only(&site, "v2").await;
    let after = site.running().await.unwrap();
    assert!(!after.routes[0].serves(Colour::Green), "{after}");
    // And it can release again.
    let next = site.deploy("v4").await;
    assert_eq!(site.wait_outcome(next).await, Outcome::Completed);
    serves_only(&site, "v4").await;
    assert_eq!(site.traffic.counts().all.bad, 0);
    site.wait_phase(next, Phase::Retaining).await;
}

#[tokio::test]
async fn back_is_each_components_own_last_good_colour() {
    let mut site = Site::new().component("api").component("web").start().await;
    for component in ["api", "web"] {
        let versions = [(component.to_owned(), "v2".to_owned())].into_iter().collect();
        let release = site.order(teal_agent::api::Order::Deploy { versions }).await.unwrap().release.0;
        assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    }
    site.kill_agent();
    let before = site.running().await.unwrap();
    let [api, web] = before.routes[..] else { panic!("two components") };
    assert_eq!((api.stable, web.stable), (Colour::Blue, Colour::Green), "green of api does not serve any more");
    let page = shell(&site, "teal break-glass prod");
    page.expect(0, &["everything BACK: the last good colours, api blue, web green", "edge force prod back --reason"]);
    shell(&site, "teal edge force prod back --reason 'web is bad'").expect(0, &["ok   HAProxy routes by it"]);
    let routes = site.running().await.unwrap().routes;
    assert_eq!(routes.iter().map(|route| route.share).collect::<Vec<_>>(), [Share::NONE, Share::NONE]);
    let version = async |path: &str| teal_testkit::get(site.edge, path).await.unwrap().header("x-version").to_owned();
    assert_eq!((version("/api/home").await, version("/web/home").await), ("v2".to_owned(), "v1".to_owned()));
    shell(&site, "teal edge force prod back --component api --reason x").expect(2, &["`back` is for every component"]);
}
