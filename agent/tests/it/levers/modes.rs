//! `observe` and `advise`: somebody else's releases are watched, and nothing is ever written.

use std::fs;
use std::time::SystemTime;

use teal_agent::config;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Epoch, Policy, Route};
use teal_testkit::{Answer, Backend};

use super::{says, set_map};
use crate::site::Site;

/// A site whose two colours are somebody else's: servers of the test, behind the ports of the configuration.
struct Theirs {
    site: Site,
    green: Backend,
    blue: Backend,
}

impl Theirs {
    async fn start(mode: &str) -> Self {
        let told = "[notify]\ncommand = [\"/bin/sh\", \"-c\", \"cat >> told; echo >> told\"]";
        let plan = Site::new().empty().no_baseline().exchange("\"act\"", &format!("\"{mode}\"")).more(told);
        let mut site = plan.start().await;
        let configured = config::load(Some(&site.path("teal.toml"))).unwrap().config;
        let app = &configured.environments["prod"].components["app"];
        let port = |colour| app.addresses(colour)[0].port();
        let blue = Backend::start_on("blue", port(Colour::Blue)).await;
        let green = Backend::start_on("green", port(Colour::Green)).await;
        site.traffic.begin().await;
        Self { site, green, blue }
    }

    /// Moves all traffic, as their script does.
    async fn move_to(&self, colour: Colour, release: u64) -> Policy {
        let before = self.site.running().await.unwrap();
        let route = Route { stable: colour.other(), candidate: colour, share: Share::ALL };
        let policy = Policy { epoch: Epoch { release, ..Epoch::default() }, routes: vec![route], ..before };
        set_map(&self.site, &policy).await;
        policy
    }

    fn file(&self) -> (String, SystemTime) {
        let path = self.site.path("edge.map");
        (fs::read_to_string(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap())
    }

    fn told(&self) -> String {
        fs::read_to_string(self.site.path("told")).unwrap_or_default()
    }
}

#[tokio::test]
async fn observe_watches_somebody_elses_release_and_writes_nothing() {
    let theirs = Theirs::start("observe").await;
    let site = &theirs.site;
    let file = theirs.file();
    site.wait_status("the edge is seen", |status| status.edges[0].policy.clone()).await;
    for line in [["deploy", "prod", "v2"].as_slice(), &["rollback", "prod"], &["promote", "prod"], &["abort", "prod"]] {
        site.teal(line).expect(4, &["mode `observe`", "set `mode = \"act\"` to let it"]);
    }
    site.teal(&["rollback", "prod"])
        .expect(4, &["teal edge force prod back --reason \"why\"   is the way back meanwhile"]);
    let moved = theirs.move_to(Colour::Green, 1).await;
    let release = site.wait_status("their release is seen", watched).await;
    says(site, release, "somebody moved traffic; watching it").await;
    theirs.green.answer(Answer::Status(500));
    says(site, release, "would have rolled back: errors of app").await;
    assert_eq!(site.running().await, Some(moved));
    site.teal(&["explain", "--env", "prod"]).expect(0, &["undo: teal edge force prod back --reason"]);

    // They take it back themselves; the next one is good.
    theirs.green.answer(Answer::Status(200));
    let back = theirs.move_to(Colour::Blue, 2).await;
    let next = site.wait_status("their way back is seen", |status| watched(status).filter(|r| *r > release)).await;
    says(site, next, "somebody moved traffic; watching it").await;
    says(site, next, "completed").await;
    assert_eq!(site.running().await, Some(back));
    assert_eq!(theirs.file(), file, "nothing was written");
    assert!(site.apps().await.is_empty() && theirs.told().is_empty(), "{}", theirs.told());
}

#[tokio::test]
async fn what_back_means_is_the_colour_before_that_was_not_called_bad() {
    let mut theirs = Theirs::start("observe").await;
    let site = &theirs.site;
    site.wait_status("the edge is seen", |status| status.edges[0].policy.clone()).await;
    // Nobody is moved to a colour of which HAProxy has not seen yet that it is there.
    let is_up = |stat: &str| {
        let up =
            |line: &&str| line.starts_with("teal_prod_app_") && line.contains(",BACKEND,") && line.contains(",UP,");
        stat.lines().filter(up).count() == 2
    };
    let up = || async { is_up(&site.haproxy.runtime("show stat").await).then_some(()) };
    teal_testkit::until("HAProxy has seen both colours", up).await;
    let force = |colour: &str| site.teal(&["edge", "force", "prod", colour, "--reason", "a release"]);
    force("green").expect(0, &["ok   HAProxy routes by it"]);
    let good = site.wait_status("the first release is seen", watched).await;
    says(site, good, "completed").await;
    let kept = |words: &'static str| async move {
        let page = || fs::read_to_string(site.path("state/break-glass/prod.txt")).unwrap_or_default();
        teal_testkit::until(words, || async { page().contains(words).then_some(()) }).await;
    };
    // Green was kept, and the way back from it is by its own word: the name would be the next release.
    kept("everything to BLUE: the last good colour\n  teal --config").await;
    kept("edge force prod back --reason").await;
    force("blue").expect(0, &["now  v1:1.0.open:green:blue:100000"]);
    let bad = site.wait_status("the second release is seen", |status| watched(status).filter(|r| *r > good)).await;
    theirs.blue.answer(Answer::Status(500));
    says(site, bad, "would have rolled back: errors of app").await;
    kept("everything to BLUE: CALLED BAD\n").await;
    site.teal(&["break-glass", "prod"])
        .expect(0, &["everything to GREEN: the last good colour\n", "everything to BLUE: CALLED BAD\n"]);

