//! The writer against a real file, with a store that fails when it is told to.

use super::*;
use teal_rollout::policy::Salt;

fn document(revision: u64) -> Box<Document> {
    let salt = Salt::try_from("demo".to_owned()).unwrap();
    Box::new(Document { revision, ..Document::new(["api".to_owned()], salt, vec!["edge".into()]) })
}

fn entry(seq: u64) -> Write {
    let text = format!("entry {seq}");
    let at = "2026-01-01T00:00:00Z".to_owned();
    Write::Entry(Entry { seq, release: 1, at, kind: "switched".into(), text, data: serde_json::Value::Null })
}

struct Site {
    folder: tempfile::TempDir,
    store: Sqlite,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
        let (sender, events) = mpsc::channel(64);
        Self { folder, store, events, sender }
    }

    fn writer(&self, stop: &CancellationToken) -> (Writer, tokio::task::JoinHandle<()>) {
        spawn(self.store.clone(), "prod".into(), 0, self.sender.clone(), stop.clone())
    }

    async fn reopened(&self) -> Sqlite {
        Sqlite::open(&self.folder.path().join("teal.db")).await.unwrap()
    }
}

#[tokio::test]
async fn a_stop_writes_what_was_handed_over_although_others_still_hold_the_writer() {
    let mut site = Site::new().await;
    let stop = CancellationToken::new();
    let (writer, task) = site.writer(&stop);
    writer.keep(Write::Document(document(1)));
    for seq in 1..=20 {
        writer.keep(entry(seq));
    }
    stop.cancel();
    task.await.unwrap();
    assert_eq!(site.events.recv().await, Some(Event::Stored { revision: 1 }));
    let store = site.reopened().await;
    assert_eq!(store.last_seq("prod").await.unwrap(), 20);
    assert_eq!(store.document("prod").await.unwrap().unwrap().revision, 1);
    drop(writer);
}

#[tokio::test]
async fn a_stop_ends_while_the_store_is_down() {
    let mut site = Site::new().await;
    let stop = CancellationToken::new();
    let (writer, task) = site.writer(&stop);
    site.store.close().await;
    writer.keep(Write::Document(document(1)));
    assert_eq!(site.events.recv().await, Some(Event::StoreFailed { revision: 1 }));
    stop.cancel();
    timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    drop(writer);
}

#[tokio::test]
async fn a_write_that_landed_after_its_time_out_is_known_again() {
    let site = Site::new().await;
    let mut stored = 3;
    site.store.put_document("prod", 0, &document(3)).await.unwrap();
    // Two tries timed out and landed: the document that is to be written now, and one before a newer one.
    site.store.put_document("prod", 3, &document(4)).await.unwrap();
    put_document(&site.store, "prod", &mut stored, &document(4)).await.unwrap();
    assert_eq!(stored, 4);
    site.store.put_document("prod", 4, &document(5)).await.unwrap();
    let conflict = put_document(&site.store, "prod", &mut stored, &document(6)).await.unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict { .. }), "{conflict}");
    put_document(&site.store, "prod", &mut stored, &document(6)).await.unwrap();
    assert_eq!(stored, 6);
}

#[tokio::test]
async fn a_document_of_somebody_else_is_never_overwritten() {
    let site = Site::new().await;
    let mut stored = 3;
    site.store.put_document("prod", 0, &document(9)).await.unwrap();
    for _ in 0..3 {
        let conflict = put_document(&site.store, "prod", &mut stored, &document(4)).await.unwrap_err();
        assert!(matches!(conflict, StoreError::Conflict { .. }), "{conflict}");
    }
    assert_eq!(site.store.document("prod").await.unwrap().unwrap().revision, 9);
}

#[tokio::test]
async fn a_document_overtakes_a_backlog_of_the_journal() {
    let mut site = Site::new().await;
    let stop = CancellationToken::new();
    let (writer, task) = site.writer(&stop);
    for seq in 1..=300 {
        writer.keep(entry(seq));
    }
    writer.keep(Write::Document(document(1)));
    assert_eq!(site.events.recv().await, Some(Event::Stored { revision: 1 }));
    assert!(site.store.last_seq("prod").await.unwrap() < 300, "the journal came after");
    stop.cancel();
    task.await.unwrap();
}
