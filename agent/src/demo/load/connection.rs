//! One client connection that speaks just enough HTTP/1.1 to know whether a response is complete.
//!
//! Written by hand because the generator shares its cores with what it measures, and because what is "lost" hangs on
//! details that a general client hides: no silent retry, no reuse of a connection that the other side has closed.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest head of a response.
const MAX_HEAD: usize = 16 * 1024;

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The header `x-version`.
    pub(super) version: Option<String>,
    /// Whether another request may follow.
    pub(super) keep: bool,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1024) })
    }

    /// Whether the other side has neither closed it nor said anything out of turn.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends `request` and reads its whole response.
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let (head, length) = loop {
            self.fill().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break (end + 4, Head::read(&self.buffer[..end])?);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(garbled("the head of the response does not end"));
            }
        };
        let Head { answer, body } = length;
        match body {
            Some(body) => {
                while self.buffer.len() < head + body {
                    self.fill().await?;
                }
                // More than was asked for: nothing that follows could be trusted.
                let keep = answer.keep && self.buffer.len() == head + body;
                Ok(Answer { keep, ..answer })
            }
            None => {
                self.stream.read_to_end(&mut self.buffer).await?;
                Ok(Answer { keep: false, ..answer })
            }
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

struct Head {
    answer: Answer,
    /// The length of the body; `None` when it ends with the connection.
    body: Option<usize>,
}

impl Head {
    fn read(bytes: &[u8]) -> io::Result<Self> {
        let text = str::from_utf8(bytes).map_err(|_| garbled("the head of the response is not text"))?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| garbled("no status line"))?;
        let mut head = Self { answer: Answer { status, version: None, keep: true }, body: None };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.body = Some(value.parse().map_err(|_| garbled("content-length is not a number"))?);
            } else if name.eq_ignore_ascii_case("x-version") {
                head.answer.version = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
                head.answer.keep = false;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(garbled("a chunked response: neither the sample app nor the edge sends one"));
            }
        }
        Ok(head)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn garbled(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_status_version_length_and_whether_to_keep_the_connection() {
        let check = |head: &str, expected: Option<(u16, Option<&str>, bool, Option<usize>)>| {
            let read = Head::read(head.as_bytes()).ok();
            let read = read.map(|Head { answer, body }| (answer.status, answer.version, answer.keep, body));
            let expected =
                expected.map(|(status, version, keep, body)| (status, version.map(str::to_owned), keep, body));
            assert_eq!(read, expected, "{head}");
        };
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Version: v7", Some((200, Some("v7"), true, Some(9))));
        check("HTTP/1.1 503 Service Unavailable\r\nconnection: close", Some((503, None, false, None)));
        check("HTTP/1.0 200\r\ncontent-length:0", Some((200, None, true, Some(0))));
        check("HTTP/1.1 OK", None);
        check("SSH-2.0-OpenSSH", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: many", None);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", None);
    }
}
