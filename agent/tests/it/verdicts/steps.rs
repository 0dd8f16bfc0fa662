//! A release in steps: at each share exactly the users below it get the new colour, whoever asks and how often.

use teal_agent::api::{Order, Status};
use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::{Client, Request};

use crate::site::Site;

const USERS: usize = 100;

fn user(number: usize) -> String {
    format!("user-{number}")
}

#[tokio::test]
async fn at_each_step_exactly_the_users_below_the_share_get_the_new_colour() {
    let steps = "[[environments.prod.switch.steps]]\nshare = \"10%\"\nhold = \"1500ms\"\n\
                 [[environments.prod.switch.steps]]\nshare = \"50%\"\nhold = \"1500ms\"";
    let mut site = Site::new()
        .exchange("drain = \"1s\"", "drain = \"1s\"\nsalt = \"spring\"")
        .exchange("bind = [", "user = \"cookie:uid\"\nbind = [")
        .more(steps)
        .empty()
        .start()
        .await;
    first(&site).await;
    site.traffic.begin().await;
    let release = site.deploy("v2").await;
    let mut client = Client::connect(site.edge).await.unwrap();
    let mut seen = Vec::new();
    while crate::site::ended(&site.status().await).is_none() || site.status().await.release.unwrap().0 != release {
        let Some(share) = share(&site).await else { continue };
        let mut new = Vec::new();
        for number in 0..USERS {
            let request = Request::get("/home").header("cookie", format!("theme=dark; uid={}", user(number)));
            new.push(client.send(request).await.unwrap().header("x-version") == "v2");
        }
        // In between the share may have grown; then the round says nothing.
        if self::share(&site).await != Some(share) {
            continue;
        }
        for (number, is_new) in new.into_iter().enumerate() {
            let below = teal_flags::bucket("spring", &user(number)) < share.get();
            assert_eq!(is_new, below, "{} at {share}", user(number));
        }
        if seen.last() != Some(&share) {
            seen.push(share);
        }
    }
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    let rising = [Share::NONE, Share::percent(10), Share::percent(50), Share::ALL];
    assert!(seen.ends_with(&rising[1..]), "{seen:?}");
    assert_eq!(site.traffic.counts().all.bad, 0);
}

/// The first version takes everything at once; its steps are only promoted through.
async fn first(site: &Site) {
    let release = site.deploy("v1").await;
    while crate::site::ended(&site.status().await).is_none() {
        site.wait_phase(release, Phase::Watching).await;
        assert_eq!(site.running().await.unwrap().routes[0].share, Share::ALL);
        site.order(Order::Promote).await.unwrap();
        let moved = |status: &Status| (!status.phase.is(&Phase::Switching)).then_some(());
        site.wait_status("the promotion is done", moved).await;
    }
}

async fn share(site: &Site) -> Option<Share> {
    let running = site.running().await?;
    (running.epoch.release == 2).then(|| running.routes[0].share)
}
