//! The service on real databases.

/// Each case on each database.
macro_rules! on_both {
    ($($case:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(super::On::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(super::On::Postgres).await; })*
        }
    };
}

mod asked;
mod carrying;
mod conformance;
mod hands;
mod loss;
mod replicas;
mod segments;
mod tokens;
mod writers;

use std::path::PathBuf;

use serde_json::{Value, json};
use teal_flags::model::{Document, Flag};
use teal_testkit::{Folder, PostgresDatabase, until};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Sqlite,
    Postgres,
}

/// A database, and the folder of one agent that serves it.
struct Kept {
    folder: Folder,
    postgres: Option<PostgresDatabase>,
}

impl Kept {
    fn new(on: On) -> Self {
        Self::at((on == On::Postgres).then(|| teal_testkit::postgres().database()))
    }

    /// Another agent, on the same database.
    fn at(postgres: Option<PostgresDatabase>) -> Self {
        let folder = teal_testkit::folder();
        if let Some(postgres) = &postgres {
            use std::os::unix::fs::PermissionsExt;
            let dsn = folder.path().join("flags.dsn");
            std::fs::write(&dsn, postgres.address()).unwrap();
            std::fs::set_permissions(dsn, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self { folder, postgres }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> Settings {
        let place = match &self.postgres {
            None => Place::File(self.path("flags.db")),
            Some(_) => Place::Postgres { dsn: self.path("flags.dsn") },
        };
        Settings { place, may_migrate: true, seen: self.path("flags.seen") }
    }

    async fn open(&self) -> Running {
        Running::with(self.settings()).await
    }

    /// What an operator does with `sqlite3` or psql; columns of what they see are parted by `|`.
    async fn by_hand(&self, sql: &str) -> String {
        use sqlx::{Row, TypeInfo, ValueRef};
        if let Some(postgres) = &self.postgres {
            return postgres.sql(&format!("SET search_path = teal; {sql}"));
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path("flags.db"));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        let shown = rows.iter().map(|row| {
            let column = |index: usize| match row.try_get_raw(index).unwrap().type_info().name() {
                "INTEGER" => row.get::<i64, _>(index).to_string(),
                _ => row.get::<String, _>(index),
            };
            (0..row.len()).map(column).collect::<Vec<_>>().join("|")
        });
        let shown = shown.collect::<Vec<_>>().join("\n");
        pool.close().await;
        shown
    }

    /// A backup. SQLite's is taken while nobody is there.
    fn back_up(&self) -> Vec<u8> {
        match &self.postgres {
            None => std::fs::read(self.path("flags.db")).unwrap(),
            Some(postgres) => postgres.dump("teal").into_bytes(),
        }
    }

    /// All that is stored, also what is not in SQLite's own file yet.
    fn everything(&self) -> Vec<u8> {
        let log = std::fs::read(self.path("flags.db-wal")).unwrap_or_default();
        [self.back_up(), log].concat()
    }

    fn restore(&self, backup: &[u8]) {
        match &self.postgres {
            None => {
                for beside in ["flags.db-wal", "flags.db-shm"] {
                    let _ = std::fs::remove_file(self.path(beside));
                }
                std::fs::write(self.path("flags.db"), backup).unwrap();
            }
            Some(postgres) => postgres.restore("teal", std::str::from_utf8(backup).unwrap()),
        }
    }

    fn lose_seen(&self) {
        std::fs::remove_file(self.path("flags.seen")).unwrap();
    }

    fn mode_of_seen(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(self.path("flags.seen")).unwrap().permissions().mode() & 0o777
    }

    /// The table of the steps that were done.
    fn tracking(&self) -> &'static str {
        if self.postgres.is_some() { "schema_migrations" } else { "_sqlx_migrations" }
    }
}

/// A service, and how it ends.
struct Running {
    service: Service,
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    async fn with(settings: Settings) -> Self {
        let stop = CancellationToken::new();
        let (service, task) = Service::open(settings, stop.clone()).await.unwrap();
        Self { service, task, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.service.close().await;
    }

    async fn patch(&self, flag: &str, fields: Value) -> Result<u64, FlagsError> {
        self.patch_if(flag, fields, None).await
    }

    async fn patch_if(&self, flag: &str, fields: Value, only_if: Option<String>) -> Result<u64, FlagsError> {
        let edit = Edit::Patch { flag: flag.parse().unwrap(), fields, only_if };
        self.service.edit(edit, author()).await.map(|(_, revision)| revision)
    }

    async fn create(&self, fields: Value) -> Result<i64, FlagsError> {
        self.service.edit(Edit::Create(fields), author()).await.map(|(flag, _)| flag.id)
    }

    async fn delete(&self, flag: &str) -> Result<u64, FlagsError> {
        let edit = Edit::Delete { flag: flag.parse().unwrap(), only_if: None };
        self.service.edit(edit, author()).await.map(|(_, revision)| revision)
    }

    /// A change that can be told from every other by its reason.
    async fn sign(&self, flag: &str, reason: &str) -> Result<u64, FlagsError> {
        let edit = Edit::Patch { flag: flag.parse().unwrap(), fields: json!({"description": reason}), only_if: None };
        self.service.edit(edit, Author { reason: reason.into(), ..author() }).await.map(|(_, revision)| revision)
    }

    fn description(&self, flag: &str) -> String {
        self.service.state().flag(&flag.parse().unwrap()).unwrap().description.clone()
    }

    fn position(&self) -> Position {
        self.service.state().position().clone()
    }
}

/// Waits until all say the same, at `revision` or later, and gives where they stand.
async fn agree(running: &[&Running], revision: u64) -> Position {
    until(&format!("all agree at revision {revision}"), || async {
        let at = running[0].position();
        let same = |other: &&Running| {
            let (one, other) = (running[0].service.state(), other.service.state());
            one.whole() == other.whole()
        };
        (at.revision >= revision && running.iter().all(same)).then_some(at)
    })
    .await
}

/// Reasons of a flag's changes, the oldest first, and that the audit log is whole: one line a revision, in order.
async fn reasons(running: &Running, flag: &str) -> Vec<String> {
    let mut entries = running.service.audit(&Wanted::of(flag.parse().unwrap(), None, 10_000)).await.unwrap();
    entries.reverse();
    assert!(entries.windows(2).all(|two| two[0].revision < two[1].revision && two[0].id < two[1].id));
    // As flags: what SQLite itself wrote has `.000` in a moment of a whole second.
    let flag = |json: &Option<Value>| json.clone().map(|json| Flag::from_value(json).unwrap());
    for two in entries.windows(2) {
        assert_eq!(flag(&two[0].after), flag(&two[1].before), "what one change left, the next one found");
    }
    entries.into_iter().map(|entry| entry.reason).collect()
}

fn author() -> Author {
    Author { who: "ops@box".into(), ip: "127.0.0.1".into(), reason: "a test".into(), ..Author::default() }
}

fn document(json: &[u8]) -> Document {
    Document::from_json(str::from_utf8(json).unwrap()).unwrap()
}
