//! The PostgreSQL that is installed: its programs, the user they run as, and a cluster to copy.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use rustix::process::{geteuid, getpid};

/// Who a cluster belongs to, and whom everybody connects as.
pub(super) const SUPERUSER: &str = "teal";
/// Whose processes they are when the tests run as root, which PostgreSQL refuses to do.
const USER: &str = "postgres";

/// The program, of the newest version that is installed, or of `$TEAL_POSTGRES_BIN`.
///
/// # Panics
/// Where there is none, with the way out.
#[must_use]
pub fn postgres_program(name: &str) -> PathBuf {
    let newest = || {
        let versions =
            fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
        let number = |bin: &PathBuf| bin.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
        versions.filter(|bin| bin.join("initdb").exists()).max_by_key(number)
    };
    let bin = std::env::var_os("TEAL_POSTGRES_BIN").map(PathBuf::from).or_else(newest);
    bin.map(|bin| bin.join(name)).filter(|path| path.exists()).unwrap_or_else(|| {
        panic!(
            "`{name}` of PostgreSQL is not in /usr/lib/postgresql/*/bin: `make install-deps` installs it without starting \
             a server, or set TEAL_POSTGRES_BIN to its folder"
        )
    })
}

/// A cluster that initdb made, in the build's folder: copying it takes a tenth of the time that making one does.
pub(super) fn template() -> &'static Path {
    // Threads of one process wait for the one that makes it.
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(make_template)
}

fn make_template() -> PathBuf {
    let initdb = postgres_program("initdb");
    // `initdb (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`
    let said = expect("initdb", Command::new(&initdb).arg("--version").output());
    let version = said.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let here = std::env::current_exe().unwrap_or_else(|error| panic!("where am I? {error}"));
    let build = here.ancestors().nth(2).unwrap_or(Path::new("/"));
    let made = build.join(format!("teal-postgres-{version}"));
    if !made.exists() {
        let folder = crate::folder();
        own(folder.path());
        let data = folder.path().join("data");
        let mut command = as_user(&initdb);
        command.arg("-D").arg(&data).args(["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        command.args(["--no-sync", "--no-instructions", "--wal-segsize=2"]);
        expect("initdb", command.output());
        // Whoever is first makes it; the others' are the same.
        let new = build.join(format!("teal-postgres-{version}.{}", getpid().as_raw_nonzero()));
        expect("cp", Command::new("cp").args(["-a", "--"]).arg(&data).arg(&new).output());
        if fs::rename(&new, &made).is_err() {
            let _ = fs::remove_dir_all(&new);
        }
    }
    made
}

pub(super) fn as_user(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

/// Gives a folder to the user that PostgreSQL runs as.
pub(super) fn own(folder: &Path) {
    if geteuid().is_root() {
        let (uid, gid) = ids();
        chown(folder, Some(uid), Some(gid)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    }
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
}

fn ids() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with(&format!("{USER}:")));
    let mut fields = line.into_iter().flat_map(|line| line.split(':').skip(2)).map_while(|id| id.parse().ok());
    match (fields.next(), fields.next()) {
        (Some(uid), Some(gid)) => (uid, gid),
        _ => panic!("there is no user `{USER}`, as whom PostgreSQL runs when tests run as root: `make install-deps`"),
    }
}

pub(super) fn expect(what: &str, output: std::io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
