//! The request log as datagrams, for where a ring cannot be read. The kernel's queue must be deep: HAProxy
//! drops a line rather than wait.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::UnixDatagram;
use tokio::sync::watch;

use super::ring::FeedState;
use super::sink::Sink;

/// With 10, Linux' default, 8 to 17 % of 10,000 lines a second are lost; with 512 none.
const DEEP_ENOUGH: u32 = 512;
/// Where the kernel says how deep it is.
const DEPTH: &str = "/proc/sys/net/unix/max_dgram_qlen";
/// At most this many lines become one batch.
const BATCH: usize = 1024;

/// Why datagrams cannot be received.
#[derive(Debug, thiserror::Error)]
pub enum DatagramError {
    /// The kernel's queue is too short.
    #[error(
        "a datagram log loses lines here: the kernel queues {0}. Set `net.unix.max_dgram_qlen = {DEEP_ENOUGH}` in \
         /etc/sysctl.d/60-teal.conf and run `sysctl --system`, or read the ring instead"
    )]
    Shallow(u32),
    /// Something that is no socket lies where it should be.
    #[error("{} is not a socket, so it is left alone: remove it, or name another path for the log", .0.display())]
    Taken(PathBuf),
    /// The socket cannot be made.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Refuses a queue that would lose lines.
fn check_depth(depth: u32) -> Result<(), DatagramError> {
    if depth < DEEP_ENOUGH { Err(DatagramError::Shallow(depth)) } else { Ok(()) }
}

/// Makes the socket, after making sure that the queue is deep enough: it counts from the bind on.
pub(super) fn bind(path: &Path) -> Result<UnixDatagram, DatagramError> {
    let depth = fs::read_to_string(DEPTH).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    check_depth(depth)?;
    bind_at(path)
}

fn bind_at(path: &Path) -> Result<UnixDatagram, DatagramError> {
    let failed = |error| DatagramError::Io { path: path.to_owned(), error };
    // Left behind by an agent that was killed. Anything else at this path is somebody's.
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(DatagramError::Taken(path.to_owned())),
        Ok(_) => fs::remove_file(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let socket = UnixDatagram::bind(path).map_err(failed)?;
    // HAProxy logs as its own user, by the socket's group.
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(socket)
}

/// Receives for ever. Datagrams need no connection, so the feed is live as long as the socket is.
pub(super) async fn run(socket: UnixDatagram, sink: Arc<Sink>, state: watch::Sender<FeedState>) {
    state.send_replace(FeedState::LIVE);
    let mut buffer = Vec::with_capacity(BATCH * 256);
    let mut ends = Vec::with_capacity(BATCH);
    loop {
        buffer.clear();
        ends.clear();
        if let Err(error) = socket.recv_buf(&mut buffer).await {
            state.send_replace(FeedState::lost(Some(error.to_string())));
            return;
        }
        ends.push(buffer.len());
        while ends.len() < BATCH && socket.try_recv_buf(&mut buffer).is_ok() {
            ends.push(buffer.len());
        }
        let mut start = 0;
        sink.lines(ends.iter().map(|&end| {
            let line = buffer[start..end].trim_ascii_end();
            start = end;
            line
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shallow_queue_is_refused_with_the_line_that_deepens_it() {
        let error = check_depth(10).unwrap_err().to_string();
        assert!(error.contains("net.unix.max_dgram_qlen = 512") && error.contains("queues 10"), "{error}");
        assert!(check_depth(512).is_ok());
    }

    #[tokio::test]
    async fn only_a_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.sock");
        drop(bind_at(&path).unwrap());
        assert!(path.exists(), "it stays behind");
        bind_at(&path).unwrap();
        let file = folder.path().join("notes");
        let link = folder.path().join("link");
        fs::write(&file, "mine").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for path in [folder.path(), &file, &link] {
            let error = bind_at(path).unwrap_err().to_string();
            assert!(error.contains("is not a socket") && error.contains(&path.display().to_string()), "{error}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    #[tokio::test]
    async fn each_datagram_is_a_line() {
        use crate::proxy::haproxy::evidence::Reader;
        use crate::proxy::haproxy::settings::{BadWhen, EdgeComponent, LatencyLimits};
        use teal_rollout::machine::event::Event;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.sock");
        let reader = Reader::new(&[EdgeComponent {
            name: "api".into(),
            limits: LatencyLimits::default(),
            bad: BadWhen::default(),
        }]);
        let (events, mut said) = tokio::sync::mpsc::channel(8);
        let sink = Arc::new(Sink::new(events, reader, 1, Arc::default()));
        let (state, feed) = watch::channel(FeedState::lost(None));
        let socket = UnixDatagram::bind(&path).unwrap();
        let receiver = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(run(socket, sink, state)));
        let sender = UnixDatagram::unbound().unwrap();
        for (status, end) in [(200, "\n"), (500, ""), (404, "\n")] {
            let line = format!("teal1 43.1.open api green 2 {status} 12 11 -- 0 GET s1{end}");
            sender.send_to(line.as_bytes(), &path).await.unwrap();
        }
        let mut bad = Vec::new();
        while bad.len() < 3 {
            match said.recv().await {
                Some(Event::Requests(batch)) => bad.extend(batch.requests.iter().map(|o| o.bad)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bad, [false, true, false]);
        assert_eq!(*feed.borrow(), FeedState::LIVE);
        drop(receiver);
    }
}