    // At night the agent is dead, and what it knew is not.
    theirs.site.kill_agent();
    let site = &theirs.site;
    site.teal(&["break-glass", "prod"]).expect(0, &["everything to BLUE: CALLED BAD\n"]);
    site.teal(&["edge", "force", "prod", "back", "--reason", "v3 is bad"])
        .expect(0, &["now  v1:1.0.bad:green:blue:0", "ok   HAProxy routes by it"]);
    let answer = teal_testkit::get(site.edge, "/").await.unwrap();
    assert_eq!((answer.status, site.running().await), (200, site.saved()));
    let again = site.teal(&["edge", "force", "prod", "back", "--reason", "again"]);
    again
        .expect(4, &["nothing was moved", "its last good colour already, green", "teal edge force prod blue --reason"]);
    assert!(!again.text.contains("ok "), "{}", again.text);
}

#[tokio::test]
async fn advise_also_tells_people() {
    let theirs = Theirs::start("advise").await;
    let (site, file) = (&theirs.site, theirs.file());
    site.wait_status("the edge is seen", |status| status.edges[0].policy.clone()).await;
    let moved = theirs.move_to(Colour::Green, 1).await;
    let release = site.wait_status("their release is seen", watched).await;
    theirs.green.answer(Answer::Status(500));
    says(site, release, "would have rolled back: errors of app").await;
    let told = || async { theirs.told().contains(r#""kind":"would_roll_back""#).then_some(()) };
    teal_testkit::until("people are told", told).await;
    assert_eq!((site.running().await, theirs.file()), (Some(moved), file));
    site.teal(&["deploy", "prod", "v2"]).expect(4, &["mode `advise`"]);
}

/// The release that is watched.
fn watched(status: &teal_agent::api::Status) -> Option<u64> {
    status.phase.is(&teal_rollout::document::Phase::Watching).then(|| status.release.map(|release| release.0))?
}

#[tokio::test]
async fn whoever_asks_while_the_configuration_is_read_anew_is_answered() {
    let site = Site::new().empty().start().await;
    let text = fs::read_to_string(site.path("teal.toml")).unwrap();
    fs::write(site.path("teal.toml"), text.replace("\"act\"", "\"observe\"")).unwrap();
    site.hang_up_agent();
    teal_testkit::until("the new mode is in use", || async {
        // Each asks on a connection of its own; all of them must get an answer.
        let status = site.client.status("prod").await.unwrap();
        status.mode.is(&teal_rollout::settings::Mode::Observe).then_some(())
    })
    .await;
}
