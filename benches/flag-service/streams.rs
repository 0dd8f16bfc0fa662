//! Many streams read in one thread: each event is looked at only for its revision and its end.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// A stream has been told this revision, whole, at this moment. `None`: the stream has ended.
pub(crate) type Told = Option<(u64, Instant)>;

/// Opens `count` streams and tells of everything that comes, in a thread of its own, until the other side hangs up.
pub(crate) fn follow(address: SocketAddr, count: usize, told: Sender<Told>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("streams".into()).spawn(move || {
        let room = Rc::new(RefCell::new(vec![0; 64 * 1024]));
        let set = LocalSet::new();
        for _ in 0..count {
            let (room, told) = (room.clone(), told.clone());
            set.spawn_local(async move {
                let _ = one(address, &room, &told).await;
                let _ = told.send(None);
            });
        }
        drop(told);
        runtime.block_on(set);
    })?;
    Ok(())
}

async fn one(address: SocketAddr, room: &RefCell<Vec<u8>>, told: &Sender<Told>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    let head =
        format!("GET /api/v1/feature-flags/stream HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    // What has come of an event that is not whole.
    let mut rest = Vec::new();
    loop {
        socket.readable().await?;
        let mut room = room.borrow_mut();
        let read = match socket.try_read(&mut room) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        let mut bytes = &room[..read];
        if !rest.is_empty() {
            rest.extend_from_slice(bytes);
            bytes = &rest;
        }
        let mut end = 0;
        while let Some(length) = bytes[end..].windows(2).position(|two| two == b"\n\n") {
            let event = &bytes[end..end + length];
            end += length + 2;
            if let Some(revision) = revision(event)
                && told.send(Some((revision, now))).is_err()
            {
                return Ok(());
            }
        }
        rest = bytes[end..].to_vec();
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
