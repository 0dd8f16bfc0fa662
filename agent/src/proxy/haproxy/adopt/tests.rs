//! What is put where, and what is asked instead of guessed.

use std::time::Duration;

use super::*;

const SITES: &str = "global
    maxconn 2000

defaults
    mode http
    timeout client 30s

frontend plain
    bind :80
    redirect scheme https

frontend web
    bind :443 ssl crt /etc/haproxy/certs/
    acl shop hdr(host) -i shop.example
    # the blog
    use_backend blog if { hdr(host) -i blog.example }
    use_backend shop if shop
    default_backend blog

listen database
    mode tcp
    bind 127.0.0.1:5432
    server one 192.0.2.10:5432

backend blog
    server one 192.0.2.11:80
backend shop
    server one 192.0.2.12:80
";

fn at(port: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn shop() -> EdgeComponent {
    EdgeComponent {
        name: "app".to_owned(),
        hosts: vec!["shop.example".to_owned()],
        paths: Vec::new(),
        blue: vec![at(8100)],
        green: vec![at(8105)],
        ready: "/healthz".to_owned(),
        routes: Vec::new(),
        ignore_paths: Vec::new(),
    }
}

fn wanted(components: &[EdgeComponent]) -> Wanted<'_> {
    let hard_stop_after = Duration::from_secs(60);
    Wanted { environment: "prod", components, site: None, hard_stop_after, frontend: None }
}

/// The lines that are new, each with the line before it.
fn added<'a>(before: &str, after: &'a str) -> Vec<(&'a str, &'a str)> {
    let lines: Vec<&str> = after.lines().collect();
    let mut old = before.lines().peekable();
    let mut added = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if old.peek() == Some(line) {
            old.next();
        } else {
            added.push((if index == 0 { "" } else { lines[index - 1] }, *line));
        }
    }
    assert_eq!(old.next(), None, "no line of theirs is changed:\n{after}");
    added
}

#[test]
fn one_line_in_the_frontend_that_names_the_host_and_one_in_global_are_all() {
    let adopted = adopt(SITES, &wanted(&[shop()])).unwrap();
    assert_eq!(adopted.frontend, "web");
    let rule = "    use_backend teal_prod_edge if { req.hdr(host),host_only -m str -i shop.example }";
    let acl = "    acl shop hdr(host) -i shop.example";
    assert_eq!(added(SITES, &adopted.text), [("    maxconn 2000", "    hard-stop-after 60s"), (acl, rule)]);
    // What is there is not put there again.
    assert_eq!(adopt(&adopted.text, &wanted(&[shop()])), Ok(adopted));
}

#[test]
fn a_path_that_no_component_answers_stays_with_them() {
    let with = |name: &str, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        EdgeComponent { name: name.to_owned(), paths, ..shop() }
    };
    let check = |components: &[EdgeComponent], rules: &[&str]| {
        assert_eq!(super::rules(&wanted(components)).unwrap(), rules);
    };
    let host = "use_backend teal_prod_edge if { req.hdr(host),host_only -m str -i shop.example }";
    let api = format!("{host} {{ path,concat(/) -m beg /api/ }}");
    check(&[with("api", &["/api"])], &[&api]);
    let assets = format!("{host} {{ path -m beg /assets/ }}");
    check(&[with("api", &["/api"]), with("web", &["/assets/"])], &[&api, &assets]);
    check(&[with("api", &["/api"]), with("web", &[])], &[host]);
    check(&[with("api", &[]), with("web", &["/web"])], &[host]);
}

#[test]
fn what_is_not_plain_is_asked() {
    let check = |theirs: &str, change: &dyn Fn(&mut Wanted<'_>), said: &str| {
        let components = [shop()];
        let mut wanted = wanted(&components);
        change(&mut wanted);
        let error = adopt(theirs, &wanted).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    check("", &|_| {}, "no frontend in `mode http`");
    check("frontend db\n  bind :1\n  default_backend x\n", &|_| {}, "no frontend in `mode http`");
    let second = SITES.replace(
        "backend shop\n",
        "frontend lan\n  bind :81\n  use_backend x if { hdr(host) Shop.Example }\n\nbackend shop\n",
    );
    check(&second, &|_| {}, "users of shop.example come in by? web, lan: --frontend NAME");
    check(
        SITES,
        &|wanted| wanted.frontend = Some("database"),
        "there is none of this name in `mode http`; there are: plain, web",
    );
    let everything = [EdgeComponent { hosts: vec![], ..shop() }];
    let error = adopt(SITES, &wanted(&everything)).unwrap_err().to_string();
    assert!(error.contains("set environments.prod.url, or `hosts` in [components.app]"), "{error}");
    let site = Wanted { site: Some("shop.example"), ..wanted(&everything) };
    assert_eq!(adopt(SITES, &site), adopt(SITES, &wanted(&[shop()])));
    assert_eq!(adopt(&second, &Wanted { frontend: Some("lan"), ..wanted(&[shop()]) }).unwrap().frontend, "lan");
}

#[test]
fn odd_layouts_are_read_as_haproxy_reads_them() {
    let check = |theirs: &str, new: &[(&str, &str)]| {
        let adopted = adopt(theirs, &wanted(&[shop()])).unwrap();
        assert_eq!(added(theirs, &adopted.text), new, "{theirs}");
    };
    let rule = "use_backend teal_prod_edge if { req.hdr(host),host_only -m str -i shop.example }";
    // Sections without indentation, a mode of named defaults, no global, a stop that is there.
    let bare =
        "defaults d\nmode http\ndefaults e\nmode tcp\nfrontend f from d\nbind :80\ndefault_backend b # frontend\n";
    check(
        bare,
        &[("", "global"), ("global", "  hard-stop-after 60s"), ("  hard-stop-after 60s", ""), ("bind :80", rule)],
    );
    let stop = "global\n\thard-stop-after 5m\nfrontend f\n\tmode http\n\tdefault_backend b\n";
    let indented = format!("\t{rule}");
    check(stop, &[("\tmode http", &indented)]);
    let empty = "global\n\nfrontend f\n mode http\n default_backend b\n";
    check(empty, &[("global", "  hard-stop-after 60s"), (" mode http", &format!(" {rule}"))]);
}
