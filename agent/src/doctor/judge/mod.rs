//! From facts to findings, a function a subject. Pure.

mod agent;
mod edge;
mod machine;

#[cfg(test)]
mod tests;

use super::{Facts, Finding};

/// The checks, in the order in which a person would want to read them: the agent and who is told, the edge, the machine.
const AGENT: [fn(&Facts) -> Finding; 6] =
    [machine::configuration, agent::agent, agent::version, agent::at_rest, agent::way_back, agent::told];
const EDGE: [fn(&Facts) -> Finding; 11] = [
    edge::program,
    edge::socket,
    edge::socket_rights,
    edge::configuration,
    edge::map,
    edge::reload,
    edge::second,
    edge::old_workers,
    edge::connections,
    agent::evidence,
    edge::queue,
];
const MACHINE: [fn(&Facts) -> Finding; 6] =
    [machine::state, machine::space, agent::open_files, machine::clock, machine::smoke, machine::certificates];

/// What the facts mean.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let edge: &[fn(&Facts) -> Finding] = if facts.has_proxy { &EDGE } else { &[] };
    let checks = AGENT.iter().chain(edge).chain(&MACHINE);
    let mut findings: Vec<Finding> = checks.map(|check| check(facts)).collect();
    findings.extend(machine::secrets(facts));
    findings
}
