//! What the machine itself takes: one thread writes the same bytes to as many sockets, one after the other, and nothing else.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::Instant;

use serde_json::{Value, json};

use super::propagation::{figures, wait};
use super::{Settings, streams};

/// As long as a change of one flag is.
const LENGTH: usize = 340;

pub(crate) fn play(settings: &Settings) -> anyhow::Result<Value> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let (sender, told) = channel();
    streams::follow(listener.local_addr()?, settings.streams, sender)?;
    let mut sockets = Vec::new();
    for _ in 0..settings.streams {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        // The head comes in one piece.
        let _ = socket.read(&mut [0; 1024])?;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")?;
        sockets.push(socket);
    }
    let mut lasts = Vec::new();
    for number in 1..=settings.changes as u64 {
        std::thread::sleep(settings.pause);
        let event = format!("id: floor:{number}\nevent: delta\ndata: ");
        let event = format!("{event}{}\n\n", "x".repeat(LENGTH.saturating_sub(event.len())));
        let began = Instant::now();
        write(&mut sockets, event.as_bytes())?;
        let mut moments = Vec::new();
        wait(&told, number, settings.streams, &mut BTreeMap::new(), &mut moments)?;
        lasts.extend(moments.iter().max().map(|last| last.saturating_duration_since(began)));
    }
    let last = figures(lasts.into_iter())?;
    Ok(json!({
        "what": "propagation", "series": "floor", "streams": settings.streams, "sdks": 0, "changes": settings.changes,
        "pause_ms": settings.pause.as_millis(), "last_after_answer_ms": last, "last_after_request_ms": last,
    }))
}

fn write(sockets: &mut [TcpStream], event: &[u8]) -> std::io::Result<()> {
    sockets.iter_mut().try_for_each(|socket| socket.write_all(event))
}
