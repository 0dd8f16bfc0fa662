//! What a command wrote to its terminal, and when: asciicast v2, which other players know.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use pty_process::blocking::{Command, Pty, open};
use serde::{Deserialize, Serialize};

/// Of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// A recording.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cast {
    pub(crate) size: Size,
    /// Seconds from the start, and what was written then.
    pub(crate) written: Vec<(f64, String)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u8,
    width: u16,
    height: u16,
}

impl Cast {
    /// Runs a command until it ends, on a terminal that knows colours. `interrupt`: when to press Ctrl-C, in seconds.
    pub(crate) fn record(command: &[String], size: Size, interrupt: Option<u64>) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or_else(|| io::Error::other("no command"))?;
        let (terminal, end) = open().map_err(io::Error::other)?;
        terminal.resize(pty_process::Size::new(size.rows, size.columns)).map_err(io::Error::other)?;
        let command = Command::new(program).args(arguments).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let mut child = command.env("LC_ALL", "C.UTF-8").spawn(end).map_err(io::Error::other)?;
        let written = std::thread::scope(|scope| {
            if let Some(seconds) = interrupt {
                let terminal = &terminal;
                scope.spawn(move || {
                    std::thread::sleep(Duration::from_secs(seconds));
                    let mut keyboard: &Pty = terminal;
                    let _ = keyboard.write_all(b"\x03");
                });
            }
            read(&terminal)
        });
        child.wait()?;
        Ok(Self { size, written })
    }

    /// The text of a file.
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let mut lines = text.lines();
        let Header { width, height, .. } = serde_json::from_str(lines.next().unwrap_or_default())?;
        let events = lines.map(serde_json::from_str).collect::<Result<Vec<(f64, String, String)>, _>>()?;
        let written = events.into_iter().filter(|(_, kind, _)| kind == "o").map(|(at, _, text)| (at, text)).collect();
        Ok(Self { size: Size { columns: width, rows: height }, written })
    }
}

/// All that comes until the last program has closed the terminal, which Linux tells as an error.
fn read(mut terminal: &Pty) -> Vec<(f64, String)> {
    let (begun, mut written, mut left, mut buffer) = (Instant::now(), Vec::new(), Vec::new(), [0; 8192]);
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        left.extend_from_slice(&buffer[..count]);
        // A character may be cut in two by the end of the buffer.
        let whole = match std::str::from_utf8(&left) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => left.len(),
        };
        let text: Vec<u8> = left.drain(..whole).collect();
        written.push((begun.elapsed().as_secs_f64(), String::from_utf8_lossy(&text).into_owned()));
    }
    written
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { columns, rows } = self.size;
        let header = Header { version: 2, width: columns, height: rows };
        writeln!(f, "{}", serde_json::to_string(&header).map_err(|_| fmt::Error)?)?;
        self.written.iter().try_for_each(|(at, text)| {
            let at = (at * 1e3).round() / 1e3;
            writeln!(f, "{}", serde_json::to_string(&(at, "o", text)).map_err(|_| fmt::Error)?)
        })
    }
}
