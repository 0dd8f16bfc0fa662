//! The site of the tests.

use teal_rollout::settings::Mode;

use super::{Site, Tells};

/// Two components, with somebody who is told.
pub(super) fn site() -> Site {
    Site {
        app: "shop".into(),
        environment: "prod".into(),
        host: "edge1".into(),
        configuration: Some("/etc/teal/teal.toml".into()),
        mode: Mode::Act,
        has_proxy: true,
        map: "/etc/haproxy/teal/prod.map".into(),
        socket: "/run/haproxy/teal.sock".into(),
        components: vec!["api".into(), "web".into()],
        url: Some("http://127.0.0.1:8080/".into()),
        tells: Tells::Command(vec!["/usr/local/bin/ntfy-send".into(), "night shift".into()]),
        cluster: None,
    }
}
