//! How the flags' door is to be.

use std::net::SocketAddr;
use std::time::Duration;

use crate::http::access;
use crate::http::serve::{Bounds, room_for};
use crate::http::tls::TlsFiles;

/// How the flags' door is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where.
    pub listen: SocketAddr,
    /// Its certificate; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// What it puts up with.
    pub limits: Limits,
    /// Whom it lets in.
    pub access: access::Settings,
}

/// What the door puts up with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub connections_per_address: usize,
    /// Streams at once: fewer than connections, so that a request always has room.
    pub streams: usize,
    /// Streams of one token at once.
    pub streams_per_token: usize,
}

/// A stream ends before its connection has to.
const LIFE: Duration = Duration::from_secs(3600);
/// Connections that only this machine may take.
const KEPT_FOR_HERE: usize = 32;

impl Limits {
    /// The same, as far as this process may have files open.
    pub(super) fn fitting(self) -> Self {
        let connections = room_for(self.connections);
        // In the same proportion, so that streams still leave room.
        let streams = (self.streams * connections).checked_div(self.connections).unwrap_or(0).max(1);
        Self { connections, streams, ..self }
    }

    pub(super) fn bounds(self) -> Bounds {
        Bounds {
            most: self.connections,
            most_each: self.connections_per_address,
            kept_for_here: KEPT_FOR_HERE.min(self.connections / 4),
            life: LIFE,
            last_answer: Bounds::FEW.last_answer,
        }
    }
}
