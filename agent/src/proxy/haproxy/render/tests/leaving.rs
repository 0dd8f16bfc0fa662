//! What `teal leave` writes: taken by HAProxy, without a map, and serving as before.

use std::fs;

use teal_testkit::{HaProxy, Mode, Request, check_files, folder};

use super::lab::Lab;
use super::*;

#[tokio::test]
async fn haproxy_takes_it_whole_and_beside_another_one() {
    let folder = folder();
    let mut config = large();
    config.listeners[0].endpoint = Endpoint::Tcp(([127, 0, 0, 1], 8443).into());
    config.admin_socket = folder.path().join("admin.sock");
    let colours = [Colour::Green, Colour::Blue, Colour::Green];
    let theirs = folder.path().join("theirs.cfg");
    let frontend =
        "frontend main\n  bind 127.0.0.1:1234\n  use_backend teal_prod_edge if { hdr(host) -i www.example.org }\n";
    let defaults = "defaults\n  mode http\n  timeout client 1m\n  timeout server 1m\n  timeout connect 3s\n";
    fs::write(&theirs, format!("{defaults}{frontend}")).unwrap();
    let ours = folder.path().join("ours.cfg");
    for (form, files) in [(Form::Whole, vec![ours.as_path()]), (Form::Fragment, vec![theirs.as_path(), ours.as_path()])]
    {
        let text = leave(&config, form, &colours).unwrap();
        assert!(!text.contains("{{"), "a gap was left:\n{text}");
        fs::write(&ours, &text).unwrap();
        check_files(&files).await.unwrap_or_else(|said| panic!("{said}\n{text}"));
        for absent in ["map(", "\nring ", "level operator", "teal_prod_api_blue", "teal_prod_docs_green", "log-format"]
        {
            assert!(!text.contains(absent), "`{absent}` is in\n{text}");
        }
    }
}

#[tokio::test]
async fn it_serves_the_colours_that_were_named_with_no_map_there() {
    let paths = |config: &mut EdgeConfig| config.components[0].paths = vec!["/api".to_owned()];
    let policy = "v1:3.1.open:blue:green:100000:blue:blue:0:s:0";
    let lab = Lab::start(&["api", "web"], policy, paths).await;
    let before = (lab.who("/api").await, lab.who("/").await);
    assert_eq!((before.0.as_str(), before.1.as_str()), ("api-green", "web-blue"));
    let mut config = lab.config.clone();
    let folder = folder();
    let port = teal_testkit::free_port();
    config.listeners[0].endpoint = Endpoint::Tcp(([127, 0, 0, 1], port).into());
    config.admin_socket = folder.path().join("admin.sock");
    config.map = "/nowhere/prod.map".into();
    let text = leave(&config, Form::Whole, &[Colour::Green, Colour::Blue]).unwrap();
    let _without = HaProxy::start(folder, &text, Mode::Single).await;
    let ask = async |path: &str| Request::get(path).send(([127, 0, 0, 1], port).into()).await.unwrap();
    assert_eq!(ask("/api/x").await.body, "api-green");
    assert_eq!(ask("/").await.body, "web-blue");
}

#[test]
fn a_colour_for_each_component_is_needed() {
    let error = leave(&large(), Form::Whole, &[Colour::Blue]).unwrap_err().to_string();
    assert_eq!(error, "colours: 1 given, one a component is needed");
}
