//! What keeps an agent or the demo from starting.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use super::Shop;
use crate::said;

/// An agent that runs until it is dropped.
struct Agent(Child);

impl Agent {
    async fn start(shop: &Shop) -> Self {
        Self::start_in(shop, "state").await
    }

    async fn start_in(shop: &Shop, state: &str) -> Self {
        let agent = Self(said::command(shop.folder.path(), &["agent"]).stderr(Stdio::null()).spawn().unwrap());
        let socket = shop.path(state).join("agent.sock");
        teal_testkit::until("the agent listens", || {
            let there = std::os::unix::net::UnixStream::connect(&socket).is_ok();
            async move { there.then_some(()) }
        })
        .await;
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The only thing an agent that could not start may leave is its own empty state.
fn nothing_but_state(shop: &Shop) {
    let left = shop.left();
    assert!(left.iter().all(|name| name == "state" || name.ends_with(".lock")), "{left:?}");
}

#[test]
fn an_address_in_use_is_named() {
    let shop = Shop::new();
    let _squatter = TcpListener::bind(("127.0.0.1", shop.listen())).unwrap();
    let words = format!("cannot listen on 127.0.0.1:{}: Address already in use", shop.listen());
    shop.teal(&["agent"]).expect(1, &[&words, "set `agent.listen` to a free address"]);
    nothing_but_state(&shop);
}

#[tokio::test]
async fn a_second_agent_is_told_who_the_first_is() {
    let shop = Shop::new();
    let first = Agent::start(&shop).await;
    let pid = format!("pid {}", first.0.id());
    shop.teal(&["agent"]).expect(1, &["another agent runs on", &pid, "`teal status` talks to it"]);
    // Another state, the same HAProxy.
    let listen = teal_testkit::free_port().to_string();
    shop.configure(|text| text.replace("/state\"", "/other\"").replace(&shop.listen().to_string(), &listen));
    shop.teal(&["agent"])
        .expect(1, &["edge.map.lock is already driven by another agent", &pid, "give this one its own map"]);
    drop(first);
    let _second = Agent::start_in(&shop, "other").await;
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let shop = Shop::new();
    std::fs::write(shop.path("state"), "a file").unwrap();
    shop.teal(&["agent"]).expect(1, &["cannot use the state folder", "set `state` to a folder this user may write"]);
    assert_eq!(shop.left(), ["state"]);
}

#[test]
fn a_haproxy_that_is_missing_too_old_or_none_is_told_with_the_way_out() {
    let shop = Shop::new();
    let fake = |name: &str, line: &str| {
        let path = shop.path(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{line}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let old = fake("old", "HAProxy version 2.4.22 2023/02/14 - https://haproxy.org/");
    let other = fake("other", "nginx version: nginx/1.22.1");
    let check = |path: &str, words: &[&str]| {
        let said = shop.teal(&["demo", "--haproxy", path]);
        said.expect(1, words);
    };
    check("/nonexistent", &["cannot run /nonexistent", "sudo apt install haproxy"]);
    check(&old, &["is HAProxy 2.4.22, and 2.6 or newer is needed", "--haproxy PATH"]);
    check(&other, &["is not HAProxy"]);
}
