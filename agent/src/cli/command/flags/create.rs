//! `teal flags create`: a new flag; off unless said otherwise.

use serde_json::{Value, json};
use teal_flags::model::Flag;

use super::fields::Fields;
use super::set::nothing;
use super::target::Service;
use super::{known, now, teal};
use crate::cli::context::Context;
use crate::cli::render::flags::{show, touch};
use crate::cli::{CliError, Exit};

/// Arguments of `teal flags create`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name: a small letter, then a-z, 0-9, _, . and -.
    name: String,
    #[command(flatten)]
    fields: Fields,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Show what would be made, and make nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let mut fields = args.fields.json()?;
    fields.insert("name".to_owned(), args.name.as_str().into());
    let fields = Value::Object(fields);
    let flag = Flag::from_value(fields.clone()).map_err(|error| CliError::usage(error.to_string()))?;
    if !args.fields.environment.is_empty()
        && let Ok(listing) = service.client.list().await
    {
        known::environments(service, &listing.document, &args.fields.environment);
    }
    let mut terminal = context.terminal();
    let (flag, json) = if args.dry_run {
        let json = flag.to_value();
        (flag, json)
    } else {
        match service.client.create(&fields, &args.reason).await {
            Ok(made) => (made.flag, made.json),
            Err(error) if error.status() == Some(409) => {
                let error = CliError::new(Exit::Refused, format!("there is a flag `{}` already", args.name));
                return Err(error.hint(format!("{}   changes it", teal(&format!("set {} ...", args.name)))));
            }
            Err(error) => return Err(error.into()),
        }
    };
    let touched = touch::touched(&nothing(&flag.name), &flag);
    terminal.json(&json!({"flag": json, "touched": touch::json(&touched), "created": !args.dry_run}));
    terminal.print(&show::show(&flag, now()));
    terminal.print(&match (args.dry_run, flag.enabled) {
        (true, _) => format!("--  dry run: there is no {} yet", flag.name),
        (false, true) => format!("ok  {} is made, number {}", flag.name, flag.id),
        (false, false) => {
            let switch = teal(&format!("set {} --on", flag.name));
            format!("ok  {} is made, number {}, and off; {switch}", flag.name, flag.id)
        }
    });
    Ok(Exit::Done)
}
