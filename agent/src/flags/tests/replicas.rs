//! Several agents on one PostgreSQL.

use std::sync::Arc;

use serde_json::json;
use teal_testkit::{PATIENCE, until};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Kept, Running, agree, reasons};
use crate::flags::store::{Hint, Store};
use crate::flags::*;

/// Two agents on a database of their own.
pub(super) async fn two() -> ([Kept; 2], [Arc<Running>; 2]) {
    let database = teal_testkit::postgres().database();
    let kept = [Kept::at(Some(database.clone())), Kept::at(Some(database))];
    let running = [Arc::new(kept[0].open().await), Arc::new(kept[1].open().await)];
    (kept, running)
}

/// Every position that an agent publishes from now on, as it does.
fn positions(of: &Running, stop: CancellationToken) -> JoinHandle<Vec<Position>> {
    let mut states = of.service.reads().watch();
    tokio::spawn(async move {
        let mut seen = vec![states.borrow_and_update().position().clone()];
        while let Some(Ok(())) = stop.run_until_cancelled(states.changed()).await {
            seen.push(states.borrow_and_update().position().clone());
        }
        seen
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_agent_hears_of_the_others_edits_once_and_in_order() {
    let (_kept, [one, other]) = two().await;
    let stop = CancellationToken::new();
    let told = [&one, &other].map(|running| positions(running, stop.clone()));
    for round in 0..30 {
        one.sign("8", &format!("one {round}")).await.unwrap();
        assert_eq!(one.description("8"), format!("one {round}"), "who changes something reads it");
        other.sign("telehealth", &format!("other {round}")).await.unwrap();
        assert_eq!(other.description("8"), format!("other {round}"));
    }
    assert_eq!(other.create(json!({"name": "short_lived"})).await.unwrap(), 11);
    until("one has heard of it", || async { one.service.state().flag(&Reference::Id(11)).is_some().then_some(()) })
        .await;
    one.delete("short_lived").await.unwrap();
    assert_eq!(other.create(json!({"name": "short_lived"})).await.unwrap(), 12, "under another id");
    let at = agree(&[&one, &other], 64).await;
    assert_eq!(at.revision, 64);
    assert!(one.service.state().flag(&Reference::Id(11)).is_none());
    stop.cancel();
    for told in told {
        let told = told.await.unwrap();
        assert!(told.windows(2).all(|two| two[0].revision < two[1].revision), "{told:?}");
        assert!(told.iter().all(|position| position.instance == at.instance));
    }
    assert_eq!(reasons(&one, "8").await.len(), 61);
    // What changed since is told alike, whoever is asked: SDKs go from one to the other.
    for since in [1, 30, 62] {
        assert_eq!(one.service.state().delta(since), other.service.state().delta(since));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_said_and_what_was_missed_is_looked_for() {
    let ([kept, _other], [one, other]) = two().await;
    let (hints, heard) = mpsc::channel(16);
    let heard = Mutex::new(heard);
    let next = async || {
        let mut heard = heard.lock().await;
        timeout(PATIENCE, heard.recv()).await.expect("nothing is said").unwrap()
    };
    let listening = tokio::spawn(Store::open(&kept.settings().place, true).await.unwrap().listen(hints));
    assert_eq!(next().await, Hint::Missed, "nobody knows what was said before");
    one.sign("8", "said").await.unwrap();
    assert_eq!(next().await, Hint::Said(one.position()));
    // Nothing is said of what was not done.
    other.patch("99", json!({})).await.unwrap_err();
    other.patch("8", json!({"description": "said"})).await.unwrap();
    kept.by_hand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'teal flags'")
        .await;
    assert_eq!(next().await, Hint::Missed, "it listens again");
    let revision = until("edits are taken again", || async { other.sign("8", "after").await.ok() }).await;
    assert_eq!(next().await, Hint::Said(Position { revision, ..one.position() }));
    listening.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_start_at_once_make_the_schema_once() {
    let database = teal_testkit::postgres().database();
    let kept: Vec<Kept> = (0..4).map(|_| Kept::at(Some(database.clone()))).collect();
    let starting = kept.iter().map(Kept::open);
    let running = futures_util::future::join_all(starting).await;
    agree(&running.iter().collect::<Vec<_>>(), 1).await;
    let steps = database.sql("SELECT count(*), count(DISTINCT version) FROM teal.schema_migrations");
    assert_eq!(steps, "5|5");
    assert_eq!(database.sql("SELECT count(*) FROM teal.feature_flag_audit_log"), "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_knows_more_than_an_agent_makes_it_look_and_not_begin_anew() {
    let (_kept, [one, other]) = two().await;
    for round in 0..20 {
        one.sign("8", &format!("{round}")).await.unwrap();
        let known = one.position();
        other.service.heard(known.clone()).await;
        assert_eq!(other.position(), known);
    }
    // Nobody's edit: the database must have been restored.
    let position = one.position();
    one.service.heard(Position { revision: position.revision + 1, ..position.clone() }).await;
    assert_ne!(one.position().instance, position.instance);
    agree(&[&one, &other], 21).await;
}
