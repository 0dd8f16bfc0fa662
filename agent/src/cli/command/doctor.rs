//! `teal doctor`: what would make a night bad, found by day.

use crate::cli::context::Context;
use crate::cli::{CliError, Exit, engine, render};
use crate::doctor::{Finding, Level};

/// Arguments of `teal doctor`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// One environment; else all.
    #[arg(value_name = "ENV")]
    environment: Option<String>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = match crate::config::load(context.config_path()) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(show(context, args.environment.as_deref(), &[engine::without_configuration(&error)])),
    };
    let names: Vec<&str> = match &args.environment {
        Some(name) => {
            loaded.config.environment(name)?;
            vec![name]
        }
        None => loaded.config.environments.keys().map(String::as_str).collect(),
    };
    let mut exit = Exit::Done;
    for name in names {
        let findings = engine::doctor(&loaded, name).await?;
        if show(context, Some(name), &findings) == Exit::Failed {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

fn show(context: &Context, environment: Option<&str>, findings: &[Finding]) -> Exit {
    let hurts = findings.iter().any(|finding| finding.level == Level::Hurts);
    let exit = if hurts { Exit::Failed } else { Exit::Done };
    let json = serde_json::json!({ "environment": environment, "findings": findings, "exit": exit.code() });
    context.terminal().json(&json);
    context.terminal().print(&render::doctor::findings(environment, findings));
    exit
}
