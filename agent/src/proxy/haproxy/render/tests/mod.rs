//! The rendered text: as a golden file, before `haproxy -c`, and with requests through a real HAProxy.

mod connections;
mod lab;
mod leaving;
mod log;
mod refused;
mod routing;
mod share;
mod syntax;

use std::net::SocketAddr;
use std::path::Path;

use super::*;

/// One component `api` behind one server a colour on loopback, all files in `folder`.
fn small(folder: &Path, port: u16, blue: SocketAddr, green: SocketAddr) -> EdgeConfig {
    EdgeConfig {
        environment: "prod".to_owned(),
        listeners: vec![Listener { endpoint: Endpoint::Tcp(([127, 0, 0, 1], port).into()), certificate: None }],
        map: folder.join("prod.map"),
        runtime_socket: folder.join("teal.sock"),
        admin_socket: folder.join("admin.sock"),
        master_socket: folder.join("master.sock"),
        socket_group: None,
        run_as: None,
        components: vec![component("api", blue, green)],
        user: UserSource::Cookie { name: "uid".to_owned() },
        connections: ServerConnections::Kept,
        timeouts: Timeouts::default(),
    }
}

fn component(name: &str, blue: SocketAddr, green: SocketAddr) -> EdgeComponent {
    EdgeComponent {
        name: name.to_owned(),
        hosts: Vec::new(),
        paths: Vec::new(),
        blue: vec![blue],
        green: vec![green],
        ready: "/healthz".to_owned(),
        routes: Vec::new(),
        ignore_paths: vec!["/healthz".to_owned()],
    }
}

fn route(name: &str, path: &str) -> EdgeRoute {
    EdgeRoute { name: name.to_owned(), path: path.to_owned() }
}

/// Three components with every gap of the templates filled.
fn large() -> EdgeConfig {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut config = small(Path::new("/run/teal"), 8443, at(8100), at(8105));
    config.map = "/etc/haproxy/teal/prod.map".into();
    config.socket_group = Some("teal".to_owned());
    config.user = UserSource::Header {
        name: "X-User-Id".to_owned(),
        trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap(), "192.0.2.1".parse().unwrap()],
    };
    let api = &mut config.components[0];
    api.ignore_paths.push("/metrics".to_owned());
    api.paths = vec!["/api".to_owned(), "/static/api/".to_owned()];
    api.blue.push(at(8101));
    api.routes = vec![route("patients", "/api/v1/patients"), route("one", "/api/v1/patients/1"), route("all", "/api")];
    let mut docs = component("docs", at(8120), "[::1]:8125".parse().unwrap());
    docs.hosts = vec!["docs.example.org".to_owned(), "help.example.org".to_owned()];
    config.components.extend([docs, component("web", at(8110), at(8115))]);
    config
}
