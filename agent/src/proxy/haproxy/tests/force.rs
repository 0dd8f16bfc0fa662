use super::*;
use crate::proxy::haproxy::force::{ForceError, Move, Why, force, peek};
use crate::proxy::haproxy::standing::Author;
use std::fs;

fn record(settings: &EdgeSettings) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(settings.map.with_file_name("t.map.forced")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn forcing_back_makes_the_release_bad_and_forcing_on_counts_a_step() {
    let lab = Lab::start(Mode::Single).await;
    lab.by_hand(NEW).await;
    map_file::write(&lab.settings.map, &policy(NEW)).unwrap();
    let forced = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Blue),
        &Why { reason: "errors", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert!(forced.runtime.is_ok() && forced.file.is_ok() && forced.agent.is_none());
    assert_eq!((forced.from, &forced.to), (Some(policy(NEW)), &policy(BAD)));
    assert_eq!((lab.value().await, map_file::read(&lab.settings.map)), (BAD.to_owned(), Ok(policy(BAD))));
    // And the other way, by name: a BAD release stays BAD.
    let on = "v1:43.2.bad:blue:green:100000:salt:0";
    let what = Move::Some(vec![("api".into(), Colour::Green)]);
    assert_eq!(
        force(&lab.settings, &Author::Agent, &what, &Why { reason: "blue burns", by: "ops", anyway: false })
            .await
            .unwrap()
            .to,
        policy(on)
    );
    let record = record(&lab.settings);
    assert_eq!((record.len(), &record[0]["reason"], &record[1]["to"]), (2, &"errors".into(), &on.into()));
    assert_eq!((&record[1]["runtime"], &record[1]["by"]), (&"ok".into(), &"ops".into()));
}

#[tokio::test]
async fn a_settled_edge_moves_to_the_other_colour_and_keeps_its_way_back() {
    let lab = Lab::start(Mode::Single).await;
    let forced = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Green),
        &Why { reason: "test", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert_eq!(forced.to, policy("v1:42.2.open:blue:green:100000:salt:0"));
    // To where it is already: nothing changes.
    let again = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Green),
        &Why { reason: "test", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert_eq!(again.to, forced.to);
}

#[tokio::test]
async fn one_side_is_enough_and_the_other_is_named() {
    let mut lab = Lab::start(Mode::Single).await;
    map_file::write(&lab.settings.map, &policy(NEW)).unwrap();
    lab.proxy.kill().await;
    let forced = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Blue),
        &Why { reason: "errors", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert!(forced.file.is_ok() && forced.runtime.is_err());
    assert_eq!(map_file::read(&lab.settings.map), Ok(policy(BAD)));
    lab.proxy.restart().await;
    // Now only the running proxy can be written.
    let broken = lab.settings.map.with_file_name(".t.map.new");
    fs::create_dir(&broken).unwrap();
    let forced = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Green),
        &Why { reason: "errors", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert!(forced.file.is_err() && forced.runtime.is_ok());
    assert!(record(&lab.settings)[1]["file"] != "ok");
    // And now neither.
    lab.proxy.kill().await;
    let error = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Blue),
        &Why { reason: "errors", by: "ops", anyway: false },
    )
    .await
    .unwrap_err();
    assert!(matches!(&error, ForceError::Nothing { .. }), "{error}");
    assert!(error.to_string().contains("not running"), "{error}");
}

#[tokio::test]
async fn garbage_on_both_sides_still_can_be_forced() {
    let lab = Lab::start(Mode::Single).await;
    lab.by_hand("garbage").await;
    fs::write(&lab.settings.map, "garbage\n").unwrap();
    let forced = force(
        &lab.settings,
        &Author::Agent,
        &Move::All(Colour::Green),
        &Why { reason: "errors", by: "ops", anyway: false },
    )
    .await
    .unwrap();
    assert_eq!(forced.from, None);
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "green");
}

#[tokio::test]
async fn an_unknown_component_is_refused_with_the_known_ones() {
    let folder = teal_testkit::folder();
    let what = Move::Some(vec![("shop".into(), Colour::Blue)]);
    let error = force(&settings(folder.path()), &Author::Agent, &what, &Why { reason: "x", by: "ops", anyway: false })
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("`shop`") && error.contains("has api"), "{error}");
}

#[tokio::test]
async fn peeking_names_the_agent_that_drives_the_edge() {
    let lab = Lab::start(Mode::Single).await;
    assert_eq!(peek(&lab.settings).await.agent, None);
    let rig = Rig::start(&lab.settings);
    let seen = peek(&lab.settings).await;
    assert_eq!(seen.agent, Some(std::process::id()));
    assert_eq!((seen.runtime.unwrap().value.as_deref(), seen.file), (Some(OLD), Ok(policy(OLD))));
    rig.stop().await;
}

#[tokio::test]
async fn a_dead_haproxy_is_told_from_one_that_lost_its_socket() {
    let mut lab = Lab::start(Mode::Single).await;
    let settings = EdgeSettings { ports: vec![lab.front.port()], ..lab.settings.clone() };
    // As a second HAProxy does that starts beside it and fails: the path is its own, and then nobody's.
    fs::remove_file(&settings.socket).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&settings.socket).unwrap());
    let error = peek(&settings).await.runtime.unwrap_err().to_string();
    let port = format!("somebody serves port {}", lab.front.port());
    assert!(error.contains(&port) && error.contains("Stop it and start it once"), "{error}");
    let why = Why { reason: "test", by: "ops", anyway: false };
    let forced = force(&settings, &Author::Agent, &Move::All(Colour::Green), &why).await.unwrap();
    assert!(forced.file.is_ok() && forced.runtime.unwrap_err().to_string().contains(&port));
    assert!(forced.servers.unwrap().contains("nobody knows whether a server is UP"));
    lab.proxy.kill().await;
    let error = peek(&settings).await.runtime.unwrap_err().to_string();
    assert!(error.contains("HAProxy is not running"), "{error}");
}
