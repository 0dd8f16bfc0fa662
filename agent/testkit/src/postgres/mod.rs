//! A throwaway PostgreSQL: a cluster of its own on a unix socket, killed, frozen, restarted and asked by psql.
//!
//! ```text
//! target/.../teal-postgres-N (made once by initdb) --copied--> Folder/data --> postgres     no TCP, no fsync
//!                                                   reaper: waits until this process is gone, however it went,
//!                                                   then kills the cluster and removes its folder
//! ```

mod database;
mod install;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

pub use database::PostgresDatabase;
pub use install::postgres_program;

use crate::{Folder, block_until};
use install::{as_user, expect, own, template};

/// A cluster. Dropping it ends every process of it and removes its folder; so does the death of the test's process.
#[derive(Debug)]
pub struct Postgres {
    folder: Folder,
    server: Mutex<Option<Child>>,
    /// Its standard input is what tells it that this process is gone.
    _reaper: Child,
    databases: AtomicU32,
}

/// The cluster of this process, for tests that do nothing to it. Started by the first who asks.
///
/// # Panics
/// Where PostgreSQL is not installed.
pub fn postgres() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

impl Postgres {
    /// Starts a cluster of one's own.
    ///
    /// # Panics
    /// With what PostgreSQL said when it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = crate::folder();
        let data = folder.path().join("data");
        let copied = Command::new("cp").args(["-a", "--"]).arg(template()).arg(&data).output();
        expect("cp", copied);
        own(folder.path());
        let reaper = reaper(folder.path());
        let postgres = Self { folder, server: Mutex::new(None), _reaper: reaper, databases: AtomicU32::new(0) };
        postgres.resume();
        postgres
    }

    /// A new, empty database.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn database(&self) -> PostgresDatabase {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let database = |name: &str| PostgresDatabase::new(self.folder.path(), name);
        database("postgres").sql(&format!("CREATE DATABASE {name}"));
        database(&name)
    }

    /// Starts it again after [`Postgres::kill`] or [`Postgres::stop`], and waits until it answers.
    ///
    /// # Panics
    /// With its log, when it does not.
    pub fn resume(&self) {
        let mut server = self.server();
        assert!(server.is_none(), "it runs already");
        let data = self.folder.path().join("data");
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.unwrap_or_else(|error| panic!("no log: {error}"));
        let mut command = as_user(&postgres_program("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(self.folder.path());
        // What a crash of the machine would need is left out; what a crash of the server needs is not.
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "autovacuum=off",
            "shared_buffers=16MB",
            "max_connections=60",
        ] {
            command.arg("-c").arg(setting);
        }
        // A signal to the test's process group is none to the database.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let started = command.spawn().unwrap_or_else(|error| panic!("postgres: {error}"));
        let started = server.insert(started);
        block_until("PostgreSQL is ready", || {
            let ended = started.try_wait().ok().flatten();
            assert!(ended.is_none(), "PostgreSQL does not start ({ended:?}):\n{}", self.log());
            fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready"))
        });
    }

    /// Ends it as an operator does: connections are cut, what was committed is written.
    pub fn stop(&self) {
        self.end(Signal::INT);
    }

    /// Ends it as a crash does.
    pub fn kill(&self) {
        self.end(Signal::QUIT);
    }

    /// Stops every process of it in its tracks: connections are taken, nothing answers.
    pub fn freeze(&self) {
        // The server first: from then on there are no new processes.
        if let Some(server) = self.processes().first() {
            let _ = kill_process(*server, Signal::STOP);
        }
        let all = self.processes();
        // So that the reaper can end them.
        let text: Vec<String> = all.iter().map(|pid| pid.as_raw_nonzero().to_string()).collect();
        let _ = fs::write(self.folder.path().join("frozen"), text.join("\n"));
        for pid in all {
            let _ = kill_process(pid, Signal::STOP);
        }
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        for pid in self.processes() {
            let _ = kill_process(pid, Signal::CONT);
        }
        let _ = fs::remove_file(self.folder.path().join("frozen"));
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn end(&self, signal: Signal) {
        let Some(mut server) = self.server().take() else { return };
        if let Some(pid) = pid(server.id()) {
            let _ = kill_process(pid, signal);
        }
        let _ = server.wait();
    }

    /// The server first, then its children.
    fn processes(&self) -> Vec<Pid> {
        let Some(server) = self.server().as_ref().map(Child::id) else { return Vec::new() };
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(server).chain(children).filter_map(pid).collect()
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
        self.kill();
    }
}

/// Ends the cluster and removes its folder when this process is gone.
fn reaper(folder: &Path) -> Child {
    let script = r#"cat >/dev/null
        pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
        [ -e "$0/frozen" ] && kill -KILL $(cat "$0/frozen") 2>/dev/null
        while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
        rm -rf -- "$0""#;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("/bin/sh: {error}"))
}

fn pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `ps` shows it: `T` is stopped, `Z` is dead.
    fn state(pid: Pid) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    fn is_alive(pid: Pid) -> bool {
        state(pid).is_some_and(|state| state != 'Z')
    }

    #[test]
    fn a_cluster_lives_through_stop_kill_and_freeze_and_leaves_nothing() {
        let postgres = Postgres::start();
        let database = postgres.database();
        database.sql("CREATE TABLE kept AS SELECT 7 AS number");
        for end in [Postgres::stop, Postgres::kill] {
            end(&postgres);
            postgres.resume();
            assert_eq!(database.sql("SELECT number FROM kept"), "7");
        }
        let dump = database.dump("public");
        database.sql("UPDATE kept SET number = 8");
        database.restore("public", &dump);
        assert_eq!(database.sql("SELECT number FROM kept"), "7");
        postgres.freeze();
        block_until("every process is stopped", || {
            let all = postgres.processes();
            // One that ended meanwhile is not taken away by a server that is stopped.
            all.len() > 1 && all.into_iter().all(|pid| matches!(state(pid), Some('T' | 'Z')))
        });
        postgres.thaw();
        assert_eq!(database.sql("SELECT number FROM kept"), "7");
        let (processes, folder) = (postgres.processes(), postgres.folder.path().to_owned());
        assert!(processes.len() > 1);
        postgres.freeze();
        drop(postgres);
        block_until("all of it is gone", || !processes.iter().any(|pid| is_alive(*pid)) && !folder.exists());
    }

    /// Stands for a test that is killed: not one by itself.
    #[test]
    fn a_cluster_whose_test_is_killed_leaves_nothing() {
        const CHILD: &str = "TEAL_TESTKIT_KILLED";
        if let Ok(file) = std::env::var(CHILD) {
            let postgres = Postgres::start();
            postgres.freeze();
            let mut told: Vec<String> =
                postgres.processes().iter().map(|pid| pid.as_raw_nonzero().to_string()).collect();
            told.push(postgres.folder.path().display().to_string());
            fs::write(format!("{file}.new"), told.join("\n")).unwrap();
            fs::rename(format!("{file}.new"), file).unwrap();
            // Until it is killed, or there is nobody left to do that.
            let _ = std::io::stdin().read_line(&mut String::new());
            return;
        }
        let folder = crate::folder();
        let file = folder.path().join("told");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "postgres::tests::a_cluster_whose_test_is_killed_leaves_nothing"])
            .env(CHILD, &file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        block_until("the other process has a cluster", || file.exists());
        child.kill().unwrap();
        child.wait().unwrap();
        let told = fs::read_to_string(&file).unwrap();
        let (pids, folder) = told.rsplit_once('\n').unwrap();
        let pids: Vec<Pid> = pids.lines().map(|line| pid(line.parse().unwrap()).unwrap()).collect();
        assert!(pids.len() > 1);
        block_until("all of it is gone", || !pids.iter().any(|pid| is_alive(*pid)) && !Path::new(folder).exists());
    }
}
