//! `teal deploy --plan`: everything a release would do, in order, and what only the agent knows.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use serde::Serialize;
use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::{Epoch, Policy, Route, Verdict};
use teal_rollout::retention::Replicas;
use teal_rollout::settings::{Mode, OnUnknown};

use super::criteria::judged;
use super::words::clock;
use crate::api::{ReleaseId, Status, Versions};
use crate::config::{Component, Environment, Runs, Workload};

/// What a release would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Where.
    pub environment: String,
    /// What.
    pub versions: Versions,
    /// What only the agent knows, and what is assumed instead.
    pub unknown: Vec<String>,
    /// In order.
    pub steps: Vec<Step>,
    /// What `teal rollback` would write, at any time after the switch.
    pub undo: String,
}

/// One step of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `start`, `ready`, `smoke`, `switch`, ...
    pub name: String,
    /// The commands, map lines and rules.
    pub lines: Vec<String>,
}

/// Plans a release of `versions` from the configuration and what the agent says, if it does.
#[must_use]
pub fn plan(name: &str, environment: &Environment, versions: &Versions, status: Option<&Status>) -> Plan {
    let serving = serving(environment, status);
    let mut unknown = Vec::new();
    if status.is_none() {
        unknown.push("no agent answers: which colour serves (blue is assumed) and the release's number".to_owned());
    }
    let release = status.and_then(|status| status.release).map_or(1, |ReleaseId(last)| last + 1);
    let idle: BTreeMap<&str, Colour> =
        versions.keys().map(|component| (component.as_str(), serving[component.as_str()].other())).collect();
    let policy = |step, verdict, share| {
        let route = |component: &&str| match idle.get(component) {
            Some(candidate) => Route { stable: serving[component], candidate: *candidate, share },
            None => Route::settled(serving[component]),
        };
        let routes = serving.keys().map(route).collect();
        let epoch = Epoch { release, verdict, step };
        let policy = Policy { epoch, routes, salt: environment.switch.salt.clone(), dead_man: 0 };
        format!("set map {} policy {policy}", environment.edge.map.display())
    };

    let step = |name: &str, lines: Vec<String>| Step { name: name.to_owned(), lines };
    let mut steps = Vec::new();
    if environment.mode != Mode::Act {
        steps.push(step(
            "mode",
            vec!["this environment only watches: set mode = \"act\" to release by Teal".to_owned()],
        ));
    }
    let parts = || idle.iter().map(|(component, colour)| (*component, *colour, &environment.components[*component]));
    steps.push(step(
        "start",
        parts().flat_map(|(component, colour, c)| commands(name, component, colour, c, &versions[component])).collect(),
    ));
    steps.push(step("ready", parts().map(|(component, colour, c)| readiness(component, colour, c)).collect()));
    steps.push(step("smoke", vec![smoke(environment)]));
    let shares = environment.switch.steps.iter().map(|s| (s.share, Some(s.hold))).chain([(Share::ALL, None)]);
    let mut last = 0;
    for (number, (share, hold)) in (1..).zip(shares) {
        last = number;
        let hold = hold.map(|hold| format!("watch for {}", clock(hold.as_secs_f64())));
        steps.push(step(
            &format!("switch {share}"),
            [policy(number, Verdict::Open, share)].into_iter().chain(hold).collect(),
        ));
    }
    let judged = parts().flat_map(|(component, colour, c)| judged(component, colour.other(), c, environment));
    steps.push(step("watch", [watch(environment)].into_iter().chain(judged).collect()));
    steps.push(step(
        "keep",
        parts().map(|(component, colour, _)| keep(component, colour.other(), environment)).collect(),
    ));
    let undo = policy(last, Verdict::Bad, Share::NONE);
    Plan { environment: name.to_owned(), versions: versions.clone(), unknown, steps, undo }
}

/// The colour that serves each component, by name; blue where nobody knows.
fn serving<'a>(environment: &'a Environment, status: Option<&Status>) -> BTreeMap<&'a str, Colour> {
    let known = |name: &str| {
        let component = status?.components.iter().find(|component| component.name == name)?;
        let active = match &component.candidate {
            Some(candidate) if component.share >= Share::percent(50) => candidate,
            _ => &component.stable,
        };
        active.colour.known().copied()
    };
    environment.components.keys().map(|name| (name.as_str(), known(name).unwrap_or(Colour::Blue))).collect()
}

