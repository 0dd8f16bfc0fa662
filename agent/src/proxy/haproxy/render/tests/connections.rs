//! Which process answers where an address outlives the processes behind it.

use std::fs;
use std::sync::{Arc, Mutex};

use teal_testkit::{Client, HaProxy, Mode, Request, folder};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;

/// A node port: each connection goes to the Pod that is behind it when it is opened, and stays there.
async fn node_port(listener: TcpListener, pod: Arc<Mutex<&'static str>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let name = *pod.lock().unwrap();
        connections.spawn(answer(stream, name));
    }
}

async fn answer(stream: TcpStream, name: &str) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
            writing.write_all(answer.as_bytes()).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_node_port_s_new_pod_is_asked_at_once_and_no_connection_to_the_old_one_is_kept() {
    let check = async |connections: ServerConnections, expected: [&str; 3]| {
        let folder = folder();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, pod) = (listener.local_addr().unwrap(), Arc::new(Mutex::new("old")));
        let _port = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(node_port(listener, Arc::clone(&pod))));
        let front = teal_testkit::free_port();
        let mut config = small(folder.path(), front, at, at);
        config.connections = connections;
        fs::write(&config.map, "policy v1:7.1.open:blue:blue:0:r-7:0\n").unwrap();
        let _proxy = HaProxy::start(folder, &render(&config, Form::Whole).unwrap(), Mode::Single).await;
        // The same client all the time, and one that comes later.
        let mut client = Client::connect(([127, 0, 0, 1], front).into()).await.unwrap();
        let before = client.send(Request::get("/")).await.unwrap().body;
        *pod.lock().unwrap() = "new";
        let after = client.send(Request::get("/")).await.unwrap().body;
        let another = Request::get("/").send(([127, 0, 0, 1], front).into()).await.unwrap().body;
        assert_eq!([before.as_str(), after.as_str(), another.as_str()], expected, "{connections:?}");
    };
    check(ServerConnections::Fresh, ["old", "new", "new"]).await;
    check(ServerConnections::Kept, ["old", "old", "new"]).await;
}
