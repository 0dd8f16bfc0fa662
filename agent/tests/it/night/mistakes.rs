//! A typo in `teal.toml`, made in the afternoon: at night the tools go by what the agent runs with.

use std::fs;

use teal_rollout::document::Phase;

use crate::levers::serves_only;
use crate::site::Site;

const WARNING: &str =
    "1 mistake (`teal config check` lists them): this goes by the configuration that the agent has run with since ";

#[tokio::test]
async fn the_tools_of_the_night_go_by_what_the_agent_runs_with_and_the_others_refuse() {
    let mut site = Site::new().watch(20_000, 30_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let (file, kept) = (site.path("teal.toml"), site.path("state/running.toml"));
    let whole = fs::read_to_string(&file).unwrap();
    let began = fs::metadata(&kept).unwrap().modified().unwrap();
    fs::write(&file, format!("{whole}\n[wach]\nmin = \"5m\"\n")).unwrap();

    for line in [["deploy", "prod", "v3"].as_slice(), &["resume", "prod"], &["rollback", "prod", "--to", "r-0001"]] {
        site.teal(line).expect(2, &["1 mistake", "did you mean `watch`?"]);
    }
    site.teal(&["status", "prod"]).expect(0, &[WARNING, "v2"]);
    site.teal(&["break-glass", "prod"]).expect(0, &[WARNING, "BREAK GLASS"]);
    site.teal(&["pause", "prod"]).expect(0, &[WARNING, "paused"]);
    site.teal(&["rollback", "prod"]).expect(0, &[WARNING, "ok  rollback"]);
    serves_only(&site, "v1").await;

    // A HUP that is taken renews it, and one that is not leaves it.
    fs::write(&file, &whole).unwrap();
    site.hang_up_agent();
    let renewed = || async { fs::metadata(&kept).unwrap().modified().ok().filter(|at| *at > began) };
    teal_testkit::until("the new configuration is kept", renewed).await;

    fs::write(&file, format!("{whole}\n[wach]\n")).unwrap();
    site.kill_agent();
    let colour = site.running().await.unwrap().routes[0].stable;
    site.teal(&["edge", "force", "prod", colour.as_str(), "--reason", "at night"])
        .expect(0, &[WARNING, "ok   HAProxy routes by it"]);
    fs::remove_file(&kept).unwrap();
    let page = site.path("state/break-glass/prod.txt");
    site.teal(&["status", "prod"]).expect(2, &["did you mean `watch`?", &format!("cat {}", page.display())]);
    fs::write(&file, &whole).unwrap();
}
