//! What the client puts up with.

use std::time::Duration;

use crate::model::limits::DOCUMENT_BYTES;

/// A year: what is asked to last longer lasts so long.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Bounds on time and size. The defaults suit a service in the same data centre and one across an ocean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, TLS included. 5 s.
    pub connect: Duration,
    /// From the request until the stream's first byte, and until any other answer's head. A stream of which nothing comes
    /// in this time is taken to be held back by a proxy, and the client polls. 5 s.
    pub first_byte: Duration,
    /// A stream without an event or heartbeat for so long is dead: three missed heartbeats of 15 s. 45 s.
    pub silence: Duration,
    /// For a whole document or event, from its first byte to its last. 60 s.
    pub whole: Duration,
    /// Largest document, event or file, in bytes. 64 MiB, and no more than that.
    pub size: usize,
    /// The longest wait after the first failure; doubles with each further one. 250 ms.
    pub backoff_base: Duration,
    /// The longest wait after many failures. 30 s.
    pub backoff_cap: Duration,
    /// While polling: until the stream is tried again; doubles up to 16 times as much. 1 min.
    pub stream_retry: Duration,
    /// Between attempts with a token that is refused; a changed token file is tried within a second. 30 s.
    pub refused_retry: Duration,
    /// For [`super::Client::close`]: how long it waits for the last counts to be taken. 5 s.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(5),
            silence: Duration::from_secs(45),
            whole: Duration::from_secs(60),
            size: DOCUMENT_BYTES,
            backoff_base: Duration::from_millis(250),
            backoff_cap: Duration::from_secs(30),
            stream_retry: Duration::from_secs(60),
            refused_retry: Duration::from_secs(30),
            close: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The same within what clocks can count and documents may have: `Duration::MAX` means "for ever" well enough.
    pub(super) fn within_reason(self) -> Self {
        let time = |time: Duration| time.min(LONGEST);
        Self {
            connect: time(self.connect),
            first_byte: time(self.first_byte),
            silence: time(self.silence),
            whole: time(self.whole),
            size: self.size.min(DOCUMENT_BYTES),
            backoff_base: time(self.backoff_base),
            backoff_cap: time(self.backoff_cap),
            stream_retry: time(self.stream_retry),
            refused_retry: time(self.refused_retry),
            close: time(self.close),
        }
    }
}
