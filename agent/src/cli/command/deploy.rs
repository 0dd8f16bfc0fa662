//! `teal deploy`: a release, end to end.

use teal_rollout::machine::Refusal;

use crate::api::{Order, OrderRequest, Versions};
use crate::cli::context::{Context, client, operator, unheard};
use crate::cli::follow::follow;
use crate::cli::render::plan;
use crate::cli::{CliError, Exit, confirm::confirm, engine, remote};
use crate::client::ClientError;
use crate::config::{Environment, Loaded};

/// Arguments of `teal deploy`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Where to release.
    #[arg(value_name = "ENV")]
    environment: String,
    /// The version of every component (or of those in --component).
    #[arg(value_parser = version, required_unless_present = "set", conflicts_with = "set")]
    version: Option<String>,
    /// Only this component; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "set")]
    component: Vec<String>,
    /// One component's version, `api=v1.2.3`; may be repeated.
    #[arg(long, value_name = "NAME=VERSION", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Show every command, map line and rule, and do nothing.
    #[arg(long)]
    plan: bool,
    /// Print the release's number and return at once; `teal wait` follows it.
    #[arg(long)]
    detach: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let name = args.environment.as_str();
    let environment = loaded.config.environment(name)?;
    let versions = versions(args, environment)?;
    if args.plan {
        return show_plan(context, &loaded, name, environment, &versions).await;
    }
    engine::refuse_missing(environment, &versions)?;
    if let Some(word) = &environment.confirm {
        let what: Vec<String> = versions.iter().map(|(component, version)| format!("{component} {version}")).collect();
        confirm(word, &format!("release {} to {name}", what.join(", ")), args.yes)?;
    }
    let order = OrderRequest { order: Order::Deploy { versions }, by: operator() };
    let (release, remote) = match remote::order(&loaded, name, &order).await {
        Ok((accepted, remote)) => (accepted.release, remote),
        Err(ClientError::Refused(problem)) if problem.exit == Some(Exit::Done.code()) => {
            context
                .terminal()
                .json(&serde_json::json!({ "release": problem.release, "environment": name, "result": "unchanged" }));
            context.terminal().print(&format!("ok  {}: {}", problem.title, problem.detail));
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error.into()),
    };
    if args.detach {
        context.terminal().json(&serde_json::json!({ "release": release, "environment": name, "result": "detached" }));
        context.terminal().print(&release.to_string());
        return Ok(Exit::Done);
    }
    if let Some(line) = unheard(&loaded) {
        context.terminal().print(line);
    }
    match remote {
        Some(remote) => remote.follow(context, &loaded, release).await,
        None => follow(context, &loaded, name, release).await,
    }
}

async fn show_plan(
    context: &Context,
    loaded: &Loaded,
    name: &str,
    environment: &Environment,
    versions: &Versions,
) -> Result<Exit, CliError> {
    let status = match client(loaded).status(name).await {
        Ok(status) => Some(status),
        Err(_) => engine::edge_status(loaded, name).await,
    };
    let plan = plan::plan(name, environment, versions, status.as_ref());
    context.terminal().json(&plan);
    context.terminal().print(&plan::text(&plan));
    engine::refuse_missing(environment, versions)?;
    Ok(Exit::Done)
}

/// Version by component, each component known.
fn versions(args: &Args, environment: &Environment) -> Result<Versions, CliError> {
    let all = environment.components.keys();
    let pairs: Vec<(String, String)> = match (&args.version, args.component.as_slice()) {
        (Some(version), []) => all.map(|component| (component.clone(), version.clone())).collect(),
        (Some(version), named) => named.iter().map(|component| (component.clone(), version.clone())).collect(),
        (None, _) => args.set.clone(),
    };
    let mut versions = Versions::new();
    for (component, version) in pairs {
        if !environment.components.contains_key(&component) {
            let known: Vec<&str> = environment.components.keys().map(String::as_str).collect();
            let message = format!("unknown component `{component}`: {} has {}", args.environment, known.join(", "));
            return Err(CliError::usage(message));
        }
        if versions.insert(component.clone(), version).is_some() {
            return Err(CliError::usage(format!("component `{component}` is named twice")));
        }
    }
    Ok(versions)
}

/// As the state machine takes it, told before anything is asked.
fn version(text: &str) -> Result<String, Refusal> {
    if teal_rollout::machine::is_version(text) { Ok(text.to_owned()) } else { Err(Refusal::Version(text.to_owned())) }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (component, tag) = text.split_once('=').ok_or("write NAME=VERSION, for instance api=v1.2.3")?;
    Ok((component.to_owned(), version(tag).map_err(|refusal| refusal.to_string())?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn environment() -> Environment {
        let config = crate::config::parse(crate::config::TWO_COMPONENTS, std::path::Path::new("/")).0.unwrap();
        config.environments["prod"].clone()
    }

    #[test]
    fn versions_are_meant_for_all_components_unless_said_otherwise() {
        let check = |line: &str, expected: Result<&[(&str, &str)], &str>| {
            let args = Line::try_parse_from(["deploy", "prod"].into_iter().chain(line.split(' '))).unwrap().args;
            match (versions(&args, &environment()), expected) {
                (Ok(versions), Ok(expected)) => {
                    let versions: Vec<_> = versions.iter().map(|(c, v)| (c.as_str(), v.as_str())).collect();
                    assert_eq!(versions, expected, "{line}");
                }
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{line}: {error}"),
                (other, _) => panic!("{line}: {other:?}"),
            }
        };
        check("v2", Ok(&[("api", "v2"), ("web", "v2")]));
        check("v2 --component api", Ok(&[("api", "v2")]));
        check("--set api=v2 --set web=v3", Ok(&[("api", "v2"), ("web", "v3")]));
        check("--set api=v2 --set api=v3", Err("component `api` is named twice"));
        check("v2 --component apo", Err("unknown component `apo`: prod has api, web"));
    }

    #[test]
    fn a_version_can_stand_in_a_path() {
        for good in ["v1.2.3", "2026-01-02_3", "1.0.0+build", "sha256:0af1"] {
            assert!(version(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "../x", "v1..2", "a/b", "a b", "-x", "a\nb", "é"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }
}
