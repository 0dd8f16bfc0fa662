//! Who gets the candidate: exactly the users whose bucket is below the share, by every source of the id.

use std::fs;

use teal_flags::bucket;
use teal_testkit::{Client, Request};

use super::lab::{Lab, fixture};
use super::*;

fn policy(share: u32) -> String {
    format!("v1:7.1.open:blue:green:{share}:r-7:0")
}

#[tokio::test]
async fn each_step_takes_exactly_the_users_below_it() {
    let lab = Lab::start(&["api"], &policy(0), |_| {}).await;
    let mut client = Client::connect(lab.addr).await.unwrap();
    let mut before = 0;
    for percent in [0, 1, 10, 50, 100] {
        let share = percent * 1000;
        lab.policy(&policy(share)).await;
        let mut taken = 0;
        for user in (0..400).map(|user| format!("user-{user}")) {
            let expected = if bucket("r-7", &user) < share { "api-green" } else { "api-blue" };
            let request = Request::get("/").header("cookie", format!("uid={user}"));
            assert_eq!(client.send(request).await.unwrap().body, expected, "{user} at {percent} %");
            taken += u32::from(expected == "api-green");
        }
        assert!(taken >= before && taken.abs_diff(4 * percent) < 40, "{taken} of 400 at {percent} %");
        before = taken;
    }
}

#[tokio::test]
async fn one_bucket_is_the_difference_between_the_colours() {
    let lab = Lab::start(&["api"], &policy(0), |_| {}).await;
    let mine = bucket("r-7", "user-7");
    for (share, expected) in
        [(mine - 1, "api-blue"), (mine, "api-blue"), (mine + 1, "api-green"), (99_999, "api-green")]
    {
        lab.policy(&policy(share)).await;
        let reply = lab.send(Request::get("/").header("cookie", "uid=user-7")).await;
        assert_eq!(reply.body, expected, "bucket {mine}, share {share}");
    }
}

#[tokio::test]
async fn without_an_id_only_everything_is_the_candidates() {
    for user in [UserSource::None, UserSource::Cookie { name: "uid".to_owned() }] {
        let lab = Lab::start(&["api"], &policy(0), |config| config.user = user).await;
        for (share, expected) in [(0, "api-blue"), (99_999, "api-blue"), (100_000, "api-green")] {
            lab.policy(&policy(share)).await;
            assert_eq!(lab.who("/").await, expected, "{share}");
            let reply = lab.send(Request::get("/").header("cookie", "uid=")).await;
            assert_eq!(reply.body, expected, "{share} with an empty cookie");
        }
    }
}

#[tokio::test]
async fn a_header_counts_and_passes_only_from_a_trusted_proxy() {
    for (trusted, expected) in [("127.0.0.0/8", "api-green"), ("192.0.2.0/24", "api-blue")] {
        let lab = Lab::start(&["api"], &policy(99_999), |config| {
            config.user = UserSource::Header { name: "X-User-Id".to_owned(), trusted: vec![trusted.parse().unwrap()] };
        })
        .await;
        let request =
            Request::get("/").header("x-user-id", "user,7").header("x-teal-user", "me").header("x-other", "1");
        assert_eq!(lab.send(request).await.body, expected, "trusted: {trusted}");
        let seen = lab.backend(expected).seen("/").headers;
        assert_eq!(seen.contains_key("x-user-id"), expected == "api-green", "{seen:?}");
        assert!(!seen.contains_key("x-teal-user") && seen.contains_key("x-other"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_header_is_hashed_whole_with_its_commas() {
    let lab = Lab::start(&["api"], &policy(0), |config| {
        config.user = UserSource::Header {
            name: "X-User-Id".to_owned(),
            trusted: vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()],
        };
    })
    .await;
    let mine = bucket("r-7", "last, first");
    for (share, expected) in [(mine, "api-blue"), (mine + 1, "api-green")] {
        lab.policy(&policy(share)).await;
        assert_eq!(lab.send(Request::get("/").header("X-User-Id", "last, first")).await.body, expected);
    }
}

/// The fixtures are a token for `user-7` and the public half of a key whose private half was thrown away.
#[tokio::test]
async fn a_token_counts_once_its_signature_is_verified() {
    let lab = Lab::start(&["api"], &policy(0), |config| {
        let key = fixture("token/rs256.pub.pem");
        config.user = UserSource::Jwt { claim: "sub".to_owned(), algorithm: JwtAlgorithm::Rs256, key };
    })
    .await;
    let token = fs::read_to_string(fixture("token/user-7.jwt")).unwrap().trim().to_owned();
    // {"sub":"user-7"} and {"sub":"user-8"}: the signature fits the first only.
    let forged = token.replace("eyJzdWIiOiJ1c2VyLTcifQ", "eyJzdWIiOiJ1c2VyLTgifQ");
    assert_ne!(token, forged);
    let mine = bucket("r-7", "user-7");
    for (share, token, expected) in [
        (mine, &token, "api-blue"),
        (mine + 1, &token, "api-green"),
        (99_999, &forged, "api-blue"),
        (99_999, &"no.token".to_owned(), "api-blue"),
    ] {
        lab.policy(&policy(share)).await;
        let reply = lab.send(Request::get("/").header("authorization", format!("Bearer {token}"))).await;
        assert_eq!(reply.body, expected, "share {share}, token {token}");
    }
}
