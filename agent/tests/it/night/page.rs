//! `teal break-glass`: every line of the page does what it says, and the page is there when it is needed.

use std::os::unix::fs::PermissionsExt;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::Outcome;

use super::runbook::{dead, shell};
use crate::levers::serves_only;
use crate::site::Site;

/// The lines of a page that are for a shell, of its part that begins so.
fn lines(page: &str, part: &str) -> Vec<String> {
    let (_, rest) = page.split_once(part).unwrap_or_else(|| panic!("no `{part}` in:\n{page}"));
    let part = rest.split("\n\n").next().unwrap();
    part.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

fn kept(site: &Site) -> String {
    std::fs::read_to_string(site.path("state/break-glass/prod.txt")).unwrap_or_default()
}

#[tokio::test]
async fn the_agent_keeps_the_page_in_step_with_what_the_edge_routes_by() {
    let site = Site::new().start().await;
    let in_step = || async {
        let policy = site.running().await?;
        kept(&site).contains(&format!("routed by   {policy}\n")).then_some(())
    };
    teal_testkit::until("the page of the first release is kept", in_step).await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    teal_testkit::until("the page of the second release is kept", in_step).await;
    site.teal(&["rollback", "prod"]).expect(0, &[]);
    let called_bad = || async { kept(&site).contains("to BLUE: CALLED BAD").then_some(()) };
    teal_testkit::until("the page says what was called bad", called_bad).await;
    teal_testkit::until("the page of the rollback is kept", in_step).await;
    let mode = std::fs::metadata(site.path("state/break-glass/prod.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[tokio::test]
async fn every_line_of_the_page_does_what_it_says_with_everything_dead_but_haproxy() {
    let site = dead().await;
    let page = shell(&site, "teal break-glass prod");
    page.expect(0, &["everything to BLUE: the last good colour", "everything to GREEN: under release"]);
    let before = site.running().await.unwrap();
    for line in lines(&page.text, "\n1. LOOK\n") {
        let exit = if line.starts_with("teal ") { 5 } else { 0 };
        shell(&site, &line).expect(exit, &["green"]);
    }
    let parts = [(Colour::Blue, "v2"), (Colour::Green, "v3")];
    for (colour, version) in parts {
        let choice = lines(&page.text, &format!("\neverything to {}:", colour.to_string().to_uppercase()));
        let [force, socat, nc, perl, file] = &choice[..] else { panic!("{choice:#?}") };
        for (line, program) in [(socat, "socat"), (nc, "nc -U"), (perl, "perl")] {
            assert!(line.contains(program), "{line}");
            // From the other colour each time, so that a line that does nothing is seen.
            let other = before.routes[0];
            let share = if colour == Colour::Blue { Share::ALL } else { Share::NONE };
            crate::levers::set_map(
                &site,
                &teal_rollout::policy::Policy {
                    routes: vec![teal_rollout::policy::Route { share, ..other }],
                    ..before.clone()
                },
            )
            .await;
            let said = shell(&site, line);
            said.expect(0, &[]);
            assert_eq!(said.text.trim(), "", "{line}");
            let route = site.running().await.unwrap().routes[0];
            assert!(route.serves(colour) && !route.serves(colour.other()), "{line}: {route:?}");
        }
        shell(&site, file).expect(0, &[]);
        assert_eq!(site.saved(), site.running().await);
        serves_only(&site, version).await;
        // `edge force` has nothing to add to what the page said.
        let by_hand = site.running().await;
        assert!(force.starts_with("teal --config "), "{force}");
        shell(&site, &force.replace("'why'", "'the page'")).expect(0, &["ok   HAProxy routes by it"]);
        assert_eq!(site.running().await.map(|p| p.routes), by_hand.map(|p| p.routes));
    }
    for line in lines(&page.text, "\n3. CHECK\n") {
        shell(&site, &line).expect(0, &[if line.starts_with("curl") { "200" } else { "policy v1:" }]);
    }
    assert_eq!(site.traffic.counts().all.bad, 0);
}

#[tokio::test]
async fn with_haproxy_dead_too_it_is_the_map_file_the_kept_page_or_the_configuration() {
    let mut site = Site::new().empty().start().await;
    let kept_page = || async { Some(kept(&site)).filter(|page| !page.is_empty()) };
    let first = teal_testkit::until("a page is kept", kept_page).await;
    site.kill_agent();
    shell(&site, "teal break-glass prod").expect(0, &["routed by   v1:0.0.open:blue:blue:0"]);
    site.haproxy.kill().await;
    shell(&site, "teal break-glass prod")
        .expect(5, &["HAProxy is not running", "made of the map's file", "routed by   v1:0.0.open:blue:blue:0"]);
    std::fs::remove_file(site.path("edge.map")).unwrap();
    let said = shell(&site, "teal break-glass prod");
    said.expect(5, &["this page was kept ", " ago, by the agent"]);
    assert!(said.text.ends_with(&first), "{}", said.text);
    std::fs::remove_dir_all(site.path("state/break-glass")).unwrap();
    shell(&site, "teal break-glass prod").expect(
        5,
        &["made of the configuration alone", "to BLUE: nothing is known of it", "v1:0.0.open:blue:blue:0:forced:0"],
    );
    let json = shell(&site, "teal --json break-glass prod").text;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["source"], &json["exit"]), (&"configuration".into(), &5.into()));
}
