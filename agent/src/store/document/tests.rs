//! One suite for every place that a document may be in.

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Cause, Outcome, Pause, Phase};
use teal_rollout::policy::{Epoch, Salt, Verdict};
use teal_testkit::kubernetes::{Failure, Fault};

use super::*;
use crate::store::kubernetes::Resource;
use crate::store::kubernetes::testing::Cluster;

/// A place, opened as an agent that starts does, and a write whose answer is lost.
trait Place {
    type Documents: Documents;

    async fn open(&self) -> (Self::Documents, Option<Document>);

    async fn put_and_lose(&self, documents: &mut Self::Documents, document: &Document);
}

struct OnSqlite {
    store: Sqlite,
    _folder: teal_testkit::Folder,
}

impl OnSqlite {
    async fn new() -> Self {
        let folder = teal_testkit::folder();
        let store = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
        Self { store, _folder: folder }
    }
}

impl Place for OnSqlite {
    type Documents = InSqlite;

    async fn open(&self) -> (InSqlite, Option<Document>) {
        let found = self.store.document("prod").await.unwrap();
        let stored = found.as_ref().map_or(0, |found| found.revision);
        (InSqlite::new(self.store.clone(), "prod".to_owned(), stored), found)
    }

    async fn put_and_lose(&self, documents: &mut InSqlite, document: &Document) {
        documents.unsure.add(document);
        self.store.put_document("prod", documents.stored, document).await.unwrap();
    }
}

impl Place for Cluster {
    type Documents = Resource;

    async fn open(&self) -> (Resource, Option<Document>) {
        let opened = self.opened(None).await;
        (opened.resource, opened.document)
    }

    async fn put_and_lose(&self, documents: &mut Resource, document: &Document) {
        self.server.fail(Fault::new(Failure::Lost).on(&["create", "patch"]).about("bluegreens").times(1));
        documents.put(document).await.unwrap_err();
    }
}

fn document(revision: u64) -> Document {
    let salt = Salt::try_from("demo".to_owned()).unwrap();
    let new = Document::new(["api".to_owned(), "web".to_owned()], salt, vec!["b".to_owned(), "a".to_owned()]);
    Document { revision, ..new }
}

/// Every field differs from that of [`document`].
fn full(revision: u64) -> Document {
    let mut full = document(revision);
    full.epoch = Epoch { release: 8, verdict: Verdict::Bad, step: 3 };
    full.phase = Phase::RollingBack;
    full.share = Share::percent(10);
    full.components[0].candidate.colour = Colour::Green;
    full.components[0].candidate.version = Some("v2".to_owned());
    full.components[0].share = Share::percent(10);
    full.edges = vec!["c".to_owned(), "b".to_owned()];
    full.by = "ops".to_owned();
    full.outcome = Some(Outcome::RolledBack);
    full.cause = Some(Cause::NotReady { reason: "api: image pull".to_owned() });
    full.emergency = vec!["api".to_owned()];
    full.emergency_spent = true;
    full.paused = Some(Pause { by: "ops".to_owned() });
    full
}

async fn put(documents: &mut impl Documents, document: &Document) -> Put {
    documents.put(document).await.unwrap()
}

async fn suite(place: &impl Place) {
    let (mut one, nothing) = place.open().await;
    assert_eq!(nothing, None);
    // Made where it is missing, and written over what was written last; the same may come again.
    for revision in [1, 2, 2, 5] {
        assert_eq!(put(&mut one, &document(revision)).await, Put::Stored);
    }
    // Every field there and back, and gone again.
    assert_eq!(put(&mut one, &full(6)).await, Put::Stored);
    assert_eq!(place.open().await.1, Some(full(6)));
    let open = Document { epoch: Epoch { release: 9, ..Epoch::default() }, ..document(7) };
    assert_eq!(put(&mut one, &open).await, Put::Stored);
    let (mut two, found) = place.open().await;
    assert_eq!(found, Some(open.clone()));
    // Two at once: one is written, the other hears of it, and of that alone.
    let at = |revision, by: &str| Document { revision, by: by.to_owned(), ..open.clone() };
    assert_eq!(put(&mut one, &at(8, "one")).await, Put::Stored);
    assert_eq!(put(&mut two, &at(8, "two")).await, Put::Met(Box::new(at(8, "one"))));
    assert_eq!(place.open().await.1, Some(at(8, "one")));
    assert_eq!(put(&mut two, &at(9, "two")).await, Put::Stored);
    assert_eq!(put(&mut one, &at(9, "one")).await, Put::Met(Box::new(at(9, "two"))));
    // A greater revision of our own is no leave to write over what is another's.
    assert_eq!(put(&mut two, &at(10, "two")).await, Put::Stored);
    assert_eq!(put(&mut one, &at(20, "one")).await, Put::Met(Box::new(at(10, "two"))));
    // What was written although nobody answered is known again: the same one, and one before the next.
    place.put_and_lose(&mut one, &at(11, "one")).await;
    assert_eq!(put(&mut one, &at(11, "one")).await, Put::Stored);
    place.put_and_lose(&mut one, &at(12, "one")).await;
    assert_eq!(put(&mut one, &at(13, "one")).await, Put::Stored);
    // And is not taken for our own when another wrote over it.
    place.put_and_lose(&mut one, &at(14, "one")).await;
    let (mut three, found) = place.open().await;
    assert_eq!(found, Some(at(14, "one")));
    assert_eq!(put(&mut three, &at(15, "three")).await, Put::Stored);
    assert_eq!(put(&mut one, &at(15, "one")).await, Put::Met(Box::new(at(15, "three"))));
    assert_eq!(place.open().await.1, Some(at(15, "three")));
}

#[tokio::test]
async fn a_document_is_written_over_what_was_seen_or_not_at_all_in_sqlite() {
    suite(&OnSqlite::new().await).await;
}

#[tokio::test]
async fn a_document_is_written_over_what_was_seen_or_not_at_all_in_the_resource() {
    suite(&Cluster::new().await).await;
}
