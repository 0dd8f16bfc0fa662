//! A HAProxy that only talks: it answers on its Runtime API and logs so many requests a second that it never had.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::watch::RELEASE;

const PID: u32 = 4711;

/// Everything to green.
pub(crate) fn policy() -> String {
    format!("v1:{RELEASE}.1.open:blue:green:100000:blue:blue:0:salt:0")
}

/// The line of the n-th request, which began at this time, in microseconds since 1970.
pub(crate) fn line(started: u64, n: u64) -> String {
    let status = if n.is_multiple_of(200) { 500 } else { 200 };
    let (group, wait) = (n % 5, 5 + n % 40);
    let ended = started + wait * 1000;
    format!("teal2 {PID} {RELEASE}.1.open api green {group} {status} {wait} 0 0 {wait} -- 0 s1 {started} {ended} GET")
}

/// How many lines were written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) lines: AtomicU64,
    /// Those that did not fit the ring because nobody read for too long.
    pub(crate) overwritten: AtomicU64,
    /// The greatest delay of a line behind its time, in microseconds.
    pub(crate) latest: AtomicU64,
}

/// Answers at `socket`, and logs `rate` lines a second for `length` once somebody reads the log. Ends with the process.
pub(crate) fn start(socket: &Path, rate: u64, length: Duration) -> io::Result<Arc<Written>> {
    let listener = UnixListener::bind(socket)?;
    let written = Arc::new(Written::default());
    let counts = Arc::clone(&written);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let counts = Arc::clone(&counts);
            thread::spawn(move || answer(stream, &counts, rate, length));
        }
    });
    Ok(written)
}

fn answer(stream: UnixStream, written: &Written, rate: u64, length: Duration) {
    let mut asked = String::new();
    if BufReader::new(&stream).read_line(&mut asked).is_err() {
        return;
    }
    let info = format!("Name: HAProxy\nVersion: 2.6.12\nStart_time_sec: 1795000000\nPid: {PID}\nStopping: 0\n\n");
    let mut stream = stream;
    if asked.contains("show events") {
        if stream.write_all(info.as_bytes()).is_ok() {
            log(&mut stream, written, rate, length);
            // It stays open, as HAProxy's does.
            thread::park();
        }
        return;
    }
    let ended = written.lines.load(Ordering::Acquire);
    let stat = |backend: &str, ended: u64| {
        format!(
            "# pxname,svname,scur,stot,act,bck,hrsp_2xx,econ,eresp,cli_abrt,\n{backend},s1,0,{ended},1,0,{ended},0,0,0,\n\
             {backend},BACKEND,0,{ended},1,0,{ended},0,0,0,\n\n"
        )
    };
    let map = format!(
        "type=str, case=sensitive, found=yes, idx=tree, key=\"policy\", value=\"{}\", type=\"str\"\n\n",
        policy()
    );
    let stats: String = ["api_blue", "api_green", "web_blue", "web_green"]
        .map(|name| stat(&format!("teal_bench_{name}"), if name == "api_green" { ended } else { 0 }))
        .concat();
    drop(stream.write_all((map + &info + &stats).as_bytes()));
}

/// Lines that are due after so much time.
pub(crate) fn due(rate: u64, after: Duration) -> u64 {
    u64::try_from(u128::from(rate) * after.as_micros() / 1_000_000).unwrap_or(u64::MAX)
}

/// Writes each line at its time, as many at once as are due.
fn log(stream: &mut UnixStream, written: &Written, rate: u64, length: Duration) {
    /// Lines that fit the ring of 4 MiB.
    const RING: u64 = 40_000;
    let began = Instant::now();
    let total = due(rate, length);
    let mut done = 0;
    let mut text = String::new();
    while done < total {
        let due = due(rate, began.elapsed()).min(total);
        if due == done {
            thread::sleep(Duration::from_micros(500));
            continue;
        }
        let lost = (due - done).saturating_sub(RING);
        written.overwritten.fetch_add(lost, Ordering::Relaxed);
        written.latest.fetch_max((due - done) * 1_000_000 / rate, Ordering::Relaxed);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
        let began_at = u64::try_from(now).unwrap_or(u64::MAX) - 50_000;
        text.clear();
        for n in done + lost..due {
            text.push_str(&line(began_at, n));
            text.push('\n');
        }
        // Counted before they are written, as HAProxy does.
        written.lines.fetch_add(due - done, Ordering::AcqRel);
        done = due;
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}
