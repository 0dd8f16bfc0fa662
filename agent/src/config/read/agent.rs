//! `[agent]`: everything in one, or an observer alone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::super::observing::{AgentRole, Observer};
use super::super::section::Section;
use super::super::types::Agent;
use super::upstream::{Kind, problem};

/// Keys of an observer.
const OF_OBSERVERS: [&str; 6] = ["name", "node", "report_to", "token_file", "ca_file", "insecure_http"];

pub(super) fn read(section: Section<'_>, state: &Path) -> Agent {
    let agent = Agent {
        socket: section.or("socket", state.join("agent.sock")),
        listen: section.or("listen", SocketAddr::from(([127, 0, 0, 1], 9180))),
        observer: observer(&section),
    };
    section.finish();
    agent
}

fn observer(section: &Section<'_>) -> Option<Observer> {
    let roles: Vec<AgentRole> = section.or("roles", AgentRole::ALL.map(|(_, role)| role).to_vec());
    let is_all = AgentRole::ALL.iter().all(|(_, role)| roles.contains(role));
    // A wrong word was reported, and stands for all.
    let is_observer = !roles.is_empty() && roles.iter().all(|role| *role == AgentRole::Observer);
    if !is_all && !is_observer {
        let message = "these do not go together: an agent is \"controller\", \"edge\" and \"observer\" in one (leave `roles` away), or \
                       \"observer\" alone, on a node";
        section.error("roles", message);
    }
    if !is_observer {
        for key in OF_OBSERVERS.into_iter().filter(|key| section.has(key)) {
            section.error(key, format!("`{key}` is for an observer: add `roles = [\"observer\"]`, or leave it away"));
        }
        return None;
    }
    let observer = Observer {
        roles: vec![AgentRole::Observer],
        name: section.optional("name"),
        node: section.optional("node"),
        report_to: section.required("report_to", "[\"https://edge.internal:9464\"]"),
        token_file: section.required::<PathBuf>("token_file", "\"/etc/teal/edges/token\""),
        ca_file: section.optional("ca_file"),
        insecure_http: section.or("insecure_http", false),
    };
    if section.has("report_to") && observer.report_to.is_empty() {
        section.error("report_to", "this names no edge: write for instance \"https://edge.internal:9464\"");
    }
    for address in &observer.report_to {
        if let Some(problem) = problem(address, &Kind::OBSERVER, observer.insecure_http) {
            section.error("report_to", problem);
        }
    }
    for (key, name) in [("name", &observer.name), ("node", &observer.node)] {
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if name.as_ref().is_some_and(|name| name.len() > 253 || !is_name(name)) {
            section.error(key, "this must be a node's name: letters, digits, `.`, `_` and `-`, at most 253");
        }
    }
    Some(observer)
}
