//! What does not fit is refused with its field, its value and what would fit; it never becomes a directive.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::*;

fn check(change: impl FnOnce(&mut EdgeConfig), words: &str) {
    check_in(Form::Whole, change, words);
}

fn check_in(form: Form, change: impl FnOnce(&mut EdgeConfig), words: &str) {
    let mut config = large();
    change(&mut config);
    let error = render(&config, form).expect_err(words).to_string();
    assert!(error.contains(words), "{error}");
}

/// What could end a word, a line or a section of HAProxy's language, or a place in an expression.
const HOSTILE: [&str; 12] = ["a b", "a\nb", "a\tb", "a\"b", "a'b", "a\\b", "a#b", "a{b}", "", "\u{e9}", "a\rb", "a\0b"];

/// Puts a text into one field.
type Set = fn(&mut EdgeConfig, &str);

#[test]
fn no_hostile_text_gets_through_any_field() {
    let fields: [(&str, Set); 20] = [
        ("environment", |c, v| c.environment = v.to_owned()),
        ("map", |c, v| c.map = format!("/{v} ").into()),
        ("map", |c, v| c.map = v.into()),
        ("runtime_socket", |c, v| c.runtime_socket = v.into()),
        ("admin_socket", |c, v| c.admin_socket = v.into()),
        ("master_socket", |c, v| c.master_socket = v.into()),
        ("socket_group", |c, v| c.socket_group = Some(v.to_owned())),
        ("user", |c, v| c.run_as = Some(RunAs { user: v.to_owned(), group: "haproxy".to_owned() })),
        ("group", |c, v| c.run_as = Some(RunAs { user: "haproxy".to_owned(), group: v.to_owned() })),
        ("component", |c, v| c.components[0].name = v.to_owned()),
        ("host of api", |c, v| c.components[0].hosts.push(v.to_owned())),
        ("path of api", |c, v| c.components[0].paths.push(format!("/{v}\n"))),
        ("path of api", |c, v| c.components[0].ready = v.to_owned()),
        ("route of api", |c, v| c.components[0].routes[0].name = v.to_owned()),
        ("route's path of api", |c, v| c.components[0].routes[0].path = v.to_owned()),
        ("ignore_paths of api", |c, v| c.components[0].ignore_paths.push(v.to_owned())),
        ("certificate", |c, v| c.listeners[0].certificate = Some(v.into())),
        ("listener", |c, v| c.listeners[0].endpoint = Endpoint::Unix(v.into())),
        ("listener", |c, v| c.listeners[0].endpoint = Endpoint::Abstract(v.to_owned())),
        ("user cookie", |c, v| c.user = UserSource::Cookie { name: v.to_owned() }),
    ];
    for (field, set) in fields {
        for value in HOSTILE {
            check(|config| set(config, value), field);
        }
    }
    for value in HOSTILE {
        let (name, trusted) = (value.to_owned(), vec!["::1".parse().unwrap()]);
        check(|config| config.user = UserSource::Header { name, trusted }, "user header");
        let jwt = |claim: &str, key: &str| UserSource::Jwt {
            claim: claim.to_owned(),
            algorithm: JwtAlgorithm::Rs256,
            key: key.into(),
        };
        check(|config| config.user = jwt(value, "/key.pem"), "user claim");
        check(|config| config.user = jwt("sub", value), "key of the user's token");
    }
}

#[test]
fn a_message_names_field_value_and_what_fits() {
    let mut config = large();
    config.components[0].ignore_paths = vec!["/a\n  server evil 192.0.2.1:80".to_owned()];
    insta::assert_snapshot!(
        render(&config, Form::Whole).unwrap_err(),
        @r"ignore_paths of api `/a\n  server evil 192.0.2.1:80` does not fit: a path begins with / and has at most 500 letters, digits and -._~!$&()*+,;=:@%/ (no query)"
    );
}

#[test]
fn lists_have_their_limits_and_components_their_order() {
    check(|c| c.listeners.clear(), "listeners: 0 given, at least one is needed");
    check(|c| c.components.clear(), "components: 0 given");
    check(|c| c.components[1].green.clear(), "green servers of docs: 0 given");
    check(|c| c.components[0].routes = vec![route("r", "/r"); 33], "routes of api: 33 given, at most 32 fit");
    check(|c| c.components.reverse(), "component `docs` is out of order");
    check(|c| c.components[1].name = "api".to_owned(), "component `api` is out of order or there twice");
    check(|c| c.user = UserSource::Header { name: "X".to_owned(), trusted: vec![] }, "trusted proxies");
    check(|c| c.timeouts.server = Duration::ZERO, "timeout server `0ns` does not fit: from 1 ms to 1 day");
    check(|c| c.timeouts.hard_stop_after = Duration::from_hours(25), "hard_stop_after");
    check(|c| c.components[0].blue[0].set_port(0), "server of api `127.0.0.1:0`");
}

#[test]
fn two_components_cannot_answer_the_same() {
    check(|c| c.components[0].paths.clear(), "`api` and `web` both answer everything");
    check(|c| c.components[2].paths = vec!["/x".to_owned(), "/api".to_owned()], "`api` and `web` both answer /api");
    check(
        |c| c.components[2].hosts = vec!["help.example.org".to_owned()],
        "`docs` and `web` both answer help.example.org",
    );
}

#[test]
fn a_fragment_is_not_open_to_the_network() {
    let listen = |address: SocketAddr| move |c: &mut EdgeConfig| c.listeners[0].endpoint = Endpoint::Tcp(address);
    check_in(Form::Fragment, listen((Ipv4Addr::UNSPECIFIED, 80).into()), "not on `0.0.0.0:80`");
    check_in(Form::Fragment, listen(([192, 0, 2, 1], 80).into()), "not on `192.0.2.1:80`");
    check_in(Form::Fragment, |c| c.listeners.push(c.listeners[0].clone()), "listeners: 2 given, a fragment has one");
    check_in(Form::Fragment, |c| c.listeners[0].certificate = Some("/a.pem".into()), "not on `/a.pem`");
}

#[test]
fn a_range_of_addresses_is_read_exactly() {
    for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "192.0.2.1", "::1"] {
        assert!(text.parse::<Cidr>().is_ok(), "{text}");
    }
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/-1", "a/8", "1.2.3.4\n/8", "/"] {
        assert!(text.parse::<Cidr>().is_err(), "{text}");
    }
}
