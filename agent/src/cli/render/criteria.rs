//! What a component's candidate is judged by, in words.

use std::fmt::Display;

use teal_rollout::colour::Colour;

use super::words::{count, percent, span};
use crate::config::{Bad, Component, Criteria, Environment, Latency, Probes};

/// The rules for `name`, whose old colour is `old`: a line each.
pub(super) fn judged(name: &str, old: Colour, component: &Component, environment: &Environment) -> Vec<String> {
    let watch = &component.watch;
    let lines = [
        format!("needs {}, not counting {}", count(watch.min_requests, "request"), or(&watch.ignore_paths, "nothing")),
        format!("bad is {}", bad(component)),
        rate(watch, old),
        latency(watch.latency, old),
        probes(watch.probes, environment),
    ];
    lines.into_iter().map(|line| format!("{name}: {line}")).collect()
}

fn bad(component: &Component) -> String {
    let Criteria { bad: Bad { status, not, retries }, latency_limit, .. } = &component.watch;
    let except = if not.is_empty() { String::new() } else { format!(" but not {}", list(not)) };
    let retries = if *retries { ", a second try" } else { "" };
    let own = component.routes.iter().filter(|route| route.latency != *latency_limit);
    let own: Vec<String> = own.map(|r| format!("{} {}", r.name, span(r.latency.as_secs_f64()))).collect();
    let own = if own.is_empty() { String::new() } else { format!(" ({})", own.join(", ")) };
    let limit = span(latency_limit.as_secs_f64());
    format!("{}{except}, no answer{retries}, a client that gives up after {limit}{own}", list(status))
}

fn rate(watch: &Criteria, old: Colour) -> String {
    let Criteria { acceptable_error_rate, alpha, rho, .. } = watch;
    format!(
        "tolerates {rho} x {old}'s error rate, or {acceptable_error_rate} while that is not known; false alarm {alpha}"
    )
}

fn latency(latency: Latency, old: Colour) -> String {
    match latency {
        Latency::Off => "latency is not judged".to_owned(),
        Latency::Slower(thousandths) => {
            format!("tolerates {} slower than {old}", percent(f64::from(thousandths) / 1000.0))
        }
    }
}

fn probes(probes: Probes, environment: &Environment) -> String {
    let no_suite = environment.smoke.suite.is_none() && environment.smoke.inline.is_empty();
    match probes {
        Probes::Off => "no probes".to_owned(),
        Probes::Below { .. } if no_suite => "no probes: there is no smoke suite to ask by".to_owned(),
        Probes::Below { below, every } => {
            let every = span(every.as_secs_f64());
            format!("below {below} requests/s one of the smoke suite's GETs each {every}")
        }
    }
}

fn list(all: &[impl Display]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn or(all: &[String], none: &str) -> String {
    if all.is_empty() { none.to_owned() } else { list(all) }
}