fn commands(environment: &str, name: &str, colour: Colour, component: &Component, version: &str) -> Vec<String> {
    match &component.runs {
        Runs::Processes(processes) => {
            let command = |(slot, address): (u16, SocketAddr)| {
                let fill = |word: &String| {
                    let values = [
                        ("{version}", version.to_owned()),
                        ("{port}", address.port().to_string()),
                        ("{colour}", colour.to_string()),
                        ("{slot}", slot.to_string()),
                        ("{component}", name.to_owned()),
                        ("{environment}", environment.to_owned()),
                    ];
                    values.iter().fold(word.clone(), |word, (placeholder, value)| word.replace(placeholder, value))
                };
                let words: Vec<String> = processes.run.iter().map(fill).collect();
                format!("{name}-{colour} {address}: {}", words.join(" "))
            };
            (1..).zip(component.addresses(colour)).map(command).collect()
        }
        Runs::Workload(Workload { name: workload, replicas, secrets, .. }) => {
            let pods = replicas
                .map_or_else(|| format!("as many Pods as {workload}-{} has", colour.other()), |n| format!("{n} Pods"));
            let copied = if *secrets { "ConfigMaps and Secrets" } else { "ConfigMaps" };
            vec![
                format!("{workload}-{colour}: a copy of its {copied} as they are now"),
                format!("Deployment {workload}-{colour}: image {version}, {pods}"),
            ]
        }
    }
}

fn readiness(name: &str, colour: Colour, component: &Component) -> String {
    let within = clock(component.ready_timeout.as_secs_f64());
    match &component.runs {
        Runs::Processes(processes) => {
            let replicas = processes.replicas;
            format!("{name}-{colour}: GET {} answers on each of {replicas} within {within}", component.ready)
        }
        Runs::Workload(workload) => format!("Deployment {}-{colour}: rolled out within {within}", workload.name),
    }
}

fn smoke(environment: &Environment) -> String {
    match (&environment.smoke.suite, environment.smoke.inline.get("checks").and_then(toml::Value::as_array)) {
        (Some(suite), _) => format!("the suite in {}, against the new colour", suite.display()),
        (None, Some(checks)) => format!("{} checks, against the new colour", checks.len()),
        (None, None) => "no suite is configured: traffic moves as soon as the new colour is ready".to_owned(),
    }
}

fn watch(environment: &Environment) -> String {
    let watch = &environment.watch;
    let then = match watch.on_unknown {
        OnUnknown::Keep => "keep it and tell a human",
        OnUnknown::Rollback => "take traffic back",
        OnUnknown::Ask => "ask a human",
    };
    let (min, max) = (clock(watch.min.as_secs_f64()), clock(watch.max.as_secs_f64()));
    format!("{min}, at most {max} until enough is known; not proven by then: {then}")
}

fn keep(name: &str, colour: Colour, environment: &Environment) -> String {
    let length: std::time::Duration = environment.watch.retain.iter().map(|stage| stage.length).sum();
    let fewer = environment.watch.retain.iter().filter_map(|stage| match stage.replicas {
        Replicas::Full => None,
        Replicas::Count(count) => Some(format!(", {} of it in {count}", clock(stage.length.as_secs_f64()))),
    });
    let fewer: String = fewer.collect();
    format!("{name}-{colour}: as the way back for {}{fewer}, then stopped", clock(length.as_secs_f64()))
}

/// The plan as text.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let mut text = format!("plan for {}; nothing is done\n", plan.environment);
    for unknown in &plan.unknown {
        let _ = writeln!(text, "--  unknown: {unknown}");
    }
    for (number, step) in (1..).zip(&plan.steps) {
        let _ = writeln!(text, "{number:>2}  {}", step.name);
        for line in &step.lines {
            let _ = writeln!(text, "      {line}");
        }
    }
    let _ = writeln!(text, "undo, at any time: teal rollback {}\n      {}", plan.environment, plan.undo);
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::fixtures::watching;
    use super::*;
    use crate::config;

    fn environment(name: &str) -> Environment {
        config::parse(config::TWO_COMPONENTS, Path::new("/etc/teal")).0.unwrap().environments[name].clone()
    }

    fn versions(parts: &[(&str, &str)]) -> Versions {
        parts.iter().map(|(component, version)| ((*component).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn a_plan_names_every_command_port_and_map_line() {
        let versions = versions(&[("api", "v1.2.4"), ("web", "v1.2.4")]);
        insta::assert_snapshot!(text(&plan("prod", &environment("prod"), &versions, Some(&watching()))));
    }

    #[test]
    fn without_an_agent_a_plan_says_what_it_cannot_know() {
        insta::assert_snapshot!(text(&plan("staging", &environment("staging"), &versions(&[("web", "v2")]), None)));
    }
}
