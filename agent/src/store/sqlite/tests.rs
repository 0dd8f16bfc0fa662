//! The store on a real file.

use super::*;
use teal_rollout::policy::Salt;

async fn store() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
    (folder, store)
}

fn document(revision: u64) -> Document {
    let salt = Salt::try_from("demo".to_owned()).unwrap();
    Document { revision, ..Document::new(["api".to_owned()], salt, vec!["edge".into()]) }
}

#[tokio::test]
async fn a_document_is_written_only_over_the_revision_it_was_read_at() {
    let (_folder, store) = store().await;
    assert_eq!(store.document("prod").await.unwrap(), None);
    store.put_document("prod", 0, &document(1)).await.unwrap();
    store.put_document("prod", 1, &document(3)).await.unwrap();
    let conflict = store.put_document("prod", 1, &document(2)).await.unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict { expected: 1, .. }), "{conflict}");
    assert_eq!(store.document("prod").await.unwrap(), Some(document(3)));
    assert_eq!(store.document("dev").await.unwrap(), None);
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _store) = store().await;
    let mode = std::fs::metadata(folder.path().join("teal.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_newest_timelines_are_kept_and_the_others_forgotten() {
    let (_folder, store) = store().await;
    let row = |release: u64, json: &str| TimelineRow { release, json: json.to_owned() };
    for release in 1..=TIMELINES.into() {
        store.put_timeline("prod", &row(release, "{}")).await.unwrap();
    }
    store.put_timeline("dev", &row(1, "{}")).await.unwrap();
    let newest = u64::from(TIMELINES) + 1;
    store.put_timeline("prod", &row(newest, "{}")).await.unwrap();
    store.put_timeline("prod", &row(newest, "[]")).await.unwrap();
    assert_eq!(store.timeline("prod", None).await.unwrap(), Some(row(newest, "[]")));
    assert_eq!(store.timeline("prod", Some(2)).await.unwrap(), Some(row(2, "{}")));
    assert_eq!(store.timeline("prod", Some(1)).await.unwrap(), None);
    assert_eq!(store.timeline("dev", Some(1)).await.unwrap(), Some(row(1, "{}")));
    assert_eq!(store.timeline("staging", None).await.unwrap(), None);
}

#[tokio::test]
async fn the_journal_is_read_in_order_by_release_and_from_a_point_on() {
    let (_folder, store) = store().await;
    for seq in 1..=4 {
        let entry = Entry {
            seq,
            release: seq % 2,
            at: "2026-01-01T00:00:00Z".into(),
            kind: "switched".into(),
            text: format!("entry {seq}"),
            data: serde_json::json!({ "seq": seq }),
        };
        store.add_entry("prod", &entry).await.unwrap();
        store.add_entry("prod", &entry).await.unwrap();
    }
    assert_eq!(store.last_seq("prod").await.unwrap(), 4);
    let seqs = |entries: Vec<Entry>| entries.iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(seqs(store.entries("prod", None, 2, 10).await.unwrap()), [3, 4]);
    assert_eq!(seqs(store.entries("prod", Some(1), 0, 10).await.unwrap()), [1, 3]);
    assert_eq!(seqs(store.entries("dev", None, 0, 10).await.unwrap()), [0; 0]);
}
