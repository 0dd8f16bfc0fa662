//! `notify.command`: a program started for each message, with the message on its standard input and in `TEAL_*`.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::DeliveryError;
use super::message::Message;
use super::settings::CommandSettings;

/// What is kept of the program's standard error while it runs.
const TAIL: usize = 4096;

/// Runs the program to its end, or kills it and everything it started in its process group.
pub(super) async fn run(settings: &CommandSettings, message: &Message) -> Result<(), DeliveryError> {
    let (program, limit) = (settings.program.clone(), settings.limit);
    let variables = message.fields().into_iter();
    let spawned = Command::new(&program)
        .args(&settings.arguments)
        .envs(variables.map(|(name, value)| (format!("TEAL_{}", name.to_uppercase()), value.to_string())))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Err(DeliveryError::Start { program, error }),
    };
    // After `child`, so that it is dropped first: as long as the child is not reaped its group's id is not reused.
    let mut group = Group::of(&child);
    let ended = timeout(limit, attend(&mut child, &message.to_json())).await;
    match ended {
        Ok(Ok((status, stderr))) => {
            group.release();
            if status.success() { Ok(()) } else { Err(DeliveryError::Command { program, status, stderr }) }
        }
        Ok(Err(error)) => Err(DeliveryError::Start { program, error }),
        Err(_) => Err(DeliveryError::CommandTimedOut { program, limit }),
    }
}

/// Feeds the child and listens to it until it ends; returns its status and the last line of its standard error.
async fn attend(child: &mut Child, json: &str) -> std::io::Result<(ExitStatus, String)> {
    if let Some(mut stdin) = child.stdin.take() {
        // A program that takes all it needs from its environment may have closed it.
        let _ = stdin.write_all(format!("{json}\n").as_bytes()).await;
    }
    let mut tail = Vec::new();
    let Some(mut stderr) = child.stderr.take() else { return Ok((child.wait().await?, String::new())) };
    let status = tokio::select! {
        status = child.wait() => status?,
        () = listen(&mut stderr, &mut tail) => child.wait().await?,
    };
    // What it said last may still be in the pipe, and something it left behind may hold the pipe open.
    let _ = timeout(Duration::from_millis(100), listen(&mut stderr, &mut tail)).await;
    Ok((status, last_line(&tail)))
}

/// Reads to the end and keeps the last [`TAIL`] bytes or a few more; may be cancelled and taken up again.
async fn listen(stderr: &mut ChildStderr, tail: &mut Vec<u8>) {
    while stderr.read_buf(tail).await.is_ok_and(|read| read > 0) {
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
}

fn last_line(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().chars().take(200).collect()
}

/// Kills the process group when dropped, unless released: a time-out, and the end of the agent.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn release(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails when all of the group has ended by itself, which is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
