//! A shim's socket: tells every visitor who the shim is and how its instance is, and takes orders to stop.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{StopRequest, request_stop};
use crate::platform::local::protocol::{Hello, Message, Request, State, line};

/// How long visitors have to take the last word before the shim ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// The server; it ends when the sender of the state is dropped.
pub(super) struct Server(JoinHandle<()>);

impl Server {
    /// Waits until every visitor has got the last state.
    pub(super) async fn finish(self) {
        let _in_time = tokio::time::timeout(FAREWELL, self.0).await;
    }
}

pub(super) fn spawn(
    listener: UnixListener,
    hello: Hello,
    mut state: watch::Receiver<State>,
    stop: StopRequest,
) -> Server {
    Server(tokio::spawn(async move {
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                visitor = listener.accept() => match visitor {
                    Ok((stream, _)) => {
                        visits.spawn(visit(stream, hello.clone(), state.clone(), stop.clone()));
                    }
                    // Out of file descriptors: try again when there may be some.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(_) = visits.join_next() => {}
                closed = state.changed() => if closed.is_err() { break },
            }
        }
        visits.join_all().await;
    }))
}

async fn visit(stream: UnixStream, hello: Hello, state: watch::Receiver<State>, stop: StopRequest) {
    let (read, write) = stream.into_split();
    let _either_may_leave = tokio::select! {
        told = tell(write, hello, state) => told,
        heard = hear(read, stop) => heard,
    };
}

async fn tell(mut write: OwnedWriteHalf, hello: Hello, mut state: watch::Receiver<State>) -> io::Result<()> {
    write.write_all(&line(&Message::Hello(hello))?).await?;
    state.mark_changed();
    while state.changed().await.is_ok() {
        let now = state.borrow_and_update().clone();
        write.write_all(&line(&Message::State(now))?).await?;
    }
    Ok(())
}

/// Returns when the visitor has left. What it says that is no order is passed over.
async fn hear(read: OwnedReadHalf, stop: StopRequest) -> io::Result<()> {
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        if let Ok(Request::Stop { grace_ms }) = serde_json::from_str(&line) {
            request_stop(&stop, Duration::from_millis(grace_ms));
        }
    }
    Ok(())
}
