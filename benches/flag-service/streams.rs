//! Many streams read in one thread: each event is looked at only for its revision and its end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// So many streams have been told this revision, whole, at these moments. `None`: a stream has ended.
pub(crate) type Told = Option<(u64, Vec<Instant>)>;

/// What is shared by the streams of a thread. Whoever waits is woken once for each revision, when all were told.
struct Shared {
    /// What was read last.
    room: Vec<u8>,
    count: usize,
    told: BTreeMap<u64, Vec<Instant>>,
    to: Sender<Told>,
}

impl Shared {
    fn note(&mut self, revision: u64, at: Instant) {
        let count = self.count;
        let all = self.told.entry(revision).or_insert_with(|| Vec::with_capacity(count));
        all.push(at);
        if all.len() == count {
            // Nobody may want to know any more.
            let _ = self.to.send(self.told.remove_entry(&revision));
        }
    }
}

/// Opens `count` streams and tells of everything that comes, in a thread of its own, until the other side hangs up.
pub(crate) fn follow(address: SocketAddr, count: usize, told: Sender<Told>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("streams".into()).spawn(move || {
        let shared = Shared { room: vec![0; 64 * 1024], count, told: BTreeMap::new(), to: told };
        let shared = Rc::new(RefCell::new(shared));
        let set = LocalSet::new();
        for _ in 0..count {
            let shared = shared.clone();
            set.spawn_local(async move {
                let _ = one(address, &shared).await;
                let _ = shared.borrow().to.send(None);
            });
        }
        drop(shared);
        runtime.block_on(set);
    })?;
    Ok(())
}

async fn one(address: SocketAddr, shared: &RefCell<Shared>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    let head =
        format!("GET /api/v1/feature-flags/stream HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    // What has come of an event that is not whole.
    let mut rest = Vec::new();
    loop {
        socket.readable().await?;
        let mut shared = shared.borrow_mut();
        let read = match socket.try_read(&mut shared.room) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        rest.extend_from_slice(&shared.room[..read]);
        let mut end = 0;
        while let Some(length) = rest[end..].windows(2).position(|two| two == b"\n\n") {
            if let Some(revision) = revision(&rest[end..end + length]) {
                shared.note(revision, now);
            }
            end += length + 2;
        }
        rest.drain(..end);
    }
}

/// The revision of an event that tells of flags: `id: INSTANCE:REVISION`, somewhere behind the frame of a chunk.
fn revision(event: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(event).ok()?;
    let id = text.split("id: ").nth(1)?;
    let (id, more) = id.split_once('\n')?;
    if more.starts_with("event: ping") {
        return None;
    }
    id.rsplit_once(':')?.1.parse().ok()
}
