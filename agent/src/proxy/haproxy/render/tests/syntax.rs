//! HAProxy takes every form of the text, without a warning.

use std::fs;

use teal_testkit::{Folder, check_files, folder};

use super::*;

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn users(folder: &Folder) -> Vec<UserSource> {
    let key = folder.path().join("key.pem");
    fs::write(&key, PUBLIC_KEY).unwrap();
    let jwt = |algorithm| UserSource::Jwt { claim: "sub".to_owned(), algorithm, key: key.clone() };
    vec![
        UserSource::None,
        UserSource::Cookie { name: "u_id-1".to_owned() },
        UserSource::Header { name: "X-User-Id".to_owned(), trusted: vec!["::1".parse().unwrap()] },
        jwt(JwtAlgorithm::Rs256),
        jwt(JwtAlgorithm::Es512),
    ]
}

/// Any public key: only its form is read here.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
";

async fn accepted(folder: &Folder, config: &EdgeConfig, form: Form, theirs: Option<&str>) {
    fs::write(&config.map, "").unwrap();
    let text = render(config, form).unwrap();
    assert!(!text.contains("{{"), "a gap was left:\n{text}");
    let ours = folder.path().join("ours.cfg");
    fs::write(&ours, &text).unwrap();
    let their_path = folder.path().join("theirs.cfg");
    let mut files = vec![ours.as_path()];
    if let Some(theirs) = theirs {
        fs::write(&their_path, theirs).unwrap();
        files.insert(0, &their_path);
    }
    if let Err(said) = check_files(&files).await {
        panic!("{said}\n{text}");
    }
}

const THEIRS: &str = "global
  stats socket /run/their.sock level admin
defaults
  mode http
  timeout client 1m
  timeout server 1m
  timeout connect 3s
frontend main
  bind 127.0.0.1:1234
  acl teal_policy path /theirs
  use_backend teal_prod_edge if { hdr(host) -i www.example.org }
  default_backend other
backend other
  server one 127.0.0.1:4321
";

#[tokio::test]
async fn haproxy_takes_each_user_source_in_each_form() {
    let folder = folder();
    for user in users(&folder) {
        let mut config = small(folder.path(), 8080, at(8100), at(8105));
        config.user = user;
        accepted(&folder, &config, Form::Whole, None).await;
        accepted(&folder, &config, Form::Fragment, Some(THEIRS)).await;
    }
}

#[tokio::test]
async fn haproxy_takes_three_components_with_every_gap_filled() {
    let folder = folder();
    let mut config = large();
    config.map = folder.path().join("prod.map");
    config.socket_group = Some("root".to_owned());
    config.run_as = Some(RunAs { user: "nobody".to_owned(), group: "root".to_owned() });
    accepted(&folder, &config, Form::Fragment, Some(THEIRS)).await;
    for address in ["0.0.0.0:8090", "[::]:8090", "[::1]:8091"] {
        let endpoint = Endpoint::Tcp(address.parse().unwrap());
        config.listeners.push(Listener { endpoint, certificate: None });
    }
    config.listeners.push(Listener { endpoint: Endpoint::Unix("/run/teal/in.sock".into()), certificate: None });
    accepted(&folder, &config, Form::Whole, None).await;
}

#[tokio::test]
async fn haproxy_takes_every_character_that_a_path_may_have() {
    let folder = folder();
    let mut config = small(folder.path(), 8080, at(8100), at(8105));
    let odd = "/a-._~!$&()*+,;=:@%20/{x}".replace(['{', '}'], "");
    config.components[0].ignore_paths = vec![odd.clone()];
    config.components[0].ready = odd.clone();
    config.components[0].paths = vec![odd.clone()];
    config.components[0].routes = vec![route("odd", &odd)];
    accepted(&folder, &config, Form::Whole, None).await;
}

#[tokio::test]
async fn two_fragments_stand_beside_each_other() {
    let folder = folder();
    let prod = small(folder.path(), 8080, at(8100), at(8105));
    let mut staging = small(folder.path(), 8081, at(8200), at(8205));
    staging.environment = "staging".to_owned();
    staging.listeners[0].endpoint = Endpoint::Abstract("teal-staging".to_owned());
    staging.runtime_socket = folder.path().join("staging.sock");
    fs::write(folder.path().join("theirs.cfg"), render(&prod, Form::Fragment).unwrap()).unwrap();
    accepted(&folder, &staging, Form::Fragment, Some(&render(&prod, Form::Fragment).unwrap())).await;
}

#[test]
fn the_text_of_three_components_is_the_golden_one() {
    insta::assert_snapshot!("whole", render(&large(), Form::Whole).unwrap());
    insta::assert_snapshot!("fragment", render(&large(), Form::Fragment).unwrap());
}
