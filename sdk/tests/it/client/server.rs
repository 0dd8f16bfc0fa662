//! A flag service in small, which holds a document, and misbehaves as it is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How a resource answers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// As a good service.
    Well,
    /// With this head (without its final empty line) and body, and the end.
    Say(&'static str, String),
    /// The same, and then nothing for ever.
    SayAndHang(&'static str, String),
    /// The same, and then a byte each few milliseconds for ever.
    Drip(&'static str, String),
    /// Takes the request and never answers.
    Hang,
}

pub(super) const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream";
pub(super) const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json";

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// By lower-case name.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

#[derive(Debug)]
struct State {
    document: Value,
    /// The last change, for streams that are open.
    change: Option<Value>,
    answers: BTreeMap<&'static str, Answer>,
    token: Option<String>,
    seen: Vec<Seen>,
}

/// The service.
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    changes: watch::Sender<u64>,
    task: Option<JoinHandle<()>>,
}

/// A document with the flag `x`, on or off.
pub(super) fn document(instance: &str, revision: u64, on: bool) -> Value {
    json!({"format": 1, "instance": instance, "revision": revision, "flags": [{"name": "x", "enabled": on}]})
}

impl Server {
    /// Serves `x`, which is on, at revision 5 of instance `a`.
    pub(super) async fn start() -> Self {
        let mut server = Self::dead();
        server.revive().await;
        server
    }

    /// The same, not yet started.
    pub(super) fn dead() -> Self {
        let state = State {
            document: document("a", 5, true),
            change: None,
            answers: BTreeMap::new(),
            token: None,
            seen: Vec::new(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], teal_testkit::free_port()));
        Self { address, state: Arc::new(Mutex::new(state)), changes: watch::Sender::new(0), task: None }
    }

    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn revive(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let (state, changes) = (self.state.clone(), self.changes.clone());
        self.task = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve(socket, state.clone(), changes.subscribe()));
            }
        }));
    }

    /// Breaks all connections and takes no new ones.
    pub(super) async fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Replaces what the service holds; open streams do not hear of it.
    pub(super) fn hold(&self, document: Value) {
        self.state.lock().unwrap().document = document;
    }

    /// Sends a change to the open streams; null is a heartbeat.
    pub(super) fn push(&self, change: Value) {
        self.state.lock().unwrap().change = Some(change);
        self.changes.send_modify(|count| *count += 1);
    }

    /// How `stream`, `snapshot` or `exposures` answers from now on.
    pub(super) fn answer(&self, resource: &'static str, answer: Answer) {
        self.state.lock().unwrap().answers.insert(resource, answer);
    }

    /// Only who has this token is served.
    pub(super) fn require(&self, token: &str) {
        self.state.lock().unwrap().token = Some(token.into());
    }

    /// How many streams are open.
    pub(super) fn listeners(&self) -> usize {
        self.changes.receiver_count()
    }

    /// The requests for a resource.
    pub(super) fn seen(&self, resource: &str) -> Vec<Seen> {
        let state = self.state.lock().unwrap();
        let path = format!("/api/v1/feature-flags/{resource}");
        state.seen.iter().filter(|seen| seen.path.split('?').next() == Some(&path)).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>, changes: watch::Receiver<u64>) {
    let Some(seen) = request(&mut socket).await else { return };
    let resource = seen.path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
    let (answer, allowed) = {
        let mut state = state.lock().unwrap();
        let given = seen.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let allowed = state.token.as_deref().is_none_or(|token| given == Some(token));
        state.seen.push(seen.clone());
        (state.answers.get(&*resource).cloned().unwrap_or(Answer::Well), allowed)
    };
    // A client that has gone away is its own business.
    let _ = match answer {
        _ if !allowed => say(&mut socket, "HTTP/1.1 401 Unauthorized", "").await,
        Answer::Well => well(&mut socket, &resource, &seen, &state, changes).await,
        Answer::Say(head, body) => say(&mut socket, head, &body).await,
        Answer::SayAndHang(head, body) => {
            let _ = say(&mut socket, head, &body).await;
            until_closed(&mut socket).await
        }
        Answer::Drip(head, body) => drip(&mut socket, head, &body).await,
        Answer::Hang => until_closed(&mut socket).await,
    };
}

async fn request(socket: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(head + 4);
    let text = String::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { method, path, headers, body: String::from_utf8(body).ok()? })
}

async fn say(socket: &mut TcpStream, head: &str, body: &str) -> std::io::Result<()> {
    socket.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).await
}

async fn until_closed(socket: &mut TcpStream) -> std::io::Result<()> {
    while socket.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

async fn drip(socket: &mut TcpStream, head: &str, body: &str) -> std::io::Result<()> {
    say(socket, head, body).await?;
    loop {
        socket.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

async fn well(
    socket: &mut TcpStream,
    resource: &str,
    seen: &Seen,
    state: &Mutex<State>,
    mut changes: watch::Receiver<u64>,
) -> std::io::Result<()> {
    let document = state.lock().unwrap().document.clone();
    let at = format!("{}:{}", document["instance"].as_str().unwrap_or_default(), document["revision"]);
    match resource {
        "stream" => {
            let up_to_date = seen.headers.get("last-event-id") == Some(&at);
            let first = if up_to_date { ": up to date\n\n".into() } else { event("snapshot", &document) };
            say(socket, STREAM, &first).await?;
            // A change that was pushed while the client was between two streams is not lost.
            let change = || state.lock().unwrap().change.clone().filter(Value::is_object);
            let mut text = change().map(|change| event("delta", &change)).unwrap_or_default();
            loop {
                socket.write_all(text.as_bytes()).await?;
                if changes.changed().await.is_err() {
                    return Ok(());
                }
                text = change().map_or_else(|| ": ping\n\n".into(), |change| event("delta", &change));
            }
        }
        "snapshot" if seen.headers.get("if-none-match") == Some(&format!("\"{at}\"")) => {
            say(socket, "HTTP/1.1 304 Not Modified", "").await
        }
        "snapshot" => {
            let text = document.to_string();
            let head = format!("{JSON}\r\nETag: \"{at}\"\r\nContent-Length: {}", text.len());
            say(socket, &head, &text).await
        }
        "exposures" => say(socket, "HTTP/1.1 202 Accepted\r\nContent-Length: 0", "").await,
        _ => say(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0", "").await,
    }
}
