//! What a TCP connection needs of the system.

use rustix::net::sockopt::{set_tcp_nodelay, set_tcp_user_timeout};
use tokio::net::TcpStream;

/// How long the other side may leave unacknowledged what it was sent, in milliseconds: who has vanished, or reads no more, loses its place.
/// Streams are sent a ping every 15 s.
const UNREAD: u32 = 60_000;

/// A change is sent at once, and nobody is waited for without end. Without either the connection works as well.
pub(super) fn prepare(stream: &TcpStream) {
    let _ = set_tcp_nodelay(stream, true);
    let _ = set_tcp_user_timeout(stream, UNREAD);
}
