//! PostgreSQL goes away and comes back: killed, stopped, frozen, its connections cut.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use teal_testkit::{Postgres, until};
use tokio::task::JoinHandle;

use super::{Kept, Running, agree, reasons};
use crate::flags::*;

/// Two agents on a cluster of their own.
async fn two(postgres: &Postgres) -> ([Kept; 2], [Arc<Running>; 2]) {
    let database = postgres.database();
    let kept = [Kept::at(Some(database.clone())), Kept::at(Some(database))];
    let running = [Arc::new(kept[0].open().await), Arc::new(kept[1].open().await)];
    (kept, running)
}

/// Edits at both agents for as long as it is to; what was answered to each.
fn editing(running: &[Arc<Running>; 2], stop: &Arc<AtomicBool>) -> Vec<JoinHandle<HashMap<String, bool>>> {
    let one = |index: usize| {
        let (running, stop) = (running[index].clone(), stop.clone());
        tokio::spawn(async move {
            let mut answered = HashMap::new();
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let reason = format!("{index}-{number}");
                let made = running.sign("8", &reason).await;
                assert!(matches!(made, Ok(_) | Err(FlagsError::Away(_) | FlagsError::Unsure(_))), "{made:?}");
                answered.insert(reason, made.is_ok());
                tokio::task::yield_now().await;
            }
            answered
        })
    };
    vec![one(0), one(1)]
}

/// What was answered with success is in the audit log once, and nothing is there twice.
async fn all_kept(running: &[Arc<Running>; 2], editing: Vec<JoinHandle<HashMap<String, bool>>>) {
    let mut answered = HashMap::new();
    for editing in editing {
        answered.extend(editing.await.unwrap());
    }
    until("both take edits again", || async {
        let [one, other] = running;
        one.sign("8", "last one").await.ok()?;
        other.sign("8", "last other").await.ok()
    })
    .await;
    agree(&[&running[0], &running[1]], 2).await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for reason in reasons(&running[0], "8").await {
        *times.entry(reason).or_default() += 1;
    }
    let made = answered.values().filter(|made| **made).count();
    assert!(made > 10, "only {made} were made");
    for (reason, made) in answered {
        let found = times.get(&reason).copied().unwrap_or(0);
        assert!(found == 1 || (found == 0 && !made), "{reason}: {found} times, answered {made}");
    }
}

/// Waits until the number of edits that were made has grown by so many.
async fn more(running: &Running, by: u64) {
    let from = running.position().revision;
    until("edits are made", || async { (running.position().revision >= from + by).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost_or_made_twice_by_crashes_and_restarts_of_the_server() {
    let postgres = Postgres::start();
    let (_kept, running) = two(&postgres).await;
    let before = running[0].position();
    let stop = Arc::new(AtomicBool::new(false));
    let editing = editing(&running, &stop);
    for end in [Postgres::kill, Postgres::stop, Postgres::kill] {
        more(&running[1], 20).await;
        end(&postgres);
        // From memory, whatever was asked for.
        for running in &running {
            until("edits are refused", || async { running.sign("7", "away").await.is_err().then_some(()) }).await;
            assert!(running.service.state().flag(&Reference::Id(8)).is_some());
        }
        postgres.resume();
        until("edits are taken again", || async { running[0].sign("7", "back").await.ok() }).await;
    }
    more(&running[1], 20).await;
    stop.store(true, Ordering::Relaxed);
    all_kept(&running, editing).await;
    assert_eq!(running[0].position().instance, before.instance, "nothing went back in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost_or_made_twice_when_connections_are_cut() {
    let postgres = Postgres::start();
    let (kept, running) = two(&postgres).await;
    let stop = Arc::new(AtomicBool::new(false));
    let editing = editing(&running, &stop);
    for _ in 0..10 {
        more(&running[0], 5).await;
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'teal flags'";
        assert_ne!(kept[0].by_hand(cut).await, "0");
    }
    more(&running[0], 5).await;
    stop.store(true, Ordering::Relaxed);
    all_kept(&running, editing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_swallows_everything_holds_nobody_up() {
    let postgres = Postgres::start();
    let (_kept, running) = two(&postgres).await;
    let stop = Arc::new(AtomicBool::new(false));
    let editing = editing(&running, &stop);
    more(&running[0], 20).await;
    postgres.freeze();
    for running in &running {
        let first = until("edits are refused", || async { running.sign("7", "away").await.err() }).await.to_string();
        // Then at once, without asking again: that would find another reason, or take for ever.
        for _ in 0..100 {
            let refused = running.sign("7", "away").await.unwrap_err();
            assert!(matches!(&refused, FlagsError::Away(_)), "{refused}, first {first}");
        }
    }
    postgres.thaw();
    more(&running[0], 5).await;
    stop.store(true, Ordering::Relaxed);
    all_kept(&running, editing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_starts_without_its_database_has_no_answer_until_it_is_there() {
    let postgres = Postgres::start();
    let kept = Kept::at(Some(postgres.database()));
    let first = kept.open().await;
    first.sign("8", "before").await.unwrap();
    first.end().await;
    postgres.stop();
    let running = kept.open().await;
    assert!(!running.service.state().is_loaded());
    assert!(matches!(running.sign("8", "away").await, Err(FlagsError::Away(_))));
    postgres.resume();
    until("it was read", || async { running.service.state().is_loaded().then_some(()) }).await;
    assert_eq!((running.description("8").as_str(), running.position().revision), ("before", 2));
    running.sign("8", "after").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_not_heard_is_made_up_for_by_looking() {
    let postgres = Postgres::start();
    let (kept, running) = two(&postgres).await;
    // As if the other agent's word were lost.
    kept[0].by_hand(
        "UPDATE feature_flags SET revision = 2, version = 2, flag = replace(flag, 'Telehealth', 'Unheard') WHERE id = 8;
         UPDATE feature_flag_service SET revision = 2",
    )
    .await;
    let at = agree(&[&running[0], &running[1]], 2).await;
    assert_eq!(at.revision, 2);
    assert_eq!(running[1].description("8"), "Unheard");
}

#[tokio::test]
async fn no_error_quotes_the_password() {
    let kept = Kept::at(Some(teal_testkit::postgres().database()));
    for address in ["postgres://teal:s3cret@127.0.0.1:1/flags", "postgres://nobody:s3cret@localhost/gone?host=/nowhere"]
    {
        std::fs::write(kept.path("flags.dsn"), address).unwrap();
        let running = tokio::time::timeout(Duration::from_secs(60), kept.open()).await.unwrap();
        let said = running.sign("8", "away").await.unwrap_err().to_string();
        assert!(said.contains("does not answer") && !said.contains("s3cret"), "{said}");
        running.end().await;
    }
}
