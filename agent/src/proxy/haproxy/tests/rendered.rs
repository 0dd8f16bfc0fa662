//! The adapter and the configuration that Teal renders, together: the names and the log line they agree on.

use super::*;
use crate::proxy::haproxy::render::{
    EdgeComponent as Rendered, EdgeConfig, EdgeRoute, Endpoint, Form, Listener, ServerConnections, Timeouts,
    UserSource, render,
};
use std::collections::BTreeMap;
use teal_rollout::machine::event::Feed;
use teal_testkit::Answer;

#[tokio::test]
async fn two_components_move_in_one_order_and_each_request_is_told_apart() {
    let folder = teal_testkit::folder();
    let mut settings = settings(folder.path());
    settings.environment = "prod".into();
    let limits = settings.components[0].limits.clone();
    settings.components.push(EdgeComponent { name: "web".into(), limits, bad: BadWhen::default() });
    settings.master_socket = Some(folder.path().join("master.sock"));

    let mut backends = BTreeMap::new();
    for name in ["api-blue", "api-green", "web-blue", "web-green"] {
        backends.insert(name, Backend::start(name).await);
    }
    let component = |name: &str, paths: &[&str], routes: &[&str]| Rendered {
        name: name.into(),
        hosts: Vec::new(),
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        blue: vec![backends[format!("{name}-blue").as_str()].addr()],
        green: vec![backends[format!("{name}-green").as_str()].addr()],
        ready: "/healthz".into(),
        routes: routes.iter().map(|&path| EdgeRoute { name: path[1..].replace('/', "-"), path: path.into() }).collect(),
        ignore_paths: vec!["/healthz".into()],
    };
    let front = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let config = EdgeConfig {
        environment: settings.environment.clone(),
        listeners: vec![Listener { endpoint: Endpoint::Tcp(front), certificate: None }],
        map: settings.map.clone(),
        runtime_socket: settings.socket.clone(),
        admin_socket: folder.path().join("admin.sock"),
        master_socket: folder.path().join("master.sock"),
        socket_group: None,
        run_as: None,
        components: vec![component("api", &["/api"], &["/api/patients", "/api/visits"]), component("web", &[], &[])],
        user: UserSource::None,
        connections: ServerConnections::Kept,
        timeouts: Timeouts::default(),
    };
    map_file::write(&settings.map, &policy("v1:42.1.open:blue:blue:0:blue:blue:0:salt:0")).unwrap();
    let mut proxy = HaProxy::start(folder, &render(&config, Form::Whole).unwrap(), Mode::MasterWorker).await;

    let rig = Rig::start(&settings);
    let new = "v1:43.1.open:blue:green:100000:blue:green:100000:salt:0";
    rig.order(new, Direction::Forward).await;
    rig.settled("it runs and all are up", |r| {
        r.running == Some(policy(new))
            && r.feed == Feed::Live
            && r.backends.len() == 4
            && r.backends.iter().all(|b| b.up == 1)
    })
    .await;
    backends["web-green"].answer(Answer::Status(503));
    for path in ["/api/patients/7", "/api/visits", "/api/x", "/", "/healthz"] {
        teal_testkit::get(front, path).await.unwrap();
    }
    let seen = rig.wait_for_requests("four requests", |seen| seen.len() >= 4).await;
    let facts: Vec<_> = seen.iter().map(|o| (o.component, o.colour, o.release, o.group, o.bad)).collect();
    let green = |component, group, bad| (component, Colour::Green, 43, group, bad);
    assert_eq!(facts, [green(0, 1, false), green(0, 2, false), green(0, 0, false), green(1, 0, true)]);

    proxy.reload().await;
    let back = "v1:43.1.bad:blue:green:0:blue:green:0:salt:0";
    rig.order(back, Direction::Back).await;
    rig.settled("both hold it", |r| r.running == Some(policy(back)) && r.saved == Some(policy(back))).await;
    for (path, name) in [("/api/x", "api-blue"), ("/", "web-blue")] {
        assert_eq!(teal_testkit::get(front, path).await.unwrap().body, name);
    }
    assert_eq!(rig.handle().monitor().counters().garbled.get(), 0);
}
