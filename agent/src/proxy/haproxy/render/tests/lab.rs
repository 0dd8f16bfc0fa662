//! A rendered edge that runs: one scripted back end a colour, `api-blue`, `api-green`, and so on.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use teal_testkit::{Backend, Folder, HaProxy, Mode, Reply, Request, folder, free_port, runtime};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::*;

pub(super) struct Lab {
    pub(super) proxy: HaProxy,
    pub(super) config: EdgeConfig,
    pub(super) addr: SocketAddr,
    backends: BTreeMap<String, Backend>,
}

impl Lab {
    /// Starts the components, with `change` made to the configuration, and the map holding `policy` (or nothing).
    pub(super) async fn start(components: &[&str], policy: &str, change: impl FnOnce(&mut EdgeConfig)) -> Self {
        Self::start_as(Mode::Single, components, policy, change).await
    }

    pub(super) async fn start_as(
        mode: Mode,
        components: &[&str],
        policy: &str,
        change: impl FnOnce(&mut EdgeConfig),
    ) -> Self {
        let (folder, config, backends) = prepare(components, policy, change).await;
        let text = render(&config, Form::Whole).unwrap();
        let Endpoint::Tcp(addr) = config.listeners[0].endpoint else { panic!("the lab's clients come by TCP") };
        let proxy = HaProxy::start(folder, &text, mode).await;
        Self { proxy, config, addr, backends }
    }

    /// The same as a fragment behind a configuration of somebody else, whose frontend is where `addr` points.
    pub(super) async fn start_fragment(policy: &str) -> Self {
        let (folder, config, backends) = prepare(&["api"], policy, |_| {}).await;
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let theirs = format!(
            "defaults\n  mode http\n  timeout client 9s\n  timeout server 9s\n  timeout connect 1s\n\
             frontend main\n  bind {addr}\n  option forwardfor\n  use_backend teal_prod_edge if {{ path -m beg /api }}\n  \
             http-request return status 200 content-type text/plain string theirs unless {{ path -m beg /api }}\n"
        );
        let text = theirs + &render(&config, Form::Fragment).unwrap();
        let proxy = HaProxy::start(folder, &text, Mode::Single).await;
        Self { proxy, config, addr, backends }
    }

    /// Writes the running policy, as the agent does.
    pub(super) async fn policy(&self, value: &str) {
        let line = format!("set map {} policy {value}", self.config.map.display());
        assert_eq!(runtime(&self.config.runtime_socket, &line).await.unwrap().trim(), "");
    }

    pub(super) fn backend(&self, name: &str) -> &Backend {
        &self.backends[name]
    }

    /// Closes a back end's port and connections.
    pub(super) async fn stop(&mut self, name: &str) {
        self.backends.get_mut(name).unwrap().stop().await;
    }

    pub(super) async fn send(&self, request: Request) -> Reply {
        request.send(self.addr).await.unwrap()
    }

    /// The name of the back end that answers this path.
    pub(super) async fn who(&self, path: &str) -> String {
        self.send(Request::get(path)).await.body
    }

    /// The requests' log from now on.
    pub(super) async fn log(&self) -> Log {
        let mut stream = UnixStream::connect(&self.config.runtime_socket).await.unwrap();
        stream.write_all(b"show events teal_prod_log -w\n").await.unwrap();
        let mut log = Log(BufReader::new(stream));
        // What was logged before comes first; this marks its end.
        self.send(Request::new("DELETE".parse().unwrap(), "/marker")).await;
        while !log.next().await.ends_with(" DELETE") {}
        log
    }
}

async fn prepare(
    components: &[&str],
    policy: &str,
    change: impl FnOnce(&mut EdgeConfig),
) -> (Folder, EdgeConfig, BTreeMap<String, Backend>) {
    let folder = folder();
    let mut backends = BTreeMap::new();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut config = small(folder.path(), free_port(), nowhere, nowhere);
    config.components.clear();
    for name in components {
        let blue = Backend::start(&format!("{name}-blue")).await;
        let green = Backend::start(&format!("{name}-green")).await;
        config.components.push(component(name, blue.addr(), green.addr()));
        backends.insert(format!("{name}-blue"), blue);
        backends.insert(format!("{name}-green"), green);
    }
    change(&mut config);
    fs::write(&config.map, if policy.is_empty() { String::new() } else { format!("policy {policy}\n") }).unwrap();
    (folder, config, backends)
}

pub(super) struct Log(BufReader<UnixStream>);

impl Log {
    /// The next request's line.
    pub(super) async fn next(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(teal_testkit::PATIENCE, self.0.read_line(&mut line)).await;
            assert!(read.expect("a log line in time").unwrap() > 0, "the log ended");
            if line.starts_with("teal2 ") {
                return line.trim_end().to_owned();
            }
        }
    }

    /// The next line with what differs each time replaced by its name (-1 stays).
    pub(super) async fn next_untimed(&mut self) -> String {
        let line = self.next().await;
        let mut words: Vec<&str> = line.split(' ').collect();
        for (index, name) in [(1, "pid"), (7, "Ta"), (8, "Tw"), (9, "Tc"), (10, "Tr"), (14, "started"), (15, "ended")] {
            if words[index] != "-1" {
                assert!(words[index].parse::<u64>().is_ok(), "{line}");
                words[index] = name;
            }
        }
        words.join(" ")
    }
}

/// A file of the tests' own folder.
pub(super) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/proxy/haproxy/render/tests").join(name)
}
