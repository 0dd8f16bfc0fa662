//! `teal leave` and `teal notify test`, on a real site.

use std::fs;

use teal_rollout::colour::Share;
use teal_rollout::document::Outcome;
use teal_testkit::{Client, get};

use crate::levers::{serves_only, set_map};
use crate::site::Site;

#[tokio::test]
async fn who_leaves_takes_a_configuration_along_that_serves_as_before_and_loses_nothing() {
    let mut site = Site::new().component("api").component("web").start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    let policy = site.running().await.unwrap();
    let said = site.teal(&["leave", "prod", "static.cfg"]);
    let colour = policy.routes[0].candidate;
    let wrote = format!("ok  wrote static.cfg: api {colour}, web {colour} for good");
    said.expect(0, &[&wrote, "ok  HAProxy takes it", "v2 on port", ": serves", "is not needed any more", "edge.map"]);
    assert_eq!(site.running().await, Some(policy.clone()), "nothing was changed");
    site.teal(&["leave", "prod", "static.cfg"]).expect(2, &["exists already"]);

    // As it says: the configuration in its place, a reload, the agent ended, the files removed.
    site.haproxy.rewrite(&fs::read_to_string(site.path("static.cfg")).unwrap());
    site.haproxy.reload().await;
    site.kill_agent();
    for (_, path) in said.text.split_once("then remove:\n").unwrap().1.lines().map(|line| ((), line.trim())) {
        // The processes that serve still run under shims, whose sockets are in the state.
        if !path.ends_with("state") && !path.ends_with("teal.toml") {
            fs::remove_file(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
    serves_only(&site, "v2").await;
    site.haproxy.reload().await;
    serves_only(&site, "v2").await;
    let counts = site.traffic.counts().all;
    assert_eq!((counts.bad, counts.lost), (0, 0));
    assert_eq!(get(site.edge, "/web/home").await.unwrap().header("x-version"), "v2");
    let _ = Client::connect(site.edge).await.unwrap();
}

#[tokio::test]
async fn while_traffic_is_shared_nobody_can_leave() {
    let mut site = Site::new().start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.kill_agent();
    let mut shared = site.running().await.unwrap();
    shared.routes[0].share = Share::percent(10);
    set_map(&site, &shared).await;
    site.teal(&["leave", "prod", "x.cfg"]).expect(4, &["10 % of app is on", "teal promote prod"]);
    site.haproxy.kill().await;
    fs::remove_file(site.path("edge.map")).unwrap();
    site.teal(&["leave", "prod", "x.cfg"])
        .expect(5, &["nobody knows which colour serves", "teal edge force prod COLOUR"]);
    assert!(!site.path("x.cfg").exists());
}

#[test]
fn a_test_is_told_to_people_or_says_why_it_is_not() {
    let folder = teal_testkit::folder();
    let told = folder.path().join("told");
    let configuration = |notify: &str| {
        let text = format!(
            "app = \"shop\"\nstate = \"state\"\n{notify}\n[environments.prod.edge]\nmap = \"m\"\nsocket = \"s\"\n\
             [components.app]\nrun = [\"x\", \"{{port}}\"]\nports = \"8100-8109\"\n"
        );
        fs::write(folder.path().join("teal.toml"), text).unwrap();
    };
    let test = || crate::said::teal(folder.path(), &["notify", "test"]);
    configuration("");
    test().expect(2, &["nobody will be told", "[notify] command = "]);
    configuration(&format!("[notify]\ncommand = [\"tee\", \"{}\"]", told.display()));
    test().expect(0, &["ok  sent: shop prod: this is a test"]);
    let message: serde_json::Value = serde_json::from_str(&fs::read_to_string(&told).unwrap()).unwrap();
    assert_eq!((&message["kind"], &message["page"]), (&"test".into(), &false.into()));
    configuration("[notify]\ncommand = [\"false\"]");
    test().expect(5, &["!!  notify.command: `false` ended with exit status: 1"]);
    configuration("[notify]\nwebhook = \"http://127.0.0.1:1/secret-token\"");
    let said = test();
    said.expect(5, &["!!  notify.webhook: ", "tried 3x"]);
    assert!(!said.text.contains("secret-token"), "{}", said.text);
}
