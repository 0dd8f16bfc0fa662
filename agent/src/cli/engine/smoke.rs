//! The smoke suite by hand: against a colour, an environment or any address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use teal_rollout::colour::Colour;
use toml::Spanned;
use toml::de::DeTable;

use crate::cli::{CliError, Exit};
use crate::config::{BindAddress, Diagnostic, Environment, Loaded, Smoke, smoke_table};
use crate::runtime::wiring;
use crate::smoke::{self as suite, Limits, Suite, Target, Verdict};

/// Against what the smoke suite runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum SmokeTarget {
    /// A colour's own servers.
    Colour(Colour),
    /// The environment's `url`, or its edge.
    Environment,
    /// Any address.
    Url(String),
}

/// Runs the smoke suite and prints each check.
pub(in crate::cli) async fn smoke(
    loaded: &Loaded,
    environment: &str,
    target: SmokeTarget,
    json: bool,
) -> Result<Exit, CliError> {
    let configured = loaded.config.environment(environment)?;
    let suite = wiring::suite(environment, &configured.smoke).map_err(|e| CliError::usage(e.to_string()))?;
    let Some(suite) = suite else {
        return Err(CliError::usage(format!(
            "environments.{environment} has no smoke suite: set `[smoke] suite = \"FILE\"` or add [[smoke.checks]]"
        )));
    };
    let targets = targets(configured, &suite, target)?;
    let report = suite::run(&suite, &targets, Limits::default(), |outcome| {
        if !json {
            let mark = match &outcome.verdict {
                Verdict::Passed => "ok",
                Verdict::Failed { .. } => "bad",
                Verdict::Skipped => "--",
            };
            let took = outcome.took.as_millis();
            match &outcome.verdict {
                Verdict::Failed { failure, .. } => anstream::println!("{mark:<4}{:<28} {failure}", outcome.check),
                Verdict::Passed | Verdict::Skipped => anstream::println!("{mark:<4}{:<28} {took} ms", outcome.check),
            }
        }
    });
    let report = report.await.map_err(|error| CliError::failed(error.to_string()))?;
    if json {
        let text = serde_json::to_string(&report).unwrap_or_default();
        anstream::println!("{text}");
    } else {
        anstream::println!("{report}");
    }
    Ok(if report.is_ok() { Exit::Done } else { Exit::Refused })
}

fn targets(environment: &Environment, suite: &Suite, target: SmokeTarget) -> Result<Vec<Target>, CliError> {
    let url = match target {
        SmokeTarget::Colour(colour) => {
            let servers = environment.components.iter().flat_map(|(name, c)| {
                c.addresses(colour).into_iter().map(move |address| Target::server(name.clone(), address))
            });
            return Ok(servers.collect());
        }
        SmokeTarget::Url(url) => url,
        SmokeTarget::Environment => match &environment.url {
            Some(url) => url.clone(),
            None => edge_url(environment)?,
        },
    };
    let target = |component: &str| Target::url(component, &url).map_err(|e| CliError::usage(e.to_string()));
    suite.components().into_iter().map(target).collect()
}

/// The edge as it is reached from this machine.
fn edge_url(environment: &Environment) -> Result<String, CliError> {
    let tcp = environment.edge.bind.iter().find_map(|bind| match (&bind.address, &bind.certificate) {
        (BindAddress::Tcp(address), None) => Some(*address),
        _ => None,
    });
    let mut address =
        tcp.ok_or_else(|| CliError::usage("the edge has no plain TCP listener: set the environment's `url`"))?;
    match &mut address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => v4.set_ip(Ipv4Addr::LOCALHOST),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => v6.set_ip(Ipv6Addr::LOCALHOST),
        SocketAddr::V4(_) | SocketAddr::V6(_) => {}
    }
    Ok(format!("http://{address}"))
}

/// Reads the smoke suites with their own rules, for `config check`: each mistake in words, with its place.
pub(in crate::cli) fn smoke_mistakes(loaded: &Loaded) -> Vec<String> {
    let of = |(name, environment): (&String, &Environment)| match &environment.smoke {
        Smoke { suite: Some(path), .. } => in_file(path),
        Smoke { inline, .. } if inline.is_empty() => Vec::new(),
        Smoke { .. } => smoke_table(&loaded.text, name).map(|table| told(&loaded.text, table)).unwrap_or_default(),
    };
    loaded.config.environments.iter().flat_map(of).collect()
}

fn in_file(path: &Path) -> Vec<String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return vec![suite::SuiteError::Read { path: path.to_owned(), error }.to_string()],
    };
    let told = match DeTable::parse(&text) {
        Ok(table) => told(&text, table),
        Err(error) => {
            let place = error.span().unwrap_or_default();
            vec![Diagnostic::at(&text, &place, "", error.message()).to_string()]
        }
    };
    told.into_iter().map(|mistake| format!("{}, {mistake}", path.display())).collect()
}

fn told(text: &str, table: Spanned<DeTable<'_>>) -> Vec<String> {
    let mistakes = Suite::mistakes(table).into_iter();
    mistakes.map(|(place, message)| Diagnostic::at(text, &place, "", message).to_string()).collect()
}
