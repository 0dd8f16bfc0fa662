//! What is done to PostgreSQL's tables while agents run: restored, emptied, changed by hand, exchanged.

use serde_json::json;
use teal_testkit::until;

use super::{Kept, Running, agree, reasons};
use crate::flags::*;

/// Waits until all agree on another instance than this one.
async fn renewed(running: &[&Running], than: &Position) -> Position {
    until("it is another instance", || async {
        let is_other = running.iter().all(|running| running.position().instance != than.instance);
        is_other.then_some(())
    })
    .await;
    agree(running, 0).await
}

async fn two() -> (Kept, Kept, Running, Running) {
    let database = teal_testkit::postgres().database();
    let kept = (Kept::at(Some(database.clone())), Kept::at(Some(database)));
    let running = (kept.0.open().await, kept.1.open().await);
    (kept.0, kept.1, running.0, running.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_is_noticed_by_the_next_edit_or_without_one() {
    // With one edit lost, the next one has the revision that was known before.
    for (lost, is_edited) in [(1, true), (2, true), (2, false)] {
        let (kept, _other, one, other) = two().await;
        one.sign("8", "in the backup").await.unwrap();
        let backup = kept.back_up();
        for number in 0..lost {
            other.create(json!({"name": format!("lost{number}")})).await.unwrap();
        }
        let before = agree(&[&one, &other], 2 + lost).await;
        kept.restore(&backup);
        if is_edited {
            one.sign("7", "after the restore").await.unwrap();
            assert_ne!(one.position().instance, before.instance);
        }
        let at = renewed(&[&one, &other], &before).await;
        assert_eq!(at.revision, 2 + u64::from(is_edited));
        assert_eq!((one.description("8").as_str(), other.service.state().flags().len()), ("in the backup", 10));
        assert_eq!(reasons(&other, "8").await, ["one of the default flags", "in the backup"]);
        other.sign("8", "goes on").await.unwrap();
        agree(&[&one, &other], at.revision + 1).await;
        assert_eq!(one.position().instance, at.instance, "once is enough");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_former_life_is_not_taken_for_a_new_one() {
    let (kept, _other, one, other) = two().await;
    let first = one.position();
    let backup = kept.back_up();
    kept.by_hand("UPDATE feature_flags SET flag = replace(flag, 'Telehealth', 'By hand')").await;
    let second = renewed(&[&one, &other], &first).await;
    kept.restore(&backup);
    let third = renewed(&[&one, &other], &second).await;
    assert_ne!(third.instance, first.instance, "who remembers the first must not believe that it went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_changed_by_hand_are_told_as_they_are() {
    let changes = [
        ("emptied", "DELETE FROM feature_flags"),
        ("one gone", "DELETE FROM feature_flags WHERE id = 8"),
        ("one changed", "UPDATE feature_flags SET flag = replace(flag, 'Telehealth', 'By hand') WHERE id = 8"),
        (
            "another name",
            "UPDATE feature_flags SET name = 'tele', flag = replace(flag, '\"telehealth\"', '\"tele\"') WHERE id = 8",
        ),
        ("one more", "INSERT INTO feature_flags VALUES (99, 'by_hand', 1, 77, '{\"id\": 99, \"name\": \"by_hand\"}')"),
        ("no flag", "UPDATE feature_flags SET flag = 'nonsense' WHERE id = 8"),
    ];
    for (what, sql) in changes {
        let (kept, third, one, other) = two().await;
        let before = agree(&[&one, &other], 1).await;
        kept.by_hand(sql).await;
        let at = renewed(&[&one, &other], &before).await;
        // A new agent sees the same.
        let fresh = third.open().await;
        assert_eq!(fresh.service.state().whole(), one.service.state().whole(), "{what}");
        assert_eq!(fresh.position(), at, "{what}");
        assert_eq!(
            one.create(json!({"name": "next"})).await.unwrap(),
            if what == "one more" { 100 } else { 11 },
            "{what}"
        );
        agree(&[&one, &other, &fresh], at.revision + 1).await;
        // It stays this instance, and no line of the audit log is gone.
        for running in [&one, &other, &fresh] {
            assert_eq!(running.position().instance, at.instance, "{what}");
        }
        assert_eq!(kept.by_hand("SELECT count(*) FROM feature_flag_audit_log").await, "11", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_in_its_place_is_another_instance() {
    let (kept, _other, one, _two) = two().await;
    one.sign("8", "here").await.unwrap();
    let dump = kept.back_up();
    one.sign("8", "and here").await.unwrap();
    let known = one.position();
    one.end().await;
    let elsewhere = teal_testkit::postgres().database();
    elsewhere.restore("teal", std::str::from_utf8(&dump).unwrap());
    std::fs::write(kept.path("flags.dsn"), elsewhere.address()).unwrap();
    let one = kept.open().await;
    assert_ne!(one.position().instance, known.instance);
    assert_eq!(one.description("8"), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_gone_are_waited_for() {
    let (kept, _other, one, other) = two().await;
    one.sign("8", "kept").await.unwrap();
    let before = agree(&[&one, &other], 2).await;
    let backup = kept.back_up();
    kept.by_hand("DROP SCHEMA teal CASCADE").await;
    one.sign("8", "refused").await.unwrap_err();
    assert_eq!((one.position(), one.description("8").as_str()), (before.clone(), "kept"), "reads go on");
    kept.by_hand("CREATE SCHEMA teal").await;
    kept.restore(&backup);
    until("edits are taken again", || async { one.sign("8", "again").await.ok() }).await;
    let at = agree(&[&one, &other], 3).await;
    assert_eq!(at.instance, before.instance, "nothing was lost");
}
