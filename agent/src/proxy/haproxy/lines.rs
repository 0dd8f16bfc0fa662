//! A connection that log lines arrive on.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::sink::Sink;

/// Longer than any line of ours; HAProxy's own limit is 64 KiB.
const LONGEST_LINE: usize = 128 << 10;
/// How much is read at once, about a thousand lines.
const ROOM: usize = 64 << 10;
/// A replaced process is read until it was silent for this long: on 2.6 the reader itself keeps it alive.
const SILENT: Duration = Duration::from_secs(5);
/// And no longer than this in all.
const DRAINED: Duration = Duration::from_secs(60);

/// The connection and what was read from it and not handed on yet.
pub(super) struct Lines {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::with_capacity(ROOM) }
    }

    /// Reads more; `false` at the end. When it is cancelled, nothing is lost.
    pub(super) async fn more(&mut self) -> io::Result<bool> {
        self.buffer.reserve(ROOM / 4);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Takes everything before the first empty line, once it is there.
    pub(super) fn take_block(&mut self) -> Option<String> {
        let end = self.buffer.windows(2).position(|two| two == b"\n\n")?;
        let block = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 2);
        Some(block)
    }

    /// What arrived, for a message.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&self.buffer).trim().chars().take(200).collect()
    }

    /// Hands on lines until the connection ends.
    pub(super) async fn forward(&mut self, sink: &Sink) {
        loop {
            self.hand_on(sink);
            if !self.more().await.unwrap_or(false) {
                return;
            }
        }
    }

    /// The same for a process that was replaced, until it falls silent.
    pub(super) async fn drain(mut self, sink: &Sink) {
        let end = Instant::now() + DRAINED;
        loop {
            self.hand_on(sink);
            match timeout_at(end.min(Instant::now() + SILENT), self.more()).await {
                Ok(Ok(true)) => {}
                _ => return,
            }
        }
    }

    /// Hands on the whole lines as one batch.
    fn hand_on(&mut self, sink: &Sink) {
        if let Some(end) = self.buffer.iter().rposition(|&b| b == b'\n') {
            sink.lines(self.buffer[..end].split(|&b| b == b'\n').filter(|line| !line.is_empty()));
            self.buffer.drain(..=end);
        } else if self.buffer.len() > LONGEST_LINE {
            self.buffer.clear();
        }
    }
}
