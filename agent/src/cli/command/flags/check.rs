//! `teal flags check`: what a flag answers to somebody, or to how many of many.
//!
//! Of one user the service is asked. Many are evaluated here, by the same code and from the service's own document, so that no id of a
//! long list leaves this machine (decision 56).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use teal_flags::{Flags, Layer};

use super::target::Service;
use super::users::{attributes, users};
use super::{known, now};
use crate::cli::context::Context;
use crate::cli::render::flags::check::{self, Answer};
use crate::cli::{CliError, Exit};
use crate::client::flags::Question;

/// Arguments of `teal flags check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name or number.
    flag: String,
    /// Who asks; without: somebody whom nothing identifies.
    #[arg(long, short, value_name = "ID", conflicts_with = "users")]
    user: Option<String>,
    /// Count what all of these are answered: an id a line, or a JSON object a line with user_id and attributes; - is the standard input.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Where they ask; without: flags that are meant for some environments are off.
    #[arg(long, short, value_name = "ENV")]
    environment: Option<String>,
    /// What is known of them; may be repeated, of one name for a list.
    #[arg(long, short, value_name = "NAME=VALUE")]
    attribute: Vec<String>,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let attributes = attributes(&args.attribute)?;
    let environment = args.environment.as_deref();
    let Some(path) = &args.users else {
        // Some tokens may ask and not look.
        if environment.is_some()
            && let Ok(listing) = service.client.list().await
        {
            known::environments(service, &listing.document, args.environment.as_slice());
        }
        let question = Question { user: args.user.clone(), environment: args.environment.clone(), attributes };
        let checked = match service.client.check(&args.flag, &question).await {
            Ok(checked) => checked,
            Err(error) => return Err(known::unknown(service, &args.flag, error).await),
        };
        context.terminal().json(&checked);
        context.terminal().print(&check::check(&checked, args.user.as_deref(), environment));
        return Ok(Exit::Done);
    };
    let users = users(path, &attributes)?;
    let document = service.client.snapshot().await?;
    known::environments(service, &document, args.environment.as_slice());
    let name = known::name(&document, &args.flag)?;
    let flags = Flags::new(environment);
    flags.apply(Layer::File, document, now());
    let snapshot = flags.snapshot();
    let mut counts: BTreeMap<Answer, u64> = BTreeMap::new();
    for user in &users {
        let answer = snapshot.evaluate(user.context(), &name);
        let reason = answer.error.map_or(answer.reason.as_str(), |error| error.as_str()).to_owned();
        let variant = answer.variant.map(|variant| variant.to_string());
        *counts.entry(Answer { variant, reason }).or_default() += 1;
    }
    let told = |(Answer { variant, reason }, count): (&Answer, &u64)| json!({"variant": variant, "reason": reason, "users": count});
    let told: Vec<_> = counts.iter().map(told).collect();
    context.terminal().json(&json!({"flag": name, "environment": environment, "users": users.len(), "answers": told}));
    context.terminal().print(&check::counts(&name, environment, &counts));
    Ok(Exit::Done)
}
