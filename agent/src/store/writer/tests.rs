//! The writer against a real file, with a store that fails when it is told to.

use super::*;
use crate::store::InSqlite;
use teal_rollout::policy::Salt;

fn document(revision: u64) -> Box<Document> {
    let salt = Salt::try_from("demo".to_owned()).unwrap();
    Box::new(Document { revision, ..Document::new(["api".to_owned()], salt, vec!["edge".into()]) })
}

fn write(document: Box<Document>) -> Write {
    Write::Document { document, heard: 0 }
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
        let documents = InSqlite::new(self.store.clone(), "prod".into(), 0);
        spawn(self.store.clone(), "prod".into(), documents, self.sender.clone(), stop.clone())
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
    writer.keep(write(document(1)));
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
    writer.keep(write(document(1)));
    assert_eq!(site.events.recv().await, Some(Event::StoreFailed { revision: 1 }));
    stop.cancel();
    timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    drop(writer);
}

#[tokio::test]
async fn a_document_overtakes_a_backlog_of_the_journal() {
    let mut site = Site::new().await;
    let stop = CancellationToken::new();
    let (writer, task) = site.writer(&stop);
    for seq in 1..=300 {
        writer.keep(entry(seq));
    }
    writer.keep(write(document(1)));
    assert_eq!(site.events.recv().await, Some(Event::Stored { revision: 1 }));
    assert!(site.store.last_seq("prod").await.unwrap() < 300, "the journal came after");
    stop.cancel();
    task.await.unwrap();
}
