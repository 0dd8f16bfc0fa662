//! One HTTP/1.1 connection that is kept, blocking: a request is written, its whole answer is read.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// The connection, and room for an answer.
pub(crate) struct Connection {
    socket: TcpStream,
    host: SocketAddr,
    room: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(host: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(host)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { socket, host, room: vec![0; 256 * 1024] })
    }

    /// A request's bytes.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            self.host
        )
        .into_bytes()
    }

    /// Sends a request and reads its answer: the status and where the body stands in the room.
    pub(crate) fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.socket.write_all(request)?;
        let mut read = 0;
        let (head, length) = loop {
            if let Some(found) = head(&self.room[..read])? {
                break found;
            }
            read += self.read(read)?;
        };
        while read < head + length {
            read += self.read(read)?;
        }
        let status = std::str::from_utf8(&self.room[9..12])?.parse()?;
        Ok((status, &self.room[head..head + length]))
    }

    fn read(&mut self, from: usize) -> anyhow::Result<usize> {
        match self.socket.read(&mut self.room[from..]) {
            Ok(0) => bail!("the answer breaks off, or is longer than expected"),
            Ok(read) => Ok(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The same as JSON; the answer has to be a good one.
    pub(crate) fn json(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let request = self.request(method, path, body);
        let (status, body) = self.ask(&request)?;
        anyhow::ensure!((200..300).contains(&status), "{method} {path}: {status} {}", String::from_utf8_lossy(body));
        Ok(serde_json::from_slice(body)?)
    }
}

/// Where the body begins, and how long it is; `None`: the head is not whole yet.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end])?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok(Some((end + 4, length.context("an answer without a content-length")?)))
}
